package limit

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

// TestWhateverComesEverybodyGetsTheirTurn plays random loads against random upstreams.
func TestWhateverComesEverybodyGetsTheirTurn(t *testing.T) {
	forSeeds(t, 3*time.Second, func(seed uint64) error {
		c := drawCase(seed, "", "")
		p := c.play()
		if err := cmp.Or(p.gotThrough(), p.inTime(), p.inOrder()); err != nil {
			return fmt.Errorf("%v\n%w", c, err)
		}
		return nil
	})
}
