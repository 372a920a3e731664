package concurrency

import "time"

const (
	// pastWeight is what a mean keeps of its past at each sample: it follows the last 16.
	pastWeight = 15.0 / 16
	// samplesLeast is how many samples a mean needs to be used.
	samplesLeast = 8
)

// Mean is an exponentially weighted mean of durations. The zero value has no samples. Not
// safe for concurrent use.
type Mean struct {
	value   float64 // in seconds
	samples int
}

// Add takes in a sample.
func (m *Mean) Add(d time.Duration) {
	m.samples++
	past := min(pastWeight, 1-1/float64(m.samples)) // the plain mean of the first ones
	m.value = past*m.value + (1-past)*d.Seconds()
}

// Value returns the mean, or false while there are too few samples to tell.
func (m *Mean) Value() (time.Duration, bool) { return seconds(m.value), m.samples >= samplesLeast }

// Lasts returns how long calls last, or false while too few have been seen to tell.
func (l *Limiter) Lasts() (time.Duration, bool) { return l.whole.Value() }

// Predict returns how long a call is going to wait behind ahead others while places run at
// once, or false while too few calls have been seen to tell.
//
// Calls of language models differ widely in length, but in a queue of many the lengths
// average out, and it is the mean that says how soon a place is free.
func (l *Limiter) Predict(ahead, places int) (time.Duration, bool) {
	if l.whole.samples < samplesLeast || places < 1 {
		return 0, false
	}
	return seconds(float64(ahead) * l.whole.value / float64(places)), true
}

// seconds returns s as a duration, at most a day.
func seconds(s float64) time.Duration {
	return time.Duration(min(s, 24*60*60) * float64(time.Second))
}
