package limit

import (
	"reflect"
	"testing"
	"time"
)

// bucketsOf returns what is known of each limit.
func bucketsOf(l *Limiter, d time.Duration) map[string]Bucket {
	all := map[string]Bucket{}
	for _, b := range l.Snapshot(at(d)).Buckets {
		b.Remaining, b.Rate = 0, 0
		all[b.Dimension] = b
	}
	return all
}

func bucketOf(dimension string, limit float64, source Source) Bucket {
	return Bucket{Dimension: dimension, Limit: limit, Window: time.Minute, Source: source}
}

func TestConfigure_KeepsWhatStillHolds(t *testing.T) {
	tokens := bucketOf("tokens", 60000, SourceHeader)
	for name, tt := range map[string]struct {
		before, after Settings
		header        string // limit on requests that the upstream told before; "" is none
		want          map[string]Bucket
	}{
		"raised":            {Settings{RPM: 600, Learn: true}, Settings{RPM: 1200, Learn: true}, "", map[string]Bucket{"requests": bucketOf("requests", 1200, SourceConfigured), "tokens": tokens}},
		"a little":          {Settings{RPM: 1000, Learn: true}, Settings{RPM: 1001, Learn: true}, "", map[string]Bucket{"requests": bucketOf("requests", 1001, SourceConfigured), "tokens": tokens}},
		"lowered":           {Settings{RPM: 600, Learn: true}, Settings{RPM: 60, Learn: true}, "", map[string]Bucket{"requests": bucketOf("requests", 60, SourceConfigured), "tokens": tokens}},
		"set":               {Settings{Learn: true}, Settings{RPM: 60, Learn: true}, "", map[string]Bucket{"requests": bucketOf("requests", 60, SourceConfigured), "tokens": tokens}},
		"unset":             {Settings{RPM: 60, Learn: true}, Settings{Learn: true}, "", map[string]Bucket{"tokens": tokens}},
		"a tighter is told": {Settings{RPM: 6000, Learn: true}, Settings{RPM: 7000, Learn: true}, "600", map[string]Bucket{"requests": bucketOf("requests", 600, SourceHeader), "tokens": tokens}},
		"tighter than told": {Settings{Learn: true}, Settings{RPM: 60, Learn: true}, "600", map[string]Bucket{"requests": bucketOf("requests", 60, SourceConfigured), "tokens": tokens}},
		"unset beside told": {Settings{RPM: 6000, Learn: true}, Settings{Learn: true}, "600", map[string]Bucket{"requests": bucketOf("requests", 600, SourceHeader), "tokens": tokens}},
		"tokens set":        {Settings{RPM: 600, Learn: true}, Settings{RPM: 600, TPM: 6000, Learn: true}, "", map[string]Bucket{"requests": bucketOf("requests", 600, SourceConfigured), "tokens": bucketOf("tokens", 6000, SourceConfigured)}},
		"learning off":      {Settings{RPM: 6000, Learn: true}, Settings{RPM: 6000}, "600", map[string]Bucket{"requests": bucketOf("requests", 6000, SourceConfigured)}},
		"another setting":   {Settings{RPM: 600, Learn: true}, Settings{RPM: 600, Learn: true, QueueMax: 5}, "", map[string]Bucket{"requests": bucketOf("requests", 600, SourceConfigured), "tokens": tokens}},
	} {
		t.Run(name, func(t *testing.T) {
			l := New(tt.before, origin)
			h := limits("Tokens", "60000", "59000", "1.000s")
			if tt.header != "" {
				for name, value := range limits("Requests", tt.header, "599", "100ms") {
					h[name] = value
				}
			}
			l.answer(t, 0, &Waiter{Tokens: 1000}, h)
			l.Configure(at(time.Second), tt.after)
			if got := bucketsOf(l, time.Second); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// Those who wait keep their place, and go at the new rate.
func TestConfigure_ThoseWhoWaitGoAtTheNewRate(t *testing.T) {
	l := New(Settings{RPM: 60}, origin)
	for range 21 {
		l.Enter(at(0), &Waiter{})
	}
	admits(l, 0)
	l.Configure(at(0), Settings{RPM: 600})
	for d := time.Duration(0); d <= 1200*time.Millisecond; d += 10 * time.Millisecond {
		admits(l, d)
	}
	if left := l.Snapshot(at(1200 * time.Millisecond)).Queue; left < 7 || left > 10 {
		t.Errorf("%d still wait after 1.2 s at 600 a minute", left)
	}
	l.Configure(at(1200*time.Millisecond), Settings{})
	for d := 1200 * time.Millisecond; d <= 4*time.Second; d += 10 * time.Millisecond {
		admits(l, d)
	}
	if left := l.Snapshot(at(4 * time.Second)).Queue; left > 0 {
		t.Errorf("%d still wait without a limit", left)
	}
}

// One of several processes keeps its part of a limit while they are apart, and goes on leasing.
func TestConfigure_KeepsThePartOfALimitThatIsShared(t *testing.T) {
	l := New(Settings{RPM: 600}, origin)
	l.Share()
	l.Apart(at(0), 3, false)
	l.Configure(at(0), Settings{RPM: 1200, TPM: 6000})
	for s, perMinute := range map[slot]float64{slotRequests: 1200, slotTokens: 6000} {
		b := l.at(s)
		if want := pace * perMinute / 60 / 3; b.parts != 3 || b.speed < 0.99*want || b.speed > 1.01*want {
			t.Errorf("%v: %v parts, %v per second, want %v", s, b.parts, b.speed, want)
		}
	}
	l.Apart(at(time.Second), 0, false)
	l.Configure(at(time.Second), Settings{RPM: 60})
	if !l.Shares() || l.at(slotRequests).parts != 0 || !l.leases() {
		t.Error("it leases no more")
	}
}
