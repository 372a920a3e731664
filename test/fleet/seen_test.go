package fleet

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"outrigger/internal/sim/ledger"
)

// seen is what the upstream saw, oldest first.
type seen []ledger.Entry

// seen returns what the upstream saw of a load; the empty label is everything.
func (g *rig) seen(label string) seen {
	var all seen
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		if label == "" || strings.Contains(e.Request, "/"+label+"/") {
			all = append(all, e)
		}
	}
	return all
}

// between keeps what came in [from, to).
func (s seen) between(from, to time.Time) seen {
	return s.of(func(e ledger.Entry) bool { return !e.Time.Before(from) && e.Time.Before(to) })
}

func (s seen) of(chosen func(ledger.Entry) bool) seen {
	var part seen
	for _, e := range s {
		if chosen(e) {
			part = append(part, e)
		}
	}
	return part
}

// served keeps what was carried out, refused what was answered with 429.
func (s seen) served() seen { return s.of(func(e ledger.Entry) bool { return e.Work }) }

func (s seen) refused() seen {
	return s.of(func(e ledger.Entry) bool { return e.Status == http.StatusTooManyRequests })
}

// refusedShare is the share of all that was refused, in percent.
func (s seen) refusedShare() float64 {
	return 100 * float64(len(s.refused())) / max(1, float64(len(s)))
}

// rate is how many were carried out per second of [from, to).
func (s seen) rate(from, to time.Time) float64 {
	return float64(len(s.between(from, to).served())) / to.Sub(from).Seconds()
}

// line is how many were carried out in each second from a time on.
func (s seen) line(from time.Time, seconds int) string {
	counts := make([]int, seconds)
	for _, e := range s.served() {
		if i := int(e.Time.Sub(from) / time.Second); !e.Time.Before(from) && i < seconds {
			counts[i]++
		}
	}
	return fmt.Sprint(counts)
}

// bare makes an upstream that tells nothing of its limits but a refusal in two words,
// with a Retry-After in whole seconds.
func bare(upstream http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		upstream.ServeHTTP(recorder, r)
		header, body := recorder.Result().Header, recorder.Body.Bytes()
		for name := range header {
			if strings.HasPrefix(name, "X-Ratelimit-") || name == "Retry-After-Ms" {
				header.Del(name)
			}
		}
		if recorder.Code == http.StatusTooManyRequests {
			header.Del("Content-Length")
			body = []byte(`{"error":{"message":"Too Many Requests"}}`)
		}
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(body)
	})
}
