package crowd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// habit is how a caller behaves.
type habit int

// The habits.
const (
	patient    habit = iota // sends at once, reads to the end
	slowReader              // takes its answer in drops
	slowWriter              // sends its body in pieces
	leaver                  // leaves at any moment
	deaf                    // reads nothing of its answer, and leaves
	cutter                  // breaks off inside its body
	habits
)

// hears reports whether such a caller reads its answer to the end.
func (h habit) hears() bool { return h == patient || h == slowReader || h == slowWriter }

// kind is one sort of request.
type kind struct {
	name   string // of a stream's dialect, or what else
	method string
	path   string
	body   string // %s stands for a prompt, %.100s for a short one
	stream bool
}

const messagesOf = `"messages":[{"role":"user","content":"%s"}]`

var kinds = []kind{
	{"chat", http.MethodPost, "/v1/chat/completions", `{"model":"gpt-4o","stream":true,` + messagesOf + `}`, true},
	{"chat", http.MethodPost, "/v1/chat/completions", `{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},` + messagesOf + `}`, true},
	{"chat", http.MethodPost, "/v1/completions", `{"model":"gpt-3","stream":true,"prompt":"%s"}`, true},
	{"responses", http.MethodPost, "/v1/responses", `{"model":"gpt-5","stream":true,"input":"%s"}`, true},
	{"messages", http.MethodPost, "/v1/messages", `{"model":"claude","max_tokens":50,"stream":true,` + messagesOf + `}`, true},
	{"json", http.MethodPost, "/v1/chat/completions", `{"model":"gpt-4o",` + messagesOf + `}`, false},
	{"json", http.MethodPost, "/v1/responses", `{"model":"gpt-5","input":"%s"}`, false},
	{"json", http.MethodPost, "/v1/embeddings", `{"model":"embed","input":"%s"}`, false},
	{"json", http.MethodGet, "/v1/models", ``, false},
	{"bytes", http.MethodPost, "/v1/audio/speech", `{"model":"tts","voice":"alloy","input":"%.100s"}`, false},
	{"create", http.MethodPost, "/v1/files", ``, false},
}

// call is one call of the storm and what came of it.
type call struct {
	id      string
	kind    kind
	habit   habit
	version int // of HTTP
	result  result
	took    time.Duration
}

// storm is all callers together.
type storm struct {
	t       *testing.T
	base    string
	clients []*http.Client
	count   atomic.Int64

	mu    sync.Mutex
	calls []call
}

// hung is how long a call may take: the proxy's own deadline, and slow callers' time.
const hung = 25 * time.Second

// rage calls until over ends.
func (s *storm) rage(over context.Context, random *rand.Rand) {
	for over.Err() == nil {
		c := call{kind: kinds[random.IntN(len(kinds))], habit: habit(random.IntN(int(habits))), version: 1 + random.IntN(2)}
		if random.IntN(2) == 0 {
			c.habit = patient
		}
		c.id = fmt.Sprintf("%s-%d", c.kind.name, s.count.Add(1))
		began := time.Now()
		c.result = s.call(c, random)
		c.took = time.Since(began)
		s.mu.Lock()
		s.calls = append(s.calls, c)
		s.mu.Unlock()
	}
}

// errCut is why a cutter's body breaks off.
var errCut = errors.New("the caller broke off")

func (s *storm) call(c call, random *rand.Rand) result {
	ctx, cancel := context.WithTimeout(s.t.Context(), hung)
	defer cancel()
	if c.habit == leaver {
		timer := time.AfterFunc(time.Duration(random.IntN(300))*time.Millisecond, cancel)
		defer timer.Stop()
	}
	length := random.IntN(2000)
	if random.IntN(10) == 0 {
		length = random.IntN(400_000)
	}
	contentType, text := "application/json", prompted(c.kind.body, string(filler[:length]))
	if c.kind.name == "create" {
		b := body{id: int(s.count.Load()), size: int64(length), create: true}
		whole, _ := io.ReadAll(b.reader())
		contentType, text = b.contentType(), string(whole)
	}
	var src io.Reader = strings.NewReader(text)
	switch {
	case c.kind.method == http.MethodGet:
		src = http.NoBody
	case c.habit == slowWriter:
		src = &drops{ctx: ctx, src: src, piece: 1 + len(text)/8, pause: 20 * time.Millisecond}
	case c.habit == cutter:
		src = io.MultiReader(io.LimitReader(src, int64(random.IntN(len(text)))), failing{})
	}
	request, err := http.NewRequestWithContext(ctx, c.kind.method, s.base+c.kind.path, src)
	if err != nil {
		return result{err: err}
	}
	if random.IntN(2) == 0 && c.kind.method != http.MethodGet {
		request.ContentLength = int64(len(text))
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer sk-storm-"+strconv.Itoa(random.IntN(200)))
	request.Header.Set("X-Sim-Request", c.id)
	response, err := s.clients[c.version-1].Do(request)
	if err != nil {
		return result{err: err}
	}
	defer response.Body.Close()
	r := result{status: response.StatusCode, header: response.Header}
	switch c.habit {
	case deaf:
		wait(ctx, time.Duration(random.IntN(1500))*time.Millisecond)
	case slowReader:
		r.text, r.err = io.ReadAll(&drops{ctx: ctx, src: response.Body, piece: 200, pause: 2 * time.Millisecond, most: 500})
	default:
		r.text, r.err = io.ReadAll(response.Body)
	}
	return r
}

// prompted puts a prompt into a body, at most 100 bytes of it where an answer as long as the prompt follows.
func prompted(body, prompt string) string {
	body = strings.Replace(body, "%.100s", prompt[:min(100, len(prompt))], 1)
	return strings.Replace(body, "%s", prompt, 1)
}

// failing is the end of a cutter's body.
type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errCut }

// drops reads slowly: a piece after each pause, for the first most pieces if there is such a bound.
type drops struct {
	ctx   context.Context
	src   io.Reader
	piece int
	pause time.Duration
	most  int
	n     int
}

func (d *drops) Read(p []byte) (int, error) {
	if d.n++; d.most > 0 && d.n > d.most {
		return d.src.Read(p)
	}
	wait(d.ctx, d.pause)
	return d.src.Read(p[:min(len(p), d.piece)])
}
