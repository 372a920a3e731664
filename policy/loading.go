package policy

import "time"

const (
	// loadingPause is the time between two calls that ask whether a model is ready, and
	// loadingJitter what is added at most: many sidecars may wait for one server.
	loadingPause  = time.Second
	loadingJitter = 250 * time.Millisecond
	// loadingTrust is the longest time for which an estimate is believed without asking.
	// Hugging Face says 20 s as a rule.
	loadingTrust = 20 * time.Second
	// loadingSilent is for how long after its time nobody needs to have been told again for
	// the model to count as ready: servers that load say so at once.
	loadingSilent = 10 * time.Second
	// loadingMixed is for how long a success shows that the model is ready somewhere: behind a
	// load balancer one server may load it while another answers.
	loadingMixed = 2 * time.Second
	// mixedPause is the wait of one who was told so then: another server is likely to answer it.
	mixedPause = 250 * time.Millisecond
)

// Loading is a model that is being made ready, for all who wait for it. The zero value is one
// that is not. It is up to the caller to lock it.
type Loading struct {
	since  time.Time // the first answer that said so; zero when the model is not loading
	ready  time.Time // when it should be ready, by the earliest estimate; zero without one
	next   time.Time // when the next one may ask
	silent time.Time // from then on it counts as ready
	passed time.Time // the latest success
}

// Told takes in an answer that says that the model is being loaded, with the wait that it
// names, 0 if none; rand is in [0, 1). It returns when the one who was told may ask again.
func (l *Loading) Told(now time.Time, estimate time.Duration, rand float64) time.Time {
	if !l.Lasts(now) {
		*l = Loading{since: now, passed: l.passed}
	}
	if at := now.Add(estimate); estimate > 0 && (l.ready.IsZero() || at.Before(l.ready)) {
		l.ready = at
	}
	pause := max(loadingPause, min(l.ready.Sub(now), loadingTrust))
	l.next = now.Add(pause + time.Duration(rand*float64(loadingJitter)))
	l.silent = l.next.Add(loadingSilent)
	if now.Sub(l.passed) < loadingMixed {
		return now.Add(mixedPause + time.Duration(rand*float64(loadingJitter)))
	}
	return l.next
}

// Lasts reports whether the model is still said to be loading.
func (l *Loading) Lasts(now time.Time) bool { return !l.since.IsZero() && now.Before(l.silent) }

// Turn returns how long the caller is to wait before it asks for a turn again; own is when it
// may ask again by what it was told itself, zero if it was told nothing. At 0 it may call:
// the model is not loading, or it is the one to ask.
func (l *Loading) Turn(now, own time.Time, rand float64) time.Duration {
	if !l.Lasts(now) {
		return 0
	}
	if now.Sub(l.passed) < loadingMixed {
		return max(own.Sub(now), 0)
	}
	if wait := l.next.Sub(now); wait > 0 {
		return wait
	}
	l.next = now.Add(loadingPause + time.Duration(rand*float64(loadingJitter)))
	return 0
}

// Answered takes in an answer for the model that says something else, and reports whether
// the model was loading.
func (l *Loading) Answered(now time.Time) bool {
	was := !l.since.IsZero()
	*l = Loading{passed: now}
	return was
}
