package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"outrigger/test/process"
)

// TestRedis_ClockThatJumpsFailsNoRequest sets the clock of Redis, which is the fleet's.
func TestRedis_ClockThatJumpsFailsNoRequest(t *testing.T) {
	library := faketime(t)
	for name, by := range map[string]string{"an hour on": "+3600", "an hour back": "-3600", "two seconds on": "+2", "two seconds back": "-2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			offset := filepath.Join(t.TempDir(), "offset")
			set := func(t *testing.T, text string) {
				t.Helper()
				if err := os.WriteFile(offset+".new", []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(offset+".new", offset); err != nil {
					t.Fatal(err)
				}
			}
			set(t, "+0")
			trouble{
				lasts: 5 * time.Second,
				begin: func(t *testing.T, g *rig) func() {
					t.Helper()
					was := g.redis.client(t).Time(t.Context()).Val()
					set(t, by)
					wait(g.ctx, time.Second)
					is := g.redis.client(t).Time(t.Context()).Val()
					t.Logf("the clock of Redis went from %v to %v in a second", was.Format(time.TimeOnly), is.Format(time.TimeOnly))
					if d := is.Sub(was) - time.Second; d.Abs() < time.Second {
						t.Errorf("the clock of Redis did not jump")
					}
					return func() {}
				},
				preload: []string{
					"LD_PRELOAD=" + library, "FAKETIME_TIMESTAMP_FILE=" + offset, "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
				},
			}.play(t)
		})
	}
}

// faketime returns the path of the library that changes a process's clock. Without it the
// test is skipped, also where all that a test needs is required: no machine must have it.
func faketime(t *testing.T) string {
	t.Helper()
	root, err := process.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, directory := range []string{"/usr", filepath.Join(root, ".tools/faketime/usr")} {
		found, _ := filepath.Glob(filepath.Join(directory, "lib/*/faketime/libfaketimeMT.so.1"))
		if len(found) > 0 && !strings.Contains(found[0], " ") {
			return found[0]
		}
	}
	t.Skip("SKIPPED: needs libfaketime (Debian: libfaketime)")
	return ""
}
