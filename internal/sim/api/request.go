package api

import (
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strings"
	"time"

	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/reply"
)

// Config is what the endpoints need to know. No field but the lists may be zero, Seed and
// TokenDelay aside: sim.Config has the defaults.
type Config struct {
	Seed       uint64        // decides the ids
	Models     []string      // that exist; empty: every name does
	Keys       []string      // credentials that exist; empty: any one will do
	Tokens     int           // length of an answer, unless the request allows fewer
	Charge     TokenCost     // what a request costs in tokens
	TokenDelay time.Duration // between the tokens of a stream
	JobTime    time.Duration // of a batch or a background response
	BodyMax    int64         // bytes of a JSON body
	StoreMax   int64         // bytes of all files that are kept
}

// API is the endpoints and what they keep. It is safe for concurrent use.
type API struct {
	cfg       Config
	ids       reply.IDs
	files     *fileStore
	batches   *store[*batch]
	responses *store[*response]
}

// New returns the endpoints, which keep nothing yet.
func New(cfg Config) *API {
	a := &API{cfg: cfg, files: newFileStore(cfg.StoreMax), batches: newStore[*batch](maxObjects), responses: newStore[*response](maxObjects)}
	a.ids.Seed = cfg.Seed
	return a
}

// Forget drops all files, batches and responses.
func (a *API) Forget() {
	a.files.clear()
	a.batches.clear()
	a.responses.clear()
}

// Kept returns how many files, batches and responses are kept, and the bytes of the files.
func (a *API) Kept() (objects int, bytes int64) { //nolint:nonamedreturns // the names tell them apart
	files, held := a.files.size()
	return files + a.batches.size() + a.responses.size(), held
}

// Request is one request as the endpoints see it: what it says, and what reading it
// found out.
type Request struct {
	api        *API
	r          *http.Request
	Route      *Route   // never nil
	args       []string // what the route's wildcards stand for
	Credential string   // "" for none
	ID         string   // of the request, as the answer tells it; set by the server

	// Set by the endpoint when it reads the request.
	digest   hash.Hash  // of the body
	Model    string     // "" for none
	Stream   bool       // a stream is wanted
	Cost     meter.Cost // what limits by rate take for it
	estimate int        // input tokens
}

// NewRequest finds out who asks for what.
func (a *API) NewRequest(r *http.Request) *Request {
	c := &Request{api: a, r: r, Credential: Clip(credentialOf(r.Header))}
	c.Route, c.args = findRoute(r.Method, r.URL.Path)
	return c
}

// Work carries a request out and returns its answer. An endpoint returns it
// unexecuted, because limits and faults may forbid it.
type Work func() reply.Answer

// Accept lets the endpoint read the request, unless it has no right to be there.
func (c *Request) Accept() (Work, *reply.Error) {
	if err := c.admit(); err != nil {
		return nil, err
	}
	do, err := c.Route.read(c)
	if err != nil {
		return nil, err
	}
	if err := c.knownModel(); err != nil {
		return nil, err
	}
	return do, nil
}

// ErrorAnswer renders an error for this request.
func (c *Request) ErrorAnswer(err *reply.Error) reply.Answer {
	return err.Answer(c.Route.Dialect, c.ID)
}

// hash starts the digest of the body.
func (c *Request) hash() hash.Hash {
	c.digest = sha256.New()
	return c.digest
}

// BodyDigest is the digest of the body as far as it was read, "" for none.
func (c *Request) BodyDigest() string {
	if c.digest == nil {
		return ""
	}
	return hex.EncodeToString(c.digest.Sum(nil)[:8])
}

// Clip bounds a text from outside that is kept: 50,000 entries may hold it.
func Clip(s string) string {
	const most = 256
	if len(s) <= most {
		return s
	}
	return strings.Clone(s[:most]) // not a part of something longer
}
