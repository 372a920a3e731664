package fleet

import (
	"context"
	_ "embed" // the script
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/fleet/server"

	goredis "github.com/redis/go-redis/v9"
)

const (
	// beatEach is how often a sidecar that leases says that it is there, and memberTime how
	// long it counts as a member afterwards.
	beatEach   = time.Second
	memberTime = 8 * time.Second
)

//go:embed beat.lua
var beatText string

var beatScript = goredis.NewScript(beatText)

// errSecret says that the key of the secret holds something else.
var errSecret = errors.New("WRONGTYPE the fleet's secret is none")

// beats say that a sidecar is there, while it leases.
type beats struct {
	members atomic.Int64 // as last told
	used    atomic.Bool  // something was leased since the last beat
	armed   atomic.Bool

	mu     sync.Mutex
	timer  *time.Timer
	over   bool
	secret [32]byte // that names keys, as on the server
}

// key is the secret that names keys.
func (b *beats) key() [32]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.secret
}

// touch says that something was leased.
func (b *beats) touch(f *Fleet) {
	b.used.Store(true)
	if b.armed.Swap(true) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.over {
		b.timer = time.AfterFunc(beatEach, func() { b.run(f) })
	}
}

func (b *beats) run(f *Fleet) {
	b.armed.Store(false)
	if !b.used.Swap(false) || f.health.parts.Load() > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(f.ending, timeout)
	defer cancel()
	if err := f.beat(ctx); err != nil {
		f.failed(err)
	}
	b.touch(f)
	b.used.Store(false)
}

// stop ends them.
func (b *beats) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.timer != nil {
		b.timer.Stop()
	}
}

// beat says that this sidecar is there, and learns who is, and the secret.
func (f *Fleet) beat(ctx context.Context) error {
	secret := f.beats.key()
	reply, err := f.eval(ctx, beatScript, memberNames(), f.id, f.about(), secret[:], memberTime.Seconds(), keep.Milliseconds())
	if err != nil {
		return server.Explain(f.server.Name, err)
	}
	if len(reply) != 3 || len(reply[1]) != len(secret) {
		return server.Explain(f.server.Name, errSecret)
	}
	members, _ := strconv.ParseInt(reply[0], 10, 64)
	now, _ := strconv.ParseFloat(reply[2], 64)
	f.beats.members.Store(members)
	f.setClock(now)
	f.beats.mu.Lock()
	defer f.beats.mu.Unlock()
	copy(f.beats.secret[:], reply[1])
	return nil
}

// memberNames are the keys of the members.
func memberNames() []string {
	base := server.Prefix + layout + "{fleet}:"
	return []string{base + "members", base + "about", base + "secret"}
}
