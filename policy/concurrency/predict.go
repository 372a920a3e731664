package concurrency

import "time"

const (
	// pastWeight is what a mean keeps of its past at each sample: it follows the last 16.
	pastWeight = 15.0 / 16
	// samplesLeast is how many samples a mean needs to be used.
	samplesLeast = 8
)

// mean is an exponentially weighted mean of durations. The zero value has no samples.
type mean struct {
	value   float64 // in seconds
	samples int
}

func (m *mean) add(d time.Duration) {
	m.samples++
	past := min(pastWeight, 1-1/float64(m.samples)) // the plain mean of the first ones
	m.value = past*m.value + (1-past)*d.Seconds()
}

// Answered tells that the answer to c has begun. It is for Predict alone.
func (l *Limiter) Answered(now time.Time, c *Call) {
	if c.running && !c.answered {
		c.answered = true
		l.first.add(now.Sub(c.sent))
	}
}

// Predict returns how long a call is going to wait behind ahead others while places run at
// once, and how long it then takes until its answer begins: means of the latest calls. It
// returns false while too few have been seen to tell.
//
// Calls of language models differ widely in length, but in a queue of many the lengths
// average out, and it is the mean that says how soon a place is free.
func (l *Limiter) Predict(ahead, places int) (wait, answer time.Duration, known bool) { //nolint:nonamedreturns // they are of one type
	if l.whole.samples < samplesLeast || places < 1 {
		return 0, 0, false
	}
	wait = seconds(float64(ahead) * l.whole.value / float64(places))
	if l.first.samples >= samplesLeast {
		answer = seconds(l.first.value)
	}
	return wait, answer, true
}

// seconds returns s as a duration, at most a day.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 24*60*60) * float64(time.Second))
}
