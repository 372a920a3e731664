package loop

import "time"

// StreamIdle is how long the answer to the caller may be silent; 0 is no bound.
func (x *Run) StreamIdle() time.Duration { return x.Patience.StreamIdle(x.Silent) }
