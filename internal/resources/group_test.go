package resources

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheLowestMemoryLimitOfAControlGroupIsFound(t *testing.T) {
	const own = "proc/self/cgroup"
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"nothing is there": {nil, 0},
		"version 2, in a container": {map[string]string{
			own: "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n",
		}, 256 << 20},
		"version 2, the parent's is lower": {map[string]string{
			own: "0::/pods/one\n", "sys/fs/cgroup/pods/one/memory.max": "300\n", "sys/fs/cgroup/pods/memory.max": "200\n", "sys/fs/cgroup/memory.max": "400\n",
		}, 200},
		"version 2, its own is lower": {map[string]string{
			own: "0::/pods/one\n", "sys/fs/cgroup/pods/one/memory.max": "100\n", "sys/fs/cgroup/pods/memory.max": "200\n",
		}, 100},
		"version 2, no limit": {map[string]string{
			own: "0::/one\n", "sys/fs/cgroup/one/memory.max": "max\n",
		}, 0},
		"version 2, the machine's path in a container": {map[string]string{
			own: "0::/kubepods/pod1/abc\n", "sys/fs/cgroup/memory.max": "500\n",
		}, 500},
		"version 2, a path above the mount": {map[string]string{
			own: "0::/../../other\n", "sys/fs/cgroup/memory.max": "500\n", "memory.max": "1\n", "sys/memory.max": "1\n",
		}, 500},
		"version 1": {map[string]string{
			own: "12:cpu,cpuacct:/a\n4:memory:/docker/abc\n", "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "209715200\n",
		}, 200 << 20},
		"version 1, with others at one mount": {map[string]string{
			own: "4:cpuset,memory:/abc\n", "sys/fs/cgroup/memory/abc/memory.limit_in_bytes": "77\n",
		}, 77},
		"version 1, no limit": {map[string]string{
			own: "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, 0},
		"both versions": {map[string]string{
			own: "4:memory:/a\n0::/b\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9\n", "sys/fs/cgroup/b/memory.max": "8\n",
		}, 8},
		"another controller's group": {map[string]string{
			own: "4:memoryless:/a\n3:name=memory:/a\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9\n",
		}, 0},
		"a colon in the path": {map[string]string{
			own: "0::/a:b\n", "sys/fs/cgroup/a:b/memory.max": "9\n",
		}, 9},
		"no sense": {map[string]string{
			own: "\n:\n0\n0::/a\n", "sys/fs/cgroup/a/memory.max": "lots\n", "sys/fs/cgroup/memory.max": "-5\n",
		}, 0},
		"a limit of nothing": {map[string]string{
			own: "0::/a\n", "sys/fs/cgroup/a/memory.max": "0\n",
		}, 0},
		"more than a number holds": {map[string]string{
			own: "0::/a\n", "sys/fs/cgroup/a/memory.max": "99999999999999999999\n",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for path, text := range tt.files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := groupLimit(root); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}
