package chaos

import (
	"crypto/sha256"
	"hash"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
)

// idHeader is how the ledger tells a call's attempts.
const idHeader = "X-Sim-Request"

// digest is of a body.
type digest [sha256.Size]byte

// witness is the upstream: the simulator, whose answers it takes the digests of.
type witness struct {
	sim    *sim.Sim
	server *http.Server

	mu      sync.Mutex
	wholes  map[string][]digest // of the answers that were written whole, by call
	works   map[string]int      // what was carried out, by call
	sent    map[string][]string // digests of the requests that arrived whole, as the ledger has them
	pending map[uint64]string   // entries that were not done when last looked at
	running map[string]int      // how many of those, by call
	last    uint64              // the newest entry seen
}

func newWitness(seed uint64) *witness {
	w := &witness{
		// The longest time that a call and what it left behind take, at the highest rate.
		sim: sim.New(sim.Config{
			Seed: seed, Latency: 5 * time.Millisecond, TokenDelay: time.Millisecond, Tokens: 24,
			LedgerSize: 100_000, StoreMax: 192 * mebibyte,
		}),
		wholes: map[string][]digest{}, works: map[string]int{}, sent: map[string][]string{},
		pending: map[uint64]string{}, running: map[string]int{},
	}
	w.server = &http.Server{Handler: w} //nolint:gosec // slow callers are what is tested
	return w
}

// listen serves at the listener until close.
func (w *witness) listen(l net.Listener) { go func() { _ = w.server.Serve(l) }() }

func (w *witness) close() {
	_ = w.server.Close()
	w.sim.Close()
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	h := &hashing{ResponseWriter: rw, sum: sha256.New()}
	w.sim.ServeHTTP(h, r)
	id := r.Header.Get(idHeader)
	if id == "" || !h.whole() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wholes[id] = append(w.wholes[id], digest(h.sum.Sum(nil)))
}

// hashing takes the digest of what is written.
type hashing struct {
	http.ResponseWriter
	sum  hash.Hash
	tail []byte // of what was written
}

func (h *hashing) Write(p []byte) (int, error) {
	_, _ = h.sum.Write(p)
	h.tail = append(h.tail, p...)
	h.tail = h.tail[max(0, len(h.tail)-len(lastEvent)):]
	return h.ResponseWriter.Write(p)
}

// lastEvent is how a whole stream ends.
const lastEvent = "data: [DONE]\n\n"

// whole reports whether all of the answer was written: one that is no stream is written at once.
func (h *hashing) whole() bool {
	if strings.HasPrefix(h.Header().Get("Content-Type"), "text/event-stream") {
		return string(h.tail) == lastEvent
	}
	return len(h.tail) > 0
}

func (h *hashing) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *hashing) Flush() { _ = http.NewResponseController(h.ResponseWriter).Flush() }

// read takes in what is new in the ledger.
func (w *witness) read() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.sim.Ledger().Entries(ledger.Filter{After: w.last}) {
		w.last = e.ID
		if e.Request != "" && !w.settle(&e) {
			w.pending[e.ID] = e.Request
			w.running[e.Request]++
		}
	}
	for id, call := range w.pending {
		if e, kept := w.sim.Ledger().Entry(id); kept && !w.settle(&e) {
			continue
		}
		delete(w.pending, id)
		if w.running[call]--; w.running[call] == 0 {
			delete(w.running, call)
		}
	}
}

// settle counts an entry that is done, and reports whether it was.
func (w *witness) settle(e *ledger.Entry) bool {
	if !e.Done {
		return false
	}
	if e.Work {
		w.works[e.Request]++
	}
	if e.Body != "" {
		w.sent[e.Request] = append(w.sent[e.Request], e.Body)
	}
	return true
}

// seen is what the upstream knows of a call.
type seen struct {
	works  int
	wholes []digest
	sent   []string
}

// ended reports whether nothing of the call runs upstream.
func (w *witness) ended(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running[id] == 0
}

// take returns what is known of a call, and forgets it.
func (w *witness) take(id string) seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := seen{w.works[id], w.wholes[id], w.sent[id]}
	delete(w.works, id)
	delete(w.wholes, id)
	delete(w.sent, id)
	return s
}
