package limit

import "time"

// Where one limiter goes on for several, and all of the limit is told to be left but
// spareLeast, it may be used faster for a moment: what is told next then shows whether
// they share it indeed, and at the usual pace it could not, since that uses no more than
// comes in. It costs no refusal where a bucket that fills as fast is full, too. Where the limit
// is given out in shares it does: the rest of each share is told to be left, and is spent. So
// after a refusal it is not tried again for tightTime.
const (
	spareLeast = 2
	spareSpeed = 1.25
	spareHold  = 300 * time.Millisecond
)

// spareAt takes in an answer that says at t that all is left.
func (b *bucket) spareAt(t time.Duration) {
	if t >= b.noSpare {
		b.spare = t + spareHold
	}
}

// spareRefused takes in a refusal at t of what was admitted while more was used than usual, or
// soon after.
func (b *bucket) spareRefused(t, admitted time.Duration) {
	if b.spare > 0 && admitted < b.spare+spareHold {
		b.spare, b.noSpare = 0, t+tightTime
	}
}

// spared is the speed to use at t instead of the usual one, if there is more to use.
func (b *bucket) spared(t time.Duration, usual float64) float64 {
	if t < b.spare && !b.shares.on {
		return spareSpeed * b.known()
	}
	return usual
}
