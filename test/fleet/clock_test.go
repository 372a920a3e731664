package fleet

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"outrigger/test/process"
)

// TestRedis_ClockThatJumpsFailsNoRequest sets the clock of Redis, which is the fleet's.
func TestRedis_ClockThatJumpsFailsNoRequest(t *testing.T) {
	library := jumping(t)
	for name, by := range map[string]time.Duration{
		"an hour on": time.Hour, "an hour back": -time.Hour, "two seconds on": 2 * time.Second, "two seconds back": -2 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			offset := filepath.Join(t.TempDir(), "offset")
			if err := os.WriteFile(offset, make([]byte, 8), 0o600); err != nil {
				t.Fatal(err)
			}
			trouble{
				lasts:   5 * time.Second,
				begin:   func(t *testing.T, g *rig) func() { t.Helper(); g.redis.jump(t, offset, by); return func() {} },
				preload: []string{"LD_PRELOAD=" + library, "OFFSET_FILE=" + offset},
			}.play(t)
		})
	}
}

// jump sets the server's clock by what the file with its offset says from now on.
func (r *redis) jump(t *testing.T, offset string, by time.Duration) {
	t.Helper()
	client := r.client(t)
	was, began := client.Time(t.Context()).Val(), time.Now()
	f, err := os.OpenFile(offset, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := binary.Write(f, binary.NativeEndian, int64(by)); err != nil {
		t.Fatal(err)
	}
	is := client.Time(t.Context()).Val()
	t.Logf("the clock of Redis went from %v to %v", was.Format(time.TimeOnly), is.Format(time.TimeOnly))
	if jumped := is.Sub(was) - time.Since(began); (jumped - by).Abs() > time.Second {
		t.Errorf("the clock of Redis went by %v, want %v", jumped, by)
	}
}

// jumping builds the library with which a server's clock can be set, and returns its path.
func jumping(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jump.so")
	compiler, err := exec.LookPath("cc")
	if err != nil {
		process.Missing(t, "needs a C compiler, to set the clock of a server")
	}
	source := filepath.Join("testdata", "jump.c")
	if output, err := exec.CommandContext(t.Context(), compiler, "-shared", "-fPIC", "-o", path, source).CombinedOutput(); err != nil {
		process.Missing(t, "needs a C compiler and its headers for Linux, to set the clock of a server: %v\n%s", err, output)
	}
	return path
}
