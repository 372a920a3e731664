package sdk

import (
	"net/http"
	"testing"
)

// What the SDKs make of a stream that is cut is the reason for Outrigger's events:
// without them, a clean cut is a complete answer to all of them.
func TestACutStreamIsATypedError(t *testing.T) {
	for _, fault := range []string{"cut_reset", "cut_close", "cut_clean"} {
		t.Run(fault, func(t *testing.T) {
			eachClient(t, func(t *testing.T, c client) {
				w := c.start(t, troubles{faults: `[{"kind": "` + fault + `", "events": 5}]`}, nil)
				calls := []string{"chat_stream", "responses_stream"}
				for i, o := range c.run(t, w, plan{Calls: calls}) {
					if o.Error == nil {
						t.Errorf("%s: cut, and the client saw %v", calls[i], o.Value)
						continue
					}
					if o.Error.Class != c.streamError {
						t.Errorf("%s: %s %q, want %s", calls[i], o.Error.Class, o.Error.Message, c.streamError)
					}
					if c.streamError == "APIError" && o.Error.Code != "stream_interrupted" {
						t.Errorf("%s: code is %q", calls[i], o.Error.Code)
					}
				}
				equal(t, "a stream that was begun is not repeated", w.called(t), counts{outrigger: 2, upstream: 2, works: 2})
			})
		})
	}
}

func TestAStreamThatBeginsWithAnErrorIsTriedAgain(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[{"kind": "error_event", "events": 0, "attempts": 1}]`}, nil)
		for _, o := range c.run(t, w, plan{Calls: []string{"chat_stream", "responses_stream"}}) {
			if o.Error != nil {
				t.Errorf("%+v", o.Error)
			}
		}
		if got := w.called(t); got.outrigger != 2 || got.upstream != 4 {
			t.Errorf("got %+v, want 2 requests and 4 attempts", got)
		}
	})
}

func TestAStreamThatOnlyEverBeginsWithAnErrorGetsARealStatus(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{faults: `[{"kind": "error_event", "events": 0, "type": "insufficient_quota", "code": "insufficient_quota"}]`}, nil)
		got := c.run(t, w, plan{Calls: []string{"chat_stream"}})[0]
		c.check(t, got, http.StatusTooManyRequests, "insufficient_quota")
		equal(t, "a dead account", w.called(t), counts{outrigger: 1, upstream: 1, works: 1})
	})
}
