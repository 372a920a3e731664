package fault

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// errorsJSONL holds error answers of real providers, one per line, collected from
// their documentation and from public issue threads.
//
//go:embed errors.jsonl
var errorsJSONL []byte

// ErrRow is wrapped by the errors about rows.
var ErrRow = errors.New("bad row")

// Row is one error answer of a real provider.
type Row struct {
	Provider string            `json:"provider"`
	Name     string            `json:"name"`
	Status   int               `json:"status"`
	Headers  map[string]string `json:"headers"`
	Body     string            `json:"body"`
	// Phase: "pre" is a whole answer, "body_200" one with status 200; "stream_first",
	// "stream_mid" and "stream_end" are events of a 200 stream.
	Phase string `json:"phase"`
	// Action is how a client should take it; "ignore" and "success" rows are no failures.
	Action string `json:"action"`
}

// ID is "provider/name".
func (r Row) ID() string { return r.Provider + "/" + r.Name }

// Stream reports whether the row is a part of an event stream.
func (r Row) Stream() bool {
	return strings.HasPrefix(r.Headers["content-type"], "text/event-stream")
}

// Harmless reports whether the normal answer follows the row.
func (r Row) Harmless() bool { return r.Action == "ignore" }

// ReadRows reads rows, one JSON object per line; unknown fields are skipped.
func ReadRows(from io.Reader) ([]Row, error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	var rows []Row
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		var r Row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrRow, n, err)
		}
		if r.Provider == "" || r.Name == "" || r.Status < 200 || r.Status > 999 {
			return nil, fmt.Errorf("%w: line %d: want provider, name and a status of 200 or more", ErrRow, n)
		}
		rows = append(rows, r)
	}
	return rows, lines.Err()
}

// Rows returns the rows that are built in, in alphabetical order of their IDs.
// The slice is the caller's; the header maps are shared and must not be changed.
func Rows() []Row {
	rows := slices.Collect(maps.Values(builtin()))
	slices.SortFunc(rows, func(a, b Row) int { return strings.Compare(a.ID(), b.ID()) })
	return rows
}

// builtin maps IDs to rows.
var builtin = sync.OnceValue(func() map[string]Row {
	rows, err := ReadRows(bytes.NewReader(errorsJSONL))
	if err != nil {
		panic(err) //nolint:forbidigo // the file is part of the program, and a test reads it
	}
	byID := make(map[string]Row, len(rows))
	for _, r := range rows {
		byID[r.ID()] = r
	}
	return byID
})

// FindRow returns the built-in row with that ID, or an error that wraps ErrRow
// and names the rows of the same provider.
func FindRow(id string) (Row, error) {
	if r, ok := builtin()[id]; ok {
		return r, nil
	}
	provider, _, _ := strings.Cut(id, "/")
	var near []string
	for _, r := range Rows() {
		if r.Provider == provider {
			near = append(near, r.ID())
		}
	}
	if near == nil {
		return Row{}, fmt.Errorf("%w: %q is none of the %d known", ErrRow, id, len(builtin()))
	}
	return Row{}, fmt.Errorf("%w: %q is unknown; %s has %s", ErrRow, id, provider, strings.Join(near, ", "))
}
