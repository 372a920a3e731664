package fleet

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRoll_AsksOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r roll
		asked := 0
		ask := func() []Member {
			asked++
			return []Member{{ID: "a"}}
		}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {0, 1}, {rollTime - time.Millisecond, 1}, {time.Millisecond, 2}, {rollTime / 2, 2}} {
			time.Sleep(step.after)
			members := r.read(ask)
			if len(members) != 1 || members[0].ID != "a" {
				t.Errorf("members are %v", members)
			}
			members[0].ID = "b" // a copy
			if asked != step.want {
				t.Errorf("after another %v it asked %d times, not %d", step.after, asked, step.want)
			}
		}
	})
}
