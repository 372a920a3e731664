package crowd

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"outrigger/test/process"
)

// cgroup is a control group that bounds a process's memory as a container's limit does.
type cgroup struct {
	t       *testing.T
	path    string
	unified bool // version 2
}

// newCgroup makes a group without swap, or skips the test where nobody may.
func newCgroup(t *testing.T, limit int64) *cgroup {
	t.Helper()
	name := fmt.Sprintf("outrigger-test-%d", os.Getpid())
	c := &cgroup{t: t, path: filepath.Join("/sys/fs/cgroup/memory", name)}
	file := "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		c.path, c.unified, file = filepath.Join("/sys/fs/cgroup", name), true, "memory.max"
	}
	err := os.Mkdir(c.path, 0o755)
	if err == nil {
		t.Cleanup(func() { _ = os.Remove(c.path) }) // the process has ended by then
		err = os.WriteFile(filepath.Join(c.path, file), []byte(strconv.FormatInt(limit, 10)), 0o600)
	}
	if err != nil {
		process.Missing(t, "the manifest's memory limit was NOT tried: needs root and a control group of its own: %v", err)
	}
	swap := "memory.memsw.limit_in_bytes"
	if c.unified {
		swap = "memory.swap.max"
	}
	if os.WriteFile(filepath.Join(c.path, swap), []byte(map[bool]string{true: "0", false: strconv.FormatInt(limit, 10)}[c.unified]), 0o600) != nil {
		t.Logf("swap is not bounded here")
	}
	return c
}

// take moves a process into the group.
func (c *cgroup) take(pid int) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.path, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// kills is how many processes of the group were killed for want of memory.
func (c *cgroup) kills() int {
	c.t.Helper()
	file := "memory.oom_control"
	if c.unified {
		file = "memory.events"
	}
	text, err := os.ReadFile(filepath.Join(c.path, file))
	if err != nil {
		c.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
			kills, err := strconv.Atoi(n)
			if err != nil {
				c.t.Fatal(err)
			}
			return kills
		}
	}
	return 0
}
