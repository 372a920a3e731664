package sim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// begin sends chat requests with these credentials and models, one after another while
// those before are in progress, and returns their statuses in that order.
func begin(t *testing.T, c *http.Client, credentialsAndModels ...[2]string) func() []int {
	t.Helper()
	statuses := make([]int, len(credentialsAndModels))
	done := make(chan struct{}, len(statuses))
	for i, who := range credentialsAndModels {
		go func() {
			body := strings.Replace(chatBody, "gpt-4o", who[1], 1)
			got, err := post(t, c, "http://sim/v1/chat/completions", body, "Authorization: Bearer "+who[0])
			if err != nil {
				t.Error(err)
			}
			statuses[i] = got.status
			done <- struct{}{}
		}()
		synctest.Wait()
	}
	return func() []int {
		for range statuses {
			<-done
		}
		return statuses
	}
}

func TestConcurrencyIsLimitedPerCredentialAndModel(t *testing.T) {
	a, b, other := [2]string{"sk-a", "m"}, [2]string{"sk-b", "m"}, [2]string{"sk-a", "n"}
	tests := map[string]struct {
		limits []Concurrency
		sent   [][2]string
		want   []int
	}{
		"each on its own":           {[]Concurrency{{Places: 1}}, [][2]string{a, a, b, b, other, other}, []int{200, 429, 200, 429, 200, 429}},
		"all together":              {[]Concurrency{{Places: 2, Shared: true}}, [][2]string{a, b, other, a}, []int{200, 200, 429, 429}},
		"only who is named":         {[]Concurrency{{Credential: "sk-a", Model: "m*", Places: 1}}, [][2]string{a, a, b, b, other, other}, []int{200, 429, 200, 200, 200, 200}},
		"the first that matches":    {[]Concurrency{{Credential: "sk-b"}, {Places: 1}}, [][2]string{a, a, b, b}, []int{200, 429, 200, 200}},
		"refused as the row has it": {[]Concurrency{{Places: 1, Row: "openai/503_server_is_overloaded"}}, [][2]string{a, a}, []int{200, 503}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Config{Latency: time.Second, Concurrency: tt.limits}, func(t *testing.T, s *Sim, c *http.Client) {
				if got := begin(t, c, tt.sent...)(); !slices.Equal(got, tt.want) {
					t.Errorf("statuses %v, want %v", got, tt.want)
				}
				if got := begin(t, c, tt.sent...)(); !slices.Equal(got, tt.want) {
					t.Errorf("statuses when all places were given back: %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestTheDefaultRefusalSaysNothing holds what a client has to do without.
func TestTheDefaultRefusalSaysNothing(t *testing.T) {
	bubble(t, Config{Latency: time.Second, Concurrency: []Concurrency{{Places: 1}}}, func(t *testing.T, s *Sim, c *http.Client) {
		wait := begin(t, c, [2]string{"sk-test", "gpt-4o"})
		got, err := post(t, c, "http://sim/v1/chat/completions", chatBody)
		if err != nil || got.status != 429 || got.body != "Too Many Requests" || got.header.Get("Retry-After") != "" {
			t.Errorf("%+v, %v", got, err)
		}
		if e, _ := s.Ledger().Entry(2); e.Fault != "concurrency" || e.Work {
			t.Errorf("ledger: %+v", e)
		}
		wait()
	})
}

func TestAStreamHoldsItsPlaceToItsEnd(t *testing.T) {
	bubble(t, Config{TokenDelay: time.Second, Concurrency: []Concurrency{{Places: 1}}}, func(t *testing.T, _ *Sim, c *http.Client) {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if got, err := post(t, c, "http://sim/v1/chat/completions", streamBody); err != nil || got.status != 200 {
				t.Errorf("%d, %v", got.status, err)
			}
		}()
		pass(2500 * time.Millisecond) // three tokens, one per second
		if got := begin(t, c, [2]string{"sk-test", "gpt-4o"})(); got[0] != 429 {
			t.Errorf("status %d beside a stream, want 429", got[0])
		}
		<-ended
		if got := begin(t, c, [2]string{"sk-test", "gpt-4o"})(); got[0] != 200 {
			t.Errorf("status %d after the stream, want 200", got[0])
		}
	})
}

// TestPlacesChangeWhileRequestsAreInProgress: those in progress go on counting.
func TestPlacesChangeWhileRequestsAreInProgress(t *testing.T) {
	who := [2]string{"sk-test", "gpt-4o"}
	tests := map[string]struct {
		cfg  Config
		path string
		body string
	}{
		"of a credential": {Config{Concurrency: []Concurrency{{Places: 3}}}, "/_sim/concurrency", `{"places":2}`},
		"of the upstream": {Config{Capacity: 3, CapacityRow: "openai/429_overloaded_legacy"}, "/_sim/capacity", `{"limit":2}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.cfg.Latency = time.Second
			bubble(t, tt.cfg, func(t *testing.T, s *Sim, c *http.Client) {
				first := begin(t, c, who, who)
				if got := ask(s, "PUT", tt.path, tt.body); got.status != 200 {
					t.Fatalf("%+v", got)
				}
				second := begin(t, c, who)
				if got := second(); got[0] != 429 {
					t.Errorf("status %d with two in progress of two, want 429", got[0])
				}
				if got := ask(s, "DELETE", tt.path, ""); got.status != 200 {
					t.Fatalf("%+v", got)
				}
				if got := begin(t, c, who, who)(); !slices.Equal(got, []int{200, 200}) {
					t.Errorf("statuses %v without a limit", got)
				}
				first()
				s.Reset()
				if got := begin(t, c, who, who, who, who)(); !slices.Equal(got, []int{200, 200, 200, 429}) {
					t.Errorf("statuses %v after a reset, want three places", got)
				}
			})
		})
	}
}

// TestRefusalsCostThoseInProgress: with two places and a cost of 0.1, ten refusals take
// half a second from each of two answers of a second.
func TestRefusalsCostThoseInProgress(t *testing.T) {
	for cost, want := range map[float64]time.Duration{0: time.Second, 0.1: 1500 * time.Millisecond, 0.2: 2 * time.Second} {
		bubble(t, Config{Latency: time.Second, Capacity: 2, RefusalCost: cost}, func(t *testing.T, s *Sim, c *http.Client) {
			for range 2 { // what was lost before does not count again
				start := time.Now()
				wait := begin(t, c, [2]string{"sk-a", "m"}, [2]string{"sk-b", "m"})
				pass(100 * time.Millisecond)
				for range 10 {
					if got := begin(t, c, [2]string{"sk-a", "m"})(); got[0] != 503 {
						t.Errorf("status %d, want 503", got[0])
					}
				}
				wait()
				if took := time.Since(start); took != want {
					t.Errorf("cost %v: two answers took %v, want %v", cost, took, want)
				}
			}
			start := time.Now()
			if got := begin(t, c, [2]string{"sk-a", "m"})(); got[0] != 200 || time.Since(start) != time.Second {
				t.Errorf("cost %v: %d after %v, want a request that comes later to pay nothing", cost, got[0], time.Since(start))
			}
		})
	}
}

func TestALimitWithARowSaysNothingElse(t *testing.T) {
	s := New(Config{Limits: []meter.Limit{{RPM: 60, Burst: time.Second, Row: "openai/429_slow_down"}}})
	defer s.Close()
	first, second := ask(s, "POST", "/v1/chat/completions", chatBody), ask(s, "POST", "/v1/chat/completions", chatBody)
	if first.status != 200 || second.status != 429 || !strings.Contains(second.body, `"slow_down"`) {
		t.Errorf("%d, then %d %s", first.status, second.status, second.body)
	}
	for _, got := range []received{first, second} {
		for name := range got.header {
			if strings.Contains(strings.ToLower(name), "ratelimit") || name == "Retry-After" {
				t.Errorf("header %s with status %d", name, got.status)
			}
		}
	}
}

func TestBadPlacesAreErrors(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	for name, tt := range map[string]struct {
		err, want error
	}{
		"places":             {s.SetConcurrency(Concurrency{Places: -1}), ErrConcurrency},
		"unknown row":        {s.SetConcurrency(Concurrency{Row: "x/y"}), fault.ErrRow},
		"row that is no 4xx": {s.SetConcurrency(Concurrency{Row: "openrouter/stream_comment"}), ErrConcurrency},
		"limit":              {s.SetCapacity(Capacity{Limit: -1}), ErrCapacity},
		"cost":               {s.SetCapacity(Capacity{RefusalCost: -1}), ErrCapacity},
		"capacity's row":     {s.SetCapacity(Capacity{Row: "x/y"}), fault.ErrRow},
		"limit's row":        {s.SetLimits(meter.Limit{Row: "x/y"}), meter.ErrLimit},
		"configured":         {Config{Concurrency: []Concurrency{{Places: -1}}}.Validate(), ErrConfig},
		"configured cost":    {Config{RefusalCost: 11}.Validate(), ErrCapacity},
	} {
		if !errors.Is(tt.err, tt.want) {
			t.Errorf("%s: %v, want %v", name, tt.err, tt.want)
		}
	}
}
