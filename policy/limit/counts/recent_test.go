package counts

import (
	"math"
	"testing"
	"time"
)

func TestWhatWasSentLatelyIsCounted(t *testing.T) {
	var r Recent
	for i := range 20 { // one each 100 ms, of ten tokens
		r.Add(time.Duration(i)*100*time.Millisecond, [Units]int64{1, 10})
	}
	now := 1900 * time.Millisecond
	for over, want := range map[time.Duration]int64{250 * time.Millisecond: 2, time.Second: 10, 2 * time.Second: 20, time.Hour: 20} {
		if got := r.Sum(now, Requests, over); got != want {
			t.Errorf("%d requests in %v, want %d", got, over, want)
		}
		if got := r.Sum(now, 1, over); got != 10*want {
			t.Errorf("%d tokens in %v, want %d", got, over, 10*want)
		}
	}
	for range 5 {
		r.Refuse(now, [Units]int64{1, 10})
	}
	if got := r.Passed(now, 1); got != 150 {
		t.Errorf("%d tokens passed, want 150", got)
	}
	if got := r.Passed(now+RecentTime, 1); got != 0 {
		t.Errorf("%d tokens passed, want none any more", got)
	}
}

func TestAnAverageFollowsARate(t *testing.T) {
	var a Average
	if got := a.Value(time.Hour, time.Minute); got != 0 {
		t.Errorf("%v of nothing, want 0", got)
	}
	now := time.Duration(0)
	for range 3000 { // ten minutes at 5 per second
		a.Add(now, time.Minute)
		now += 200 * time.Millisecond
		if now == 10*time.Second {
			if got := a.Value(now, time.Minute); math.Abs(got-5) > 0.6 {
				t.Errorf("%.2f per second after ten seconds, want about 5", got)
			}
		}
	}
	if got := a.Value(now, time.Minute); math.Abs(got-5) > 0.1 {
		t.Errorf("%.2f per second, want 5", got)
	}
	if got, want := a.Value(now+time.Minute, time.Minute), 5/math.E; math.Abs(got-want) > 0.1 {
		t.Errorf("%.2f per second a minute later, want %.2f", got, want)
	}
}
