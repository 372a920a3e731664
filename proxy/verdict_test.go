package proxy

import (
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"outrigger/policy/verdict"
	"outrigger/proxy/recent"
)

// TestStatus_SaysWhatIsTheMatter takes an upstream through an exhausted quota, and reads what
// the status page shows of it.
func TestStatus_SaysWhatIsTheMatter(t *testing.T) {
	t.Parallel()
	g := newRig(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`)
	})
	if got := g.status().Verdict; got.Level != verdict.OK || got.Lines[0].Text != "ready; no request has come yet" {
		t.Errorf("at the start: %+v", got)
	}
	for range 3 {
		g.ask(g.plain())
	}
	s := g.status()
	words := s.Verdict.Lines[0].Words(time.Now())
	if want := regexp.MustCompile(`^openai: quota exhausted for credential [0-9a-f]{4}…, since \d\d:\d\d; next probe in (59 s|1 min)$`); !want.MatchString(words) || len(s.Verdict.Lines) != 1 {
		t.Errorf("got %q, of %+v", words, s.Verdict)
	}
	trip := s.Upstreams[0].Trips[0]
	if trip.Outcome != "quota" || time.Since(trip.First) > time.Minute || trip.Until.Sub(trip.First) != time.Minute {
		t.Errorf("got %+v", trip)
	}
	if s.Totals.Requests != 3 || s.Totals.Saved != (recent.Saved{CallsNotMade: 2}) {
		t.Errorf("got %+v", s.Totals)
	}
	all := g.proxy.Recent().After(0)
	if len(all) != 3 || all[0].Credential != trip.Credential || all[2].Credential != trip.Credential || all[0].Spans[0].Rule == "" || all[2].Source != "tripped" {
		t.Errorf("got %+v", all)
	}
}
