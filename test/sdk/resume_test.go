package sdk

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// backgroundClient is the client that knows background streams, by its way to call.
func backgroundClient(way way) client {
	c := clients["python"]
	c.way = way
	return c
}

func TestABackgroundStreamThatIsCutIsWholeToTheClient(t *testing.T) {
	for _, way := range []way{byBaseURL, byProxy} {
		t.Run(string(way), func(t *testing.T) {
			c := backgroundClient(way)
			var rules, calls []string
			for _, kind := range []string{"cut_reset", "cut_close", "cut_clean"} {
				for events := 1; events < 24; events++ { // each strikes one call, in this order
					rules = append(rules, fmt.Sprintf(`{"kind": %q, "events": %d, "bytes": %d, "method": "POST", "first": 1}`, kind, events, events%2*(20+events)))
				}
			}
			for range len(rules) + 1 { // the last one is not cut
				calls = append(calls, "responses_background")
			}
			w := c.start(t, troubles{faults: "[" + strings.Join(rules, ",") + "]"}, nil)
			got := c.run(t, w, plan{Calls: calls})
			want := got[len(got)-1]
			if want.Error != nil || want.Value["last"] != "response.completed" {
				t.Fatalf("without a cut: %+v %+v", want.Value, want.Error)
			}
			for i, o := range got {
				if o.Error != nil || !reflect.DeepEqual(o.Value, want.Value) {
					t.Errorf("%s: got %+v %+v", append(rules, "none")[i], o.Value, o.Error)
				}
			}
			if resumed := w.metric(t, "outrigger_stream_resumes_total"); int(resumed) != len(rules) {
				t.Errorf("%v resumes for %d cuts", resumed, len(rules))
			}
		})
	}
}

func TestARefusedResumeIsATypedErrorThatSaysSo(t *testing.T) {
	c := backgroundClient(byBaseURL)
	w := c.start(t, troubles{faults: `[{"kind": "cut_reset", "events": 6, "method": "POST"}, {"kind": "status", "status": 404, "method": "GET"}]`}, nil)
	o := c.run(t, w, plan{Calls: []string{"responses_background"}})[0]
	if o.Error == nil || o.Error.Class != c.streamError || o.Error.Code != "stream_interrupted" || !strings.Contains(o.Error.Message, "would not resume it after event 5: it answered 404") {
		t.Errorf("got %+v %+v", o.Value, o.Error)
	}
	var statuses []int
	for _, e := range w.ledger(t) {
		statuses = append(statuses, e.Status)
	}
	if !slices.Equal(statuses, []int{200, 404, 404}) {
		t.Errorf("the upstream answered %v", statuses)
	}
}

func TestAStreamThatIsNotInTheBackgroundIsNotResumed(t *testing.T) {
	c := backgroundClient(byBaseURL)
	w := c.start(t, troubles{faults: `[{"kind": "cut_reset", "events": 6}]`}, nil)
	o := c.run(t, w, plan{Calls: []string{"responses_stream"}})[0]
	if o.Error == nil || len(w.ledger(t)) != 1 {
		t.Errorf("got %+v, %d calls", o.Value, len(w.ledger(t)))
	}
}
