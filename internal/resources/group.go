package resources

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// unlimited is above every real limit and below what version 1 of control groups shows for
// none, the greatest number of whole pages.
const unlimited = 1 << 60

// groupLimit returns the lowest memory limit of the process's control group and those
// above it, in bytes, or 0. root is / but in tests. See the kernel's cgroup-v2 and
// cgroup-v1/memory documents.
func groupLimit(root string) int64 {
	list, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	lowest := int64(0)
	for line := range strings.Lines(string(list)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch controllers := strings.Split(parts[1], ","); {
		case parts[0] == "0" && parts[1] == "":
			lowest = lower(lowest, limitAbove(filepath.Join(root, "sys/fs/cgroup"), parts[2], "memory.max"))
		case slices.Contains(controllers, "memory"):
			lowest = lower(lowest, limitAbove(filepath.Join(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes"))
		}
	}
	return lowest
}

// limitAbove returns the lowest limit in the files called name from group up to mount. In
// a container the group's path may be the machine's, which is not there: then mount's own counts.
func limitAbove(mount, group, name string) int64 {
	lowest := int64(0)
	for at := path.Clean("/" + group); ; at = path.Dir(at) {
		text, err := os.ReadFile(filepath.Join(mount, at, name))
		if n, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && bad == nil && n > 0 && n < unlimited {
			lowest = lower(lowest, n)
		}
		if at == "/" {
			return lowest
		}
	}
}

// lower returns the lower of two limits, of which 0 is none.
func lower(a, b int64) int64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
