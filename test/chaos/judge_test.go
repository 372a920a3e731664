package chaos

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// violation is an invariant that did not hold.
type violation struct{ invariant, how string }

func (v *violation) Error() string { return v.invariant + ": " + v.how }

func violated(invariant, format string, arguments ...any) *violation {
	return &violation{invariant, fmt.Sprintf(format, arguments...)}
}

// The invariants.
const (
	doubled   = "a create was carried out twice"
	lost      = "a create was carried out, and its caller told that it was not"
	keyLost   = "the answer to a key was lost"
	truncated = "an answer that is not whole ended as if it were"
	changed   = "bytes were changed"
	untold    = "a stream broke off without a word"
	endless   = "a call did not end"
	noAnswer  = "a call got no answer"
	strange   = "an answer that nothing explains"
)

// Codes of Outrigger's errors that say that a create may have been carried out.
const (
	ambiguous      = "upstream_ambiguous"
	unknownOutcome = "idempotency_outcome_unknown"
)

// codes are the other errors of Outrigger's that a bad network explains.
var codes = []string{
	"upstream_unreachable", "upstream_broke", "upstream_timeout", "circuit_open", "local_rate_limit",
	"idempotency_key_in_use", "idempotency_store_unavailable",
}

// judge names how an item ended, and says what is wrong with that.
func (i *item) judge(up seen) (string, *violation) {
	want := i.request.sum()
	for _, got := range up.sent {
		if got != want {
			return "wrong", violated(changed, "a request arrived with the digest %s instead of %s", got, want)
		}
	}
	if i.request.kind.isCreate() && up.works > 1 {
		return "wrong", violated(doubled, "%d times, in %d requests", up.works, len(up.sent))
	}
	for n := range i.calls {
		if err := i.calls[n].judge(i, up); err != nil {
			return "wrong", err
		}
	}
	if i.request.kind == keyed {
		return i.judgeKey(up)
	}
	c := &i.calls[0]
	if i.request.kind.isCreate() && !c.left && up.works == 1 && c.status != http.StatusOK && c.code != ambiguous {
		return "wrong", violated(lost, "status %d, %s", c.status, c.code)
	}
	return i.request.kind.String() + " " + c.outcome(), nil
}

// outcome is how a call ended, in words.
func (c *call) outcome() string {
	switch {
	case c.left && c.err != nil:
		return "left"
	case c.status == http.StatusOK && c.err != nil:
		return "cut, and told"
	case c.status == http.StatusOK:
		return "ok"
	case c.code != "":
		return strconv.Itoa(c.status) + " " + c.code
	default:
		return strconv.Itoa(c.status)
	}
}

// judge judges one call by itself.
func (c *call) judge(i *item, up seen) *violation {
	switch {
	case c.took > hung-time.Second:
		return violated(endless, "after %v", c.took)
	case c.left && c.err != nil:
		return nil //nolint:nilerr // its caller has left
	case c.status == 0:
		return violated(noAnswer, "%v", c.err)
	case c.status != http.StatusOK && c.err != nil:
		return violated(truncated, "an error broke off: %d, %v", c.status, c.err)
	case c.code != "":
		if c.code != ambiguous && c.code != unknownOutcome && !slices.Contains(codes, c.code) {
			return violated(strange, "%d %s", c.status, c.code)
		}
		return nil
	case c.status != http.StatusOK:
		return violated(strange, "status %d of a sound upstream", c.status)
	case c.err != nil:
		return c.judgeCut()
	}
	whole := c.text
	if i.request.kind == stream && !bytes.HasSuffix(whole, []byte(lastEvent)) {
		whole = withLastEvent(whole)
		if !slices.Contains(up.wholes, sha256.Sum256(whole)) {
			return violated(truncated, "it ends with %.300q", c.text[max(0, len(c.text)-300):])
		}
	}
	if !slices.Contains(up.wholes, sha256.Sum256(whole)) {
		return violated(changed, "%d bytes that the upstream did not send as an answer, of %d that it did", len(c.text), len(up.wholes))
	}
	if i.file != "" && string(c.text) != i.file {
		return violated(changed, "the file of %d bytes came back as %d", len(i.file), len(c.text))
	}
	if i.request.kind.isCreate() && up.works != 1 {
		return violated(strange, "an answer to what was carried out %d times", up.works)
	}
	return nil
}

// withLastEvent is a stream that was cut before or in its last event, with that event: it has said
// all, why it finished too, which came before.
func withLastEvent(text []byte) []byte {
	n := len(lastEvent)
	for !bytes.HasSuffix(text, []byte(lastEvent[:n])) {
		n--
	}
	return slices.Concat(text, []byte(lastEvent[n:]))
}

// held is how long an answer that is no stream is held at most; then what there is of it is passed on.
const held = 5 * time.Second

// judgeCut: an answer that broke off was one that is passed on while it comes, and a stream's caller
// was told.
func (c *call) judgeCut() *violation {
	switch {
	case c.kind == stream && !bytes.Contains(c.text, []byte(`"error"`)):
		return violated(untold, "%v after %.300q", c.err, c.text[max(0, len(c.text)-300):])
	case c.kind != stream && c.kind != content && c.took < held:
		return violated(truncated, "an answer that is held before it is passed on broke off: %v", c.err)
	}
	return nil
}

// judgeKey: all who got the answer got the same one, and once somebody had it everybody does. If the
// create was carried out and nobody has its answer, the key says that it is not known.
func (i *item) judgeKey(up seen) (string, *violation) {
	var answer *call
	for n := range i.calls {
		c := &i.calls[n]
		if c.err != nil || c.status != http.StatusOK {
			continue
		}
		if answer != nil && !bytes.Equal(c.text, answer.text) {
			return "wrong", violated(keyLost, "two answers: %s and %s", answer.text, c.text)
		}
		if answer == nil || c.began.Add(c.took).Before(answer.began.Add(answer.took)) {
			answer = c
		}
	}
	final := &i.calls[len(i.calls)-1]
	if answer == nil {
		if up.works == 1 && final.code != ambiguous && final.code != unknownOutcome && final.code != "idempotency_store_unavailable" {
			return "wrong", violated(keyLost, "carried out, and the last caller got %d %s", final.status, final.code)
		}
		return "keyed " + final.outcome(), nil
	}
	for n := range i.calls {
		c := &i.calls[n]
		if c.began.After(answer.began.Add(answer.took)) && !c.left && c.status != http.StatusOK && !c.unheard() {
			return "wrong", violated(keyLost, "%d %s after an answer", c.status, c.code)
		}
	}
	return "keyed " + final.outcome(), nil
}

// unheard reports whether a call ended before its key was looked up: its store was too slow, or its
// body took all of its time to arrive.
func (c *call) unheard() bool {
	return c.code == "idempotency_store_unavailable" || c.code == "upstream_timeout" && c.header.Get("X-Outrigger-Attempts") == "0"
}

// describe lists the calls of an item, for a report.
func (i *item) describe() string {
	var all strings.Builder
	for n := range i.calls {
		c := &i.calls[n]
		fmt.Fprintf(&all, "  began %s, took %v, left %t: status %d, %s, %v\n    header %v\n    %.300q\n",
			c.began.Format("15:04:05.000"), c.took, c.left, c.status, c.code, c.err, c.header, c.text)
	}
	return all.String()
}

// object is the id of what a create made, "" if the answer names none.
func object(answer []byte) string {
	var o struct{ ID string }
	if err := json.Unmarshal(answer, &o); errors.As(err, new(*json.SyntaxError)) {
		return ""
	}
	return o.ID
}
