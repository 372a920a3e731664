package fleet

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	_ "embed" // the script
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/response"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// maxRefusals is how many cached refusals one payer has on the server, and maxRefusal how
	// long the answer of one may be.
	maxRefusals = 64
	maxRefusal  = 8 << 10
	// tellTime is how long telling of one may take.
	tellTime = 5 * timeout
	// maxPayers bounds the payers whose refusals are known here.
	maxPayers = 1024
)

//go:embed refusals.lua
var refusalsText string

var refusalsScript = goredis.NewScript(refusalsText)

// refusals are the cached refusals that others told of, by payer. They come with leases.
type refusals struct {
	mu      sync.Mutex
	byPayer map[[32]byte]*ofPayer
}

// ofPayer are those of one. Ids are hashes.
type ofPayer struct {
	version string
	sealed  map[string]refusal
	gone    map[string]bool // that are there no more, and whose going was not noticed yet
}

// refusal is one, as it lies on the server.
type refusal struct {
	at     time.Time // by this process's clock
	sealed string
}

// version is that of a payer's refusals, as known here.
func (r *refusals) version(payer [32]byte) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.byPayer[payer]; p != nil {
		return p.version
	}
	return ""
}

// update takes in what a lease told: names and values in turn. Now is the server's time.
func (r *refusals) update(payer [32]byte, version string, pairs []string, now float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.byPayer[payer]
	if version == "" && (p == nil || p.version == "") {
		return
	}
	if p == nil {
		if r.byPayer == nil || len(r.byPayer) >= maxPayers {
			r.byPayer = map[[32]byte]*ofPayer{}
		}
		p = &ofPayer{gone: map[string]bool{}}
		r.byPayer[payer] = p
	}
	before := p.sealed
	p.version, p.sealed = version, map[string]refusal{}
	for i := 0; i+1 < len(pairs); i += 2 {
		text, sealed, ok := strings.Cut(pairs[i+1], " ")
		at, err := strconv.ParseFloat(text, 64)
		if ok && err == nil {
			p.sealed[pairs[i]] = refusal{at: time.Now().Add(-seconds(max(0, now-at))), sealed: sealed}
			delete(p.gone, pairs[i])
		}
	}
	for id := range before {
		if _, still := p.sealed[id]; !still && len(p.gone) < maxRefusals {
			p.gone[id] = true
		}
	}
}

// Any reports whether anything is known of a payer's refusals.
func (f *Fleet) Any(payer [32]byte) bool {
	f.refusals.mu.Lock()
	defer f.refusals.mu.Unlock()
	return f.refusals.byPayer[payer] != nil
}

// Find returns the cached refusal of id and when it was given, nil for none. Gone says that there
// was one and is none any more; it is told once.
func (f *Fleet) Find(payer, id [32]byte) (answer *response.Buffered, at time.Time, gone bool) { //nolint:nonamedreturns // the names tell them apart
	f.refusals.mu.Lock()
	defer f.refusals.mu.Unlock()
	p := f.refusals.byPayer[payer]
	if p == nil {
		return nil, time.Time{}, false
	}
	name := f.idOf(id)
	if p.gone[name] {
		delete(p.gone, name)
		return nil, time.Time{}, true
	}
	r, ok := p.sealed[name]
	if !ok {
		return nil, time.Time{}, false
	}
	return unseal(payer, r.sealed), r.at, false
}

// Remember tells others of a refusal, in the background; Forget that it holds no more.
func (f *Fleet) Remember(payer, id [32]byte, answer *response.Buffered) {
	if sealed := seal(payer, answer); sealed != "" {
		f.change(payer, id, "set", sealed)
	}
}

// Forget tells others that a refusal holds no more, in the background.
func (f *Fleet) Forget(payer, id [32]byte) { f.change(payer, id, "clear", "") }

func (f *Fleet) change(payer, id [32]byte, what, sealed string) {
	if parts, _ := f.Apart(); parts > 0 {
		return
	}
	f.background.Go(func() {
		ctx, cancel := context.WithTimeout(f.ending, tellTime) // nobody waits for it
		defer cancel()
		if _, err := f.eval(ctx, refusalsScript, f.refusalNames(payer, id), what, f.idOf(id), sealed, keep.Milliseconds(), maxRefusals); err != nil {
			f.failed(err)
		}
	})
}

// Probe reports whether this sidecar is the one that tries whether a refusal still holds; no
// other is for so long. While the server is away it is.
func (f *Fleet) Probe(payer, id [32]byte, last time.Duration) bool {
	if parts, _ := f.Apart(); parts > 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(f.ending, timeout)
	defer cancel()
	reply, err := f.eval(ctx, refusalsScript, f.refusalNames(payer, id), "probe", "", "", max(last, time.Second).Milliseconds(), 0)
	if err != nil {
		f.failed(err)
		return true
	}
	return len(reply) == 1 && reply[0] == "yes"
}

func (f *Fleet) refusalNames(payer, id [32]byte) []string {
	tag := f.tag(payer)
	return []string{tag + "refusals", tag + "probe:" + f.idOf(id)}
}

func (f *Fleet) idOf(id [32]byte) string { return f.hash(id[:], "") }

// kept is a refusal as it is sealed.
type kept struct {
	Status  int              `json:"status"`
	Header  http.Header      `json:"header"`
	Body    []byte           `json:"body"`
	Verdict classify.Verdict `json:"verdict"`
}

// seal returns an answer so that only those who have the payer's credential can read it: it
// may quote what was sent. "" is one that is too long.
func seal(payer [32]byte, answer *response.Buffered) string {
	text, err := json.Marshal(kept{answer.Status, answer.Header, answer.Body, answer.Verdict})
	if err != nil || len(text) > maxRefusal {
		return ""
	}
	box, boxErr := boxOf(payer)
	if boxErr != nil {
		return ""
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // never fails: see its doc
	return hex.EncodeToString(box.Seal(nonce, nonce, text, nil))
}

// unseal returns what was sealed, nil if it was not by seal.
func unseal(payer [32]byte, sealed string) *response.Buffered {
	box, boxErr := boxOf(payer)
	if boxErr != nil {
		return nil
	}
	raw, err := hex.DecodeString(sealed)
	if err != nil || len(raw) < box.NonceSize() {
		return nil
	}
	text, err := box.Open(nil, raw[:box.NonceSize()], raw[box.NonceSize():], nil)
	var k kept
	if err != nil || json.Unmarshal(text, &k) != nil {
		return nil
	}
	return &response.Buffered{Status: k.Status, Header: k.Header, Body: k.Body, Verdict: k.Verdict}
}

// boxOf never fails: the key's length and the block's size are right.
func boxOf(payer [32]byte) (cipher.AEAD, error) {
	mac := hmac.New(sha256.New, payer[:])
	_, _ = mac.Write([]byte("outrigger refusal"))
	block, err := aes.NewCipher(mac.Sum(nil))
	if err != nil {
		return nil, fmt.Errorf("a key for cached refusals: %w", err)
	}
	box, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("a cipher for cached refusals: %w", err)
	}
	return box, nil
}
