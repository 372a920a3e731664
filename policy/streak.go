package policy

import "time"

// What it takes to believe that refusals will not clear.
const (
	// streakTime is how long everything must have been refused. A limit by the minute that
	// others use up clears within a minute (fixed windows: Gemini, Azure), so it is longer.
	streakTime = 75 * time.Second
	// streakLeast is the least number of refusals, no two of them counted within
	// streakSpace: a burst that is refused at once says no more than one call. The limiter
	// asks about every 30 s by then.
	streakLeast = 5
	streakSpace = time.Second
	// longTime and longLeast are the same for refusals that name a wait which nobody will
	// wait for, such as a day: the limiter asks about once a minute then.
	longTime  = 55 * time.Second
	longLeast = 2
	// waitsInVain is how many times the longest named wait must have passed.
	waitsInVain = 10
	// streakGap is the longest time between two refusals of one streak: what was refused
	// before says nothing any more.
	streakGap = 5 * time.Minute
	// suspectLeast is the number of refusals from which on they are the likelier reason for
	// a wait that did not end than a limit.
	suspectLeast = 3
)

// Streak is a run of refusals of one credential and model without a success. The zero
// value is none. It is up to the caller to lock it.
type Streak struct {
	since, last time.Time     // the first and the latest refusal
	counted     time.Time     // the latest that was counted
	count       int           // refusals, no two within streakSpace
	short       bool          // one of them named no wait, or one that is waited for
	longest     time.Duration // of the waits that are waited for
}

// Refused takes in a refusal that names the wait d, 0 if none. Long says that the wait is
// longer than any caller's patience.
func (s *Streak) Refused(now time.Time, d time.Duration, long bool) {
	if s.count == 0 || now.Sub(s.last) > streakGap {
		*s = Streak{since: now}
	}
	s.last = now
	if !long {
		s.short, s.longest = true, max(s.longest, d)
	}
	if s.count == 0 || now.Sub(s.counted) >= streakSpace {
		s.count++
		s.counted = now
	}
}

// Succeeded takes in a success of a request that was sent at the given time: it ends the
// streak unless the request went out before it began.
func (s *Streak) Succeeded(sent time.Time) {
	if !sent.Before(s.since) {
		*s = Streak{}
	}
}

// Lasts reports whether the refusals are not likely to clear while anybody waits.
func (s *Streak) Lasts() bool {
	lasted := s.last.Sub(s.since)
	if !s.short {
		return s.count >= longLeast && lasted >= longTime
	}
	return s.count >= streakLeast && lasted >= max(streakTime, waitsInVain*s.longest)
}

// Suspect reports whether a request that waited in vain should be told of the refusals
// rather than of a limit.
func (s *Streak) Suspect(now time.Time) bool {
	return s.count >= suspectLeast && now.Sub(s.last) <= streakGap
}

// MayGoOn reports whether the next refusal would belong to the streak.
func (s *Streak) MayGoOn(now time.Time) bool { return s.count > 0 && now.Sub(s.last) <= streakGap }

// Since returns when the streak began and how many refusals of it were counted; a zero time if
// there is none.
func (s *Streak) Since() (time.Time, int) { return s.since, s.count }
