package limit

import (
	"reflect"
	"testing"
	"time"
)

func TestNews_AreWhatIsLearnedChangedAndForgotten(t *testing.T) {
	l := New(Settings{RPM: 6000, Learn: true}, origin)
	want := func(when string, d time.Duration, want ...News) {
		t.Helper()
		if got := l.News(at(d)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", when, got, want)
		}
	}
	want("what is configured", 0)
	tokens := func(d time.Duration, limit string) {
		l.answer(t, d, &Waiter{Tokens: 10}, limits("Tokens", limit, "50000", "1.000s"))
	}
	tokens(0, "60000")
	want("learned", 0, News{"tokens", 60000, 0, time.Minute, SourceHeader})
	want("nothing new", 0)
	tokens(time.Second, "63000")
	want("a twentieth more", time.Second)
	tokens(2*time.Second, "66000")
	want("a tenth more in all", 2*time.Second, News{"tokens", 66000, 60000, time.Minute, SourceHeader})
	l.answer(t, 3*time.Second, &Waiter{}, limits("Requests", "60", "50", "10.0s"))
	want("tighter than configured", 3*time.Second, News{"requests", 60, 6000, time.Minute, SourceHeader})
	l.Configure(at(4*time.Second), Settings{RPM: 6000})
	want("learning switched off", 4*time.Second,
		News{"requests", 6000, 60, time.Minute, SourceConfigured}, News{Dimension: "tokens", Before: 66000, Window: time.Minute})
	if n := testing.AllocsPerRun(100, func() { l.News(at(5 * time.Second)) }); n > 0 {
		t.Errorf("no news allocate %v times", n)
	}
}
