package limit

import "time"

// OpenAI says that 60 requests per minute may be enforced as 1 per second
// (help.openai.com/en/articles/5955604), and Azure counts requests by the second or by
// ten (learn.microsoft.com, quota management). Such an upstream gives out shares, of
// which what is not used expires. Evenly spread, the last share takes all of its
// second; and where one second holds a request less than its share, that is lost.
const (
	// shareTime is how long a share lasts.
	shareTime = time.Second
	// shareSpread is the time over which a share goes out: all at once would be refused
	// at once, were it not one.
	shareSpread = 200 * time.Millisecond
	// shareLeast is from how many requests per share on it is worth knowing.
	shareLeast = 4
	// shareProof is how many requests' time a wait must be over what refusals may have
	// used up, to come from the end of a share and not from the rate.
	shareProof = 1
	// shareTry is how long refusals may take for shares to be tried after a burst was
	// refused with a wait that is too short to tell: little is on its way then when
	// the refusal comes.
	shareTry = 50 * time.Millisecond
	// shareTrust is which part of a share must have been let through when one is
	// refused: else there are none.
	shareTrust = 0.7
)

// shares is the rhythm of an upstream that gives out a limit by the second. Times are
// offsets from the limiter's start. The zero value is none.
type shares struct {
	on     bool
	counts bool          // refusals are taken off the next share
	phase  time.Duration // when some share begins
	begun  time.Duration // when the one begins that used, base and prior are about
	used   int64         // what went of it
	base   int64         // units that had been admitted before it
	less   int64         // what was taken off it in advance
	prior  int64         // what had been refused in the one before
	owed   int64         // what has been refused since
	wrong  time.Duration // they are not believed before
}

// at returns when the share begins that runs at t.
func (s *shares) at(t time.Duration) time.Duration {
	since := (t - s.phase) % shareTime
	if since < 0 {
		since += shareTime
	}
	return t - since
}

// lost is what a new share lacks of size.
func (s *shares) lost(size int64) int64 {
	if !s.counts {
		return 0
	}
	return min(s.owed, size)
}

// wait returns how long until cost may go of shares of size, 0 for now.
func (s *shares) wait(t time.Duration, cost, size int64) time.Duration {
	begun, used := s.at(t), s.used
	if begun != s.begun {
		used = s.lost(size)
	}
	if used+cost > max(size, cost) {
		return begun + shareTime - t
	}
	return max(0, begun+shareSpread*time.Duration(used)/time.Duration(size)-t)
}

// take counts what goes at t, when taken units have been admitted before.
func (s *shares) take(t time.Duration, cost, size, taken int64) {
	if begun := s.at(t); begun != s.begun {
		s.used = s.lost(size)
		s.begun, s.base, s.less, s.prior, s.owed = begun, taken, s.used, s.owed, s.owed-s.used
		if !s.counts {
			s.owed = 0
		}
	}
	s.used += cost
}

// noShares ends belief in shares for a while.
func (b *bucket) noShares(now time.Time, t time.Duration) {
	b.shares = shares{wrong: t + tightTime}
	b.dry = time.Time{}
	b.set(now, 0)
}

// give takes back what was counted and never sent.
func (s *shares) give(t time.Duration, cost int64) {
	if s.on && s.at(t) == s.begun {
		s.used = max(0, s.used-cost)
	}
}

// left is what has not gone of the share that runs at t.
func (s *shares) left(t time.Duration, size int64) int64 {
	if s.at(t) != s.begun {
		return size - s.lost(size)
	}
	return size - s.used
}

// share is what may go in one share.
func (b *bucket) share() int64 { return max(1, int64(b.speed/pace+rounding)) * milli }

// rhythm takes in a refusal of w that begins an episode, with the wait it named. A
// wait that is longer than the rate explains tells when the next share begins, and one
// that ends a burst may; a refusal amid a share tells that there are none.
func (l *Limiter) rhythm(now time.Time, w *Waiter, b *bucket, hint time.Duration, burst bool) {
	s, t := &b.shares, now.Sub(l.start)
	if s.on {
		through := (w.mark[unitRequest] - 1 - s.base) * milli
		switch {
		case w.admitted < s.begun || through+s.less >= b.share():
		case !s.counts && s.prior > 0 && through+s.prior >= b.share()-milli:
			s.counts = true
		case float64(through) < shareTrust*float64(b.share()):
			b.noShares(now, t)
		}
		return
	}
	rate := b.known()
	if rate < shareLeast || b.window > time.Minute || t < s.wrong || hint > shareTime {
		return
	}
	lost := l.recent.lost(t, unitRequest)
	if hint.Seconds() > float64(lost+shareProof)/rate || burst && hint > 0 && l.latency <= shareTry {
		*s = shares{on: true, phase: t + hint, begun: -shareTime, owed: lost * milli}
	}
}
