package idempotency

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"outrigger/internal/sim"
	"outrigger/test/process"
	"outrigger/test/redisserver"

	"github.com/redis/go-redis/v9"
)

// keys is how many creates each test makes.
var keys = scaled(300, 1000)

// crowd has each create asked for three times, at once and by different sidecars, until
// it is answered or said to be unknown. Trouble is called in the middle.
func crowd(t *testing.T, sidecars func() []*sidecar, trouble func()) *tally {
	t.Helper()
	counts := newTally()
	var all sync.WaitGroup
	slots := make(chan struct{}, 24)
	for i := range keys {
		if i == keys/2 {
			all.Go(trouble)
		}
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			name := fmt.Sprintf("%s-%s-%d", create, t.Name(), i)
			var callers sync.WaitGroup
			for c := range 3 {
				callers.Go(func() { asking(t, sidecars, i+c, name, counts) })
			}
			callers.Wait()
			if i%10 == 0 { // what is no create goes on in any case
				if got := call(t.Context(), sidecars()[0].base, chat, "chat-"+name, "chat-"+name); got.err != nil || got.status != http.StatusOK {
					t.Errorf("a compute got %+v", got)
				}
			}
		})
	}
	all.Wait()
	return counts
}

// asking asks for one create until it is answered.
func asking(t *testing.T, sidecars func() []*sidecar, first int, name string, counts *tally) {
	for i := first; t.Context().Err() == nil; i++ {
		ours := sidecars()
		got := call(t.Context(), ours[i%len(ours)].base, create, name, name)
		switch {
		case got.err == nil && got.status == http.StatusOK:
			counts.add(got.source)
			return
		case got.status == http.StatusConflict && got.code == "idempotency_outcome_unknown":
			counts.add("unknown")
			return
		case got.status == http.StatusServiceUnavailable && got.code == "idempotency_store_unavailable":
			counts.add("refused")
			wait(t.Context(), 50*time.Millisecond)
		default:
			t.Errorf("%s: %+v", name, got)
			return
		}
	}
}

// onceMore asks for every create again: nothing is done again by that.
func onceMore(t *testing.T, s *sidecar) {
	t.Helper()
	for i := range keys {
		asking(t, func() []*sidecar { return []*sidecar{s} }, 0, fmt.Sprintf("%s-%s-%d", create, t.Name(), i), newTally())
	}
}

// TestARedisThatTakesNothingOrForgetsAllHasNoCreateDoneTwice fills a Redis, keeps it
// from saving, and empties it, while two sidecars use it and a third one starts.
func TestARedisThatTakesNothingOrForgetsAllHasNoCreateDoneTwice(t *testing.T) {
	pause := scaled(time.Second, 5*time.Second)
	for name, trouble := range map[string]func(t *testing.T, c *redis.Client, start func()){
		"maxmemory": func(t *testing.T, c *redis.Client, _ func()) {
			set(t, c, "maxmemory", "1")
			wait(t.Context(), pause)
			set(t, c, "maxmemory", "0")
		},
		"MISCONF": func(t *testing.T, c *redis.Client, _ func()) {
			if err := os.RemoveAll(c.ConfigGet(t.Context(), "dir").Val()["dir"]); err != nil {
				t.Error(err)
			}
			set(t, c, "save", "3600 1")
			_ = c.BgSave(t.Context())
			wait(t.Context(), pause)
			set(t, c, "save", "")
		},
		"FLUSHALL": func(t *testing.T, c *redis.Client, start func()) {
			for range scaled(1, 3) {
				if err := c.FlushAll(t.Context()).Err(); err != nil {
					t.Error(err)
				}
				start()
				wait(t.Context(), pause)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := redisserver.Start(t)
			raw := redis.NewClient(&redis.Options{Addr: server.Addr})
			defer func() { _ = raw.Close() }()
			upstream, url := newSim(t, sim.Config{Latency: 150 * time.Millisecond, LedgerSize: 100_000})
			var mu sync.Mutex
			sidecars := []*sidecar{newSidecar(t, url, "redis://"+server.Addr), newSidecar(t, url, "redis://"+server.Addr)}
			ours := func() []*sidecar { mu.Lock(); defer mu.Unlock(); return sidecars }
			counts := crowd(t, ours, func() {
				trouble(t, raw, func() {
					s := newSidecar(t, url, "redis://"+server.Addr)
					mu.Lock()
					defer mu.Unlock()
					sidecars = append(sidecars[:len(sidecars):len(sidecars)], s)
				})
			})
			t.Logf("%v", counts)
			if counts.of("refused") == 0 || counts.of("upstream") < keys*9/10 {
				t.Error("nothing was refused, or little made")
			}
			all := ours()
			onceMore(t, all[len(all)-1])
			twice(t, upstream)
		})
	}
}

func set(t *testing.T, c *redis.Client, name, value string) {
	t.Helper()
	if err := c.ConfigSet(t.Context(), name, value).Err(); err != nil {
		t.Error(name, err)
	}
}

// TestAFileWithoutRoomHasNoCreateDoneTwice has a sidecar write its file up to a limit
// on its size, which it meets as it would meet a full disk.
func TestAFileWithoutRoomHasNoCreateDoneTwice(t *testing.T) {
	upstream, url := newSim(t, sim.Config{Latency: 5 * time.Millisecond, LedgerSize: 100_000})
	s := &sidecar{}
	traffic, admin := process.FreeAddress(t), process.FreeAddress(t)
	s.base, s.admin = "http://"+traffic+"/v1", "http://"+admin
	// 512 bytes each in a POSIX shell, 1 KiB in bash: room for some creates, not for all.
	s.Process = process.Start(t, []string{
		"OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_UPSTREAMS=sim=" + url,
		"OUTRIGGER_STORE=file:" + filepath.Join(t.TempDir(), "answers.db"), "OUTRIGGER_LEARN=false", "OUTRIGGER_LOG_LEVEL=warn",
	}, "/bin/sh", "-c", `trap "" XFSZ; ulimit -f 160; exec "$0"`, process.Binary(t))
	s.Ready(t, s.admin+"/readyz")
	counts := newTally()
	for range 2 {
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := w; i < keys; i += 8 {
					name := fmt.Sprintf("%s-%d", create, i)
					got := call(t.Context(), s.base, create, name, name)
					switch {
					case got.err == nil && got.status == http.StatusOK:
						counts.add(got.source)
					case got.code == "idempotency_outcome_unknown", got.code == "idempotency_store_unavailable":
						counts.add(got.code)
					default:
						t.Errorf("%s: %+v", name, got)
					}
				}
			})
		}
		all.Wait()
		if got := call(t.Context(), s.base, chat, "chat", "chat"); got.err != nil || got.status != http.StatusOK {
			t.Errorf("a compute got %+v", got)
		}
		without := call(t.Context(), s.base, create, "create without a key", "")
		if without.err != nil || without.status != http.StatusOK {
			t.Errorf("a create without a key got %+v", without)
		}
	}
	t.Logf("%v", counts)
	if counts.of("upstream") == 0 || counts.of("idempotency_store_unavailable") == 0 {
		t.Error("nothing was made, or the file was never full")
	}
	for _, d := range upstream.Duplicates() {
		if d.Identity.Request != "create without a key" && d.Identity.Request != "chat" {
			t.Errorf("done %d times: %+v", d.Works, d)
		}
	}
}
