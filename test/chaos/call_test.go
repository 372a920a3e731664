package chaos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// kind is a sort of call.
type kind int

// The kinds.
const (
	chat kind = iota
	stream
	embedding
	models
	create  // without a key
	keyed   // a create with a key, by several callers
	upload  // a large create, which is read again
	content // that reading
	kinds
)

func (k kind) String() string {
	return [...]string{"chat", "stream", "embedding", "models", "create", "keyed", "upload", "content"}[k]
}

// isCreate reports whether such a call may be carried out only once.
func (k kind) isCreate() bool { return k == create || k == keyed || k == upload }

// weights are how often each kind is drawn.
var weights = [kinds]int{chat: 32, stream: 28, embedding: 10, models: 8, create: 14, keyed: 5, upload: 3}

func drawKind(random *rand.Rand) kind {
	n := random.IntN(100)
	for k, weight := range weights {
		if n -= weight; n < 0 {
			return kind(k)
		}
	}
	return chat
}

// filler is what files and prompts are made of.
var filler = func() []byte {
	random, p := rand.New(rand.NewPCG(7, 7)), make([]byte, 2*mebibyte)
	for i := range p {
		p[i] = "abcdefghijklmnopqrstuvwxyz 0123456789"[random.IntN(37)]
	}
	return p
}()

// text is a part of the filler.
func text(random *rand.Rand, most int) string {
	n := random.IntN(most)
	from := random.IntN(len(filler) - n)
	return string(filler[from : from+n])
}

// request is what a call asks for.
type request struct {
	id, method, path, contentType, key, caller string

	kind kind
	body []byte
	file string // of an upload
}

// draw makes the request of a call.
func draw(random *rand.Rand, k kind, id string) request {
	r := request{id: id, kind: k, method: http.MethodPost, contentType: "application/json", caller: fmt.Sprintf("sk-chaos-%d", random.IntN(40))}
	most := 400
	if random.IntN(20) == 0 {
		most = 40_000
	}
	switch k {
	case chat, stream:
		r.path = "/v1/chat/completions"
		r.body = fmt.Appendf(nil, `{"model":"gpt-%d","stream":%t,"max_tokens":%d,"messages":[{"role":"user","content":%q}]}`,
			random.IntN(6), k == stream, 1+random.IntN(40), id+" "+text(random, most))
	case embedding:
		r.path = "/v1/embeddings"
		r.body = fmt.Appendf(nil, `{"model":"embed","input":%q}`, id+" "+text(random, most))
	case models:
		r.method, r.path, r.contentType = http.MethodGet, "/v1/models", ""
	case upload:
		most = 600_000
		fallthrough
	default:
		r.path = "/v1/files"
		r.file = id + " " + text(random, most)
		r.contentType, r.body = form(id, r.file)
		if k == keyed {
			r.key = "key-" + id
		}
	}
	return r
}

// form is the body of an upload. All callers of a key send the same bytes.
func form(id, file string) (string, []byte) {
	const boundary = "chaoschaoschaos"
	return "multipart/form-data; boundary=" + boundary, fmt.Appendf(nil,
		"--%[1]s\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"+
			"--%[1]s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%[2]s\"\r\nContent-Type: application/octet-stream\r\n\r\n%[3]s\r\n--%[1]s--\r\n",
		boundary, id, file)
}

// sum is the digest of the body, as the ledger has it.
func (r *request) sum() string {
	s := sha256.Sum256(r.body)
	return hex.EncodeToString(s[:8])
}

// call is a request that was made, and what came of it.
type call struct {
	kind   kind
	left   bool // its caller did not wait for the end
	began  time.Time
	took   time.Duration
	status int
	header http.Header
	text   []byte
	err    error  // of the exchange; an answer that was cut has a status too
	code   string // of an error that Outrigger wrote
}

// hung is how long a call may take: far more than its deadline and a slow machine.
const hung = 2 * time.Minute

// make sends the request. A caller that leaves does so after leave, unless that is 0.
func (r *request) make(client *http.Client, base string, leave time.Duration) call {
	c := call{kind: r.kind, began: time.Now()}
	defer func() { c.took = time.Since(c.began) }()
	ctx, cancel := context.WithTimeout(context.Background(), hung)
	defer cancel()
	if leave > 0 {
		c.left = true
		defer time.AfterFunc(leave, cancel).Stop()
	}
	request, err := http.NewRequestWithContext(ctx, r.method, base+r.path, bytes.NewReader(r.body))
	if err != nil {
		c.err = err
		return c
	}
	request.GetBody = nil // nothing repeats a call but Outrigger
	request.Header.Set("Authorization", "Bearer "+r.caller)
	request.Header.Set(idHeader, r.id)
	if r.contentType != "" {
		request.Header.Set("Content-Type", r.contentType)
	}
	if r.key != "" {
		request.Header["idempotency-key"] = []string{r.key}
	}
	response, err := client.Do(request)
	if err != nil {
		c.err = err
		return c
	}
	defer response.Body.Close()
	c.status, c.header = response.StatusCode, response.Header
	c.text, c.err = io.ReadAll(response.Body)
	if c.header.Get("X-Outrigger-Source") == "local" {
		var shape struct{ Error struct{ Code string } }
		_ = json.Unmarshal(c.text, &shape)
		c.code = shape.Error.Code
	}
	return c
}

// done is what c became, with the time that it took.
func (c call) done() call {
	c.took = time.Since(c.began)
	return c
}
