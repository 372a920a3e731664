package limit

import (
	"math"
	"testing"
	"time"
)

// FuzzParseHeaders: no header makes a value that is not a sensible number, nor a
// limiter that is broken by it.
func FuzzParseHeaders(f *testing.F) {
	for _, seed := range [][3]string{
		{"60", "59", "1s"},
		{"150000", "149984", "6m0s"},
		{"14400", "14370", "2m59.56s"},
		{"-1", "-1", "0"},
		{"100, 100;w=60", "50", "30"},
		{"20", "0", "1788264030000"},
		{"5", "0", "2026-09-01T12:00:30Z"},
		{"NaN", "1e400", "1d2h3.5s"},
		{"0x10", "+5", "1e9s"},
		{"9007199254740993", "1e12", "99999999h"},
		{"0", "0", "7000000"},
		{`"api";r=0;t=55`, `"fixed window";"api";q=500;w=300`, "55"},
		{"limit=10, remaining=3, reset=50", "10;w=60, 1000;w=3600", "Tue, 01 Sep 2026 12:10:00 GMT"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, limit, remaining, reset string) {
		h := map[string][]string{}
		for _, what := range []string{"Requests", "Tokens", "Project-Tokens", "Requests-Day"} {
			h["X-Ratelimit-Limit-"+what] = []string{limit}
			h["X-Ratelimit-Remaining-"+what] = []string{remaining}
			h["X-Ratelimit-Reset-"+what] = []string{reset}
		}
		h["Anthropic-Ratelimit-Input-Tokens-Limit"] = []string{limit}
		h["Anthropic-Ratelimit-Input-Tokens-Reset"] = []string{reset}
		h["X-Ratelimit-Reset"] = []string{reset}
		h["Ratelimit"] = []string{limit, `"a";r=` + remaining + `;t=` + reset}
		h["Ratelimit-Policy"] = []string{remaining, `"a";q=` + limit + `;w=60;qu="tokens"`}
		h["Date"] = []string{reset}
		p := ParseHeaders(h, origin)
		if p.Reset < 0 || p.Reset > maxReset {
			t.Fatalf("a reset of %v", p.Reset)
		}
		for _, r := range p.Readings {
			for _, n := range []float64{r.Limit, r.Remaining} {
				if math.IsNaN(n) || n != -1 && (n < 0 || n > maxUnits) {
					t.Fatalf("a number of %v in %+v", n, r)
				}
			}
			if r.Reset < -1 || r.Reset > maxReset || r.Resolution < 0 {
				t.Fatalf("a reset in %+v", r)
			}
		}
		l := New(learning, origin)
		w := &Waiter{Tokens: 100}
		l.Enter(origin, w)
		l.Answered(at(time.Millisecond), w, p)
		check(t, l, []*Waiter{w}, at(time.Millisecond))
		survives(t, l, w, at(time.Second))
	})
}

// FuzzRefused: no refusal breaks a limiter or holds it for longer than a minute, but
// one whose arithmetic proves a limit.
func FuzzRefused(f *testing.F) {
	f.Add(int64(time.Second), false, "requests", 60.0, 60.0, 1.0, int64(time.Minute), false)
	f.Add(int64(1728*time.Second), false, "requests", 50.0, 50.0, 1.0, int64(day), false)
	f.Add(int64(day), false, "", 0.0, 0.0, 0.0, int64(0), false)
	f.Add(int64(11054*time.Millisecond), false, "tokens", 30000.0, 22999.0, 12528.0, int64(time.Minute), false)
	f.Add(int64(50597142857), false, "tokens", 7000.0, 0.0, 12903.0, int64(time.Minute), false)
	f.Add(int64(-1), true, "images", 25.0, 27.0, 0.0, int64(5*time.Minute), false)
	f.Add(int64(0), false, "concurrency", math.NaN(), math.Inf(1), -1.0, int64(-1), false)
	f.Add(int64(math.MaxInt64), false, "input_tokens", 1e300, 5e-324, 1e12, int64(1), true)
	f.Fuzz(func(t *testing.T, hint int64, hintFalse bool, dimension string, limit, used, requested float64, window int64, slowDown bool) {
		r := Refusal{
			Hint: time.Duration(hint), HintFalse: hintFalse, Dimension: dimension, Limit: limit, Used: used,
			Requested: requested, Window: time.Duration(window), SlowDown: slowDown,
		}
		l := New(learning, origin)
		w := &Waiter{Tokens: 100, Images: 1}
		l.Enter(origin, w)
		l.Sent(origin, w)
		now := at(time.Millisecond)
		d := l.Refused(now, w, r)
		check(t, l, []*Waiter{w}, now)
		if d.Wait < 0 {
			t.Fatalf("a wait of %v", d.Wait)
		}
		clean, _ := r.clean()
		if d.Reason == Queued && clean.proof() == 0 && clean.plain() == 0 && d.Wait > maxHint+2*time.Second {
			t.Fatalf("%+v holds for %v", r, d.Wait)
		}
		survives(t, l, w, now)
	})
}

// survives sends a few requests through a limiter, however long it makes them wait.
func survives(t *testing.T, l *Limiter, w *Waiter, now time.Time) {
	t.Helper()
	ws := []*Waiter{w, {}, {Tokens: 1}, {Tokens: 50, Images: 1}}
	for _, w := range ws[1:] {
		l.Enter(now, w)
	}
	for range 50 {
		next := l.Release(now, func(*Waiter) {})
		check(t, l, ws, now)
		if next.IsZero() {
			return
		}
		if !next.After(now) {
			t.Fatalf("Release wants to be called at %v, at %v", next, now)
		}
		now = next
	}
}
