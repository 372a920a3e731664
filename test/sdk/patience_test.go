package sdk

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An outage that a client survives alone it survives behind Outrigger.
func TestPatientClientsSurviveWhatTheySurviveAlone(t *testing.T) {
	eight := func(o other) func(*testing.T, string) report {
		return func(t *testing.T, base string) report { return o.call(t, base, "8") }
	}
	tests := map[string]struct {
		call    func(t *testing.T, base string) report
		seconds float64 // of the outage
		reset   bool
		least   float64 // share of a wait that the client's jitter leaves
	}{
		"openai for Node with 8 retries":      {eight(openaiNode), 15, false, 0.75},
		"anthropic for Node with 8 retries":   {eight(anthropicNode), 15, false, 0.75},
		"openai for Python with 8 retries":    {eight(openaiPython), 15, false, 0.75},
		"anthropic for Python with 8 retries": {eight(anthropicPython), 15, false, 0.75},
		"exponential waits and 10 retries":    {exponential, 20, true, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lasts := time.Duration(tt.seconds * float64(time.Second))
			if !long() {
				lasts /= 5
			}
			near, far := (&outage{lasts: lasts, reset: tt.reset}).start(t), (&outage{lasts: lasts, reset: tt.reset}).start(t)
			settings := waits(far.base)
			settings["RETRY_BASE"], settings["RETRY_CAP"] = "", "" // the defaults: they are what is tested
			w := client{way: byBaseURL}.start(t, troubles{}, settings)
			straight := make(chan report, 1)
			go func() { straight <- tt.call(t, near.base+"/v1") }()
			through := tt.call(t, w.base())
			alone := <-straight
			t.Logf("%s, %s: straight %t, %d calls in %.1f s, through Outrigger %t, %d in %.1f s", alone.Version, lasts,
				alone.OK, near.calls.Load(), alone.Seconds, through.OK, far.calls.Load(), through.Seconds)
			if !alone.OK || !through.OK {
				t.Errorf("straight %q, through Outrigger %q, want no error", alone.Error, through.Error)
			}
			if most := callsIn(lasts, tt.least); far.calls.Load() > most {
				t.Errorf("%d calls through Outrigger, straight %d, at most %d", far.calls.Load(), near.calls.Load(), most)
			}
		})
	}
}

// callsIn is how many calls a client makes until the first one after the outage, if chance
// has it wait for as short as it can: least of 0.5 s, doubled up to 8 s.
func callsIn(outage time.Duration, least float64) int64 {
	calls := int64(1)
	for at, wait := time.Duration(0), 500*time.Millisecond; at < outage; wait = min(2*wait, 8*time.Second) {
		at += time.Duration(least * float64(wait))
		calls++
	}
	return calls
}

// exponential makes a call as Claude Code does: 10 retries after 0.5 s, doubled up to
// 32 s, with up to a quarter more.
func exponential(t *testing.T, base string) report {
	start := time.Now()
	r := report{Version: "exponential waits"}
	for wait, n := 500*time.Millisecond, 0; ; n++ {
		status, err := post(t.Context(), base+"/chat/completions")
		r.OK, r.Seconds = err == nil && status == http.StatusOK, time.Since(start).Seconds()
		if r.OK || n == 10 {
			return r
		}
		r.Error = http.StatusText(status)
		time.Sleep(wait + time.Duration(rand.Float64()*float64(wait)/4))
		wait = min(2*wait, 32*time.Second)
	}
}

func post(ctx context.Context, url string) (int, error) {
	body := strings.NewReader(`{"model":"gpt-4.1","messages":[{"role":"user","content":"Why does a canoe need an outrigger?"}]}`)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode, nil
}
