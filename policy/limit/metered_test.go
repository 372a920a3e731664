package limit

import (
	"fmt"
	"time"

	simmeter "outrigger/internal/sim/meter"
)

// telling is how much an upstream says of its limits.
type telling string

const (
	tellsAll     telling = "all"                  // headers, and a refusal's numbers and wait
	tellsText    telling = "text"                 // no headers
	tellsHeaders telling = "headers"              // on refusals too, but no numbers and no wait
	tellsSeconds telling = "headers, Retry-After" // the same with a wait in whole seconds
	tellsMilli   telling = "retry-after-ms"       // nothing but that
	tellsRetry   telling = "Retry-After"          // nothing but that
	tellsNothing telling = "nothing"
)

var allTellings = []telling{tellsAll, tellsText, tellsHeaders, tellsSeconds, tellsMilli, tellsRetry, tellsNothing}

// headers reports whether answers have headers.
func (t telling) headers() bool { return t == tellsAll || t == tellsHeaders || t == tellsSeconds }

// metered is the simulator's own meter as an upstream: its decision in the words of a
// telling.
func metered(m *simmeter.Meter, says telling, scale float64) func(time.Time, *Waiter) answer {
	return func(now time.Time, w *Waiter) answer {
		d := m.Take(now, "", "", costOf(w, scale))
		a := answer{ok: d.Admitted}
		if says.headers() {
			a.headers = ParseHeaders(levelHeaders(d), now)
		}
		if d.Admitted {
			return a
		}
		a.refusal.Headers = a.headers
		switch says {
		case tellsAll, tellsText:
			a.refusal.Dimension, a.refusal.Window = d.Dimension.Unit(), d.Dimension.Window()
			a.refusal.Limit, a.refusal.Used, a.refusal.Requested = float64(d.Limit), float64(d.Used), float64(d.Requested)
			a.refusal.Hint = up(d.Wait, time.Millisecond)
		case tellsMilli:
			a.refusal.Hint = up(d.Wait, time.Millisecond)
		case tellsSeconds, tellsRetry:
			a.refusal.Hint = up(d.Wait, time.Second)
		}
		return a
	}
}

// costOf is what w costs upstream, where a real token is scale estimated ones.
func costOf(w *Waiter, scale float64) simmeter.Cost {
	return simmeter.Cost{Tokens: int(float64(w.Tokens) * scale), Images: w.Images}
}

// up rounds d up to a multiple of step.
func up(d, step time.Duration) time.Duration { return (d + step - 1).Truncate(step) }

// levelHeaders are the headers in which OpenAI tells levels: of requests the limit that
// is nearer to its end.
func levelHeaders(d simmeter.Decision) map[string][]string {
	h := map[string][]string{}
	requests, tokens := d.Levels[simmeter.RequestsPerMinute], d.Levels[simmeter.TokensPerMinute]
	if day := d.Levels[simmeter.RequestsPerDay]; requests.Limit == 0 || day.Limit > 0 && day.Remaining < requests.Remaining {
		requests = day
	}
	for unit, l := range map[string]simmeter.Level{"Requests": requests, "Tokens": tokens} {
		if l.Limit > 0 {
			h["X-Ratelimit-Limit-"+unit] = []string{fmt.Sprint(l.Limit)}
			h["X-Ratelimit-Remaining-"+unit] = []string{fmt.Sprint(l.Remaining)}
			h["X-Ratelimit-Reset-"+unit] = []string{up(l.Reset, time.Millisecond).String()}
		}
	}
	return h
}
