package proxy

import (
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// Stored answers in memory are taken out of the memory of all, those elsewhere are not.
func TestStoredAnswersInMemoryAreInsideTheMemoryOfAll(t *testing.T) {
	for name, tt := range map[string]struct {
		spec         string
		bytes        values.Bytes
		left, stored int64
	}{
		"a quarter":         {"memory", 64 << 20, 3 << 20, 1 << 20},
		"less is asked for": {"memory", 64 << 10, 4<<20 - 64<<10, 64 << 10},
		"a file":            {"file:" + t.TempDir() + "/answers.db", 64 << 20, 4 << 20, 64 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			g := newRig(t, fine, func(c *settings.Config) {
				c.Bodies.MemoryMax, c.Store.Bytes = 4<<20, tt.bytes
				if err := c.Store.Spec.UnmarshalText([]byte(tt.spec)); err != nil {
					t.Fatal(err)
				}
				if got := c.StoreBytes(); int64(got) != tt.stored {
					t.Errorf("%d bytes are for answers, want %d", got, tt.stored)
				}
			})
			if got := g.proxy.calls.Store.Largest(); got != tt.stored/8 {
				t.Errorf("one answer may have %d bytes, want %d", got, tt.stored/8)
			}
			if got := g.proxy.gen().Config.Store.Largest(); got != tt.stored/8 {
				t.Errorf("%d bytes of an answer are recorded, want %d", got, tt.stored/8)
			}
			if room := tt.left / 8 * 7; !g.proxy.gen().Bodies.Reserve(room) || g.proxy.gen().Bodies.Reserve(1) {
				t.Errorf("bodies may not take %d bytes, or more", room)
			}
		})
	}
}
