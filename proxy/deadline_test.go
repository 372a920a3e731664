package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/settings"
)

// after answers with 200 once d has passed since the request was there.
func after(d time.Duration) script {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-time.After(d):
			fine(w, r, n)
		case <-r.Context().Done():
		}
	}
}

func TestADefaultTimeoutGivesWayToACallerThatAnnouncesMore(t *testing.T) {
	const answer = 17 * time.Minute
	cut := 599 * time.Second
	set := func(c *settings.Config) { c.Timeouts.TotalSet = true }
	for name, tt := range map[string]struct {
		edit    func(*settings.Config)
		path    string
		headers []string
		status  int
		after   time.Duration
	}{
		"Python":                  {nil, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 7200"}, 200, answer},
		"Java":                    {nil, "/v1/chat/completions", []string{"X-Stainless-Lang: java", "X-Stainless-Timeout: 7200", "X-Stainless-Read-Timeout: 7200"}, 200, answer},
		"a create":                {nil, "/v1/files", []string{"X-Stainless-Read-Timeout: 7200"}, 200, answer},
		"with a key":              {nil, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 7200", "Idempotency-Key: k"}, 200, answer},
		"a create with a key":     {nil, "/v1/files", []string{"X-Stainless-Timeout: 7200", "Idempotency-Key: k"}, 200, answer},
		"rejoinable":              {rejoins, "/v1/chat/completions", []string{"X-Stainless-Timeout: 7200"}, 200, answer},
		"a create, rejoinable":    {rejoins, "/v1/files", []string{"X-Stainless-Timeout: 7200"}, 200, answer},
		"too little announced":    {nil, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 900"}, 504, 899 * time.Second},
		"nothing announced":       {nil, "/v1/chat/completions", nil, 504, cut},
		"a default that was set":  {set, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 7200"}, 504, cut},
		"set, with a key":         {set, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 7200", "Idempotency-Key: k"}, 504, cut},
		"another value":           {func(c *settings.Config) { c.Timeouts.Total = time.Minute }, "/v1/chat/completions", []string{"X-Stainless-Timeout: 7200"}, 504, 59 * time.Second},
		"a known limit does not":  {nil, "/v1/chat/completions", []string{"User-Agent: Anthropic/JS 0.71.2", "X-Stainless-Timeout: 7200"}, 504, 299 * time.Second},
		"nor that of LangChain":   {nil, "/v1/chat/completions", []string{"User-Agent: langchainjs-openai/1.0.0 (node/v22.1.0; linux; x64)"}, 504, 299 * time.Second},
		"a key, nothing to give":  {nil, "/v1/chat/completions", []string{"Idempotency-Key: k"}, 504, cut},
		"a key and a short wait":  {nil, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 20", "Idempotency-Key: k"}, 409, 19 * time.Second},
		"rejoinable, a short one": {rejoins, "/v1/chat/completions", []string{"X-Stainless-Read-Timeout: 20"}, 504, 19 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, after(answer), func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				start := time.Now()
				resp, body := g.do(with(g.request("POST", tt.path, chatBody), tt.headers...))
				if took := time.Since(start); resp.StatusCode != tt.status || took != tt.after {
					t.Errorf("%d after %s, want %d after %s: %s", resp.StatusCode, took, tt.status, tt.after, body)
				}
			})
		})
	}
}

func TestADefaultSilenceGivesWayToACallerThatAnnouncesMore(t *testing.T) {
	const opening = "event: response.created\ndata: {\"type\":\"response.created\"}\n\nevent: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n"
	const ending = "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{}}\n\n"
	for name, tt := range map[string]struct {
		edit    func(*settings.Config)
		headers []string
		whole   bool
	}{
		"Python":            {nil, []string{"X-Stainless-Read-Timeout: 1800"}, true},
		"a whole timeout":   {nil, []string{"X-Stainless-Timeout: 1800"}, true},
		"with a key":        {nil, []string{"X-Stainless-Read-Timeout: 1800", "Idempotency-Key: k"}, true},
		"less announced":    {nil, []string{"X-Stainless-Read-Timeout: 30"}, false},
		"nothing announced": {nil, nil, false},
		"it was set":        {func(c *settings.Config) { c.Timeouts.StreamIdleSet = true }, []string{"X-Stainless-Read-Timeout: 1800"}, false},
		"another value":     {func(c *settings.Config) { c.Timeouts.StreamIdle = 4 * time.Minute }, []string{"X-Stainless-Read-Timeout: 1800"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, func(w http.ResponseWriter, r *http.Request, _ int) {
					_, _ = io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", "text/event-stream")
					_, _ = io.WriteString(w, opening)
					_ = http.NewResponseController(w).Flush()
					select {
					case <-time.After(6 * time.Minute):
						_, _ = io.WriteString(w, ending)
					case <-r.Context().Done():
					}
				}, func(c *settings.Config) {
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				resp, err := g.client.Do(with(g.request("POST", "/v1/responses", `{"model":"m","input":"x","stream":true}`), tt.headers...))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if whole := err == nil && string(body) == opening+ending; whole != tt.whole || !whole && !strings.Contains(string(body), "stream_interrupted") {
					t.Errorf("whole is %t, want %t: %s", whole, tt.whole, body)
				}
			})
		})
	}
}

func TestTimeoutsThatWereCutDownToWholeSecondsAreReadAsWhatTheyMayBe(t *testing.T) {
	for name, tt := range map[string]struct {
		headers []string
		status  int
		after   time.Duration
	}{
		"JavaScript": {[]string{"X-Stainless-Lang: js", "X-Stainless-Timeout: 1"}, 200, 1300 * time.Millisecond},
		"Java":       {[]string{"X-Stainless-Lang: java", "X-Stainless-Read-Timeout: 1", "X-Stainless-Timeout: 1"}, 200, 1300 * time.Millisecond},
		"Go":         {[]string{"X-Stainless-Lang: go", "X-Stainless-Timeout: 1"}, 200, 1300 * time.Millisecond},
		"Python":     {[]string{"X-Stainless-Lang: python", "X-Stainless-Read-Timeout: 1"}, 504, 950 * time.Millisecond},
		"a fraction": {[]string{"X-Stainless-Lang: python", "X-Stainless-Read-Timeout: 1.9"}, 200, 1300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, after(1300*time.Millisecond))
				start := time.Now()
				resp, body := g.do(with(g.request("POST", "/v1/chat/completions", chatBody), tt.headers...))
				if took := time.Since(start); resp.StatusCode != tt.status || took != tt.after || g.calls.Load() != 1 {
					t.Errorf("%d after %s and %d calls, want %d after %s: %s", resp.StatusCode, took, g.calls.Load(), tt.status, tt.after, body)
				}
			})
		})
	}
}

func TestTheLastPossibleAttemptIsNotCut(t *testing.T) {
	for name, tt := range map[string]struct {
		edit   func(*settings.Config)
		path   string
		status int
		calls  int64
		after  time.Duration
	}{
		"retries are used up":           {func(c *settings.Config) { c.Retry.Max = 2 }, "/v1/chat/completions", 200, 3, 40 * time.Second},
		"no retries":                    {func(c *settings.Config) { c.Retry.Max = 0 }, "/v1/chat/completions", 200, 1, 20 * time.Second},
		"no time for another":           {func(c *settings.Config) { c.Timeouts.Attempt, c.Timeouts.Total = 15*time.Second, 37*time.Second }, "/v1/chat/completions", 200, 2, 35 * time.Second},
		"a create":                      {nil, "/v1/files", 200, 1, 20 * time.Second},
		"an upstream's own":             {func(c *settings.Config) { c.Upstreams[0].AttemptTimeout, c.Retry.Max = 5*time.Second, 2 }, "/v1/chat/completions", 200, 3, 30 * time.Second},
		"an upstream's own alone":       {func(c *settings.Config) { c.Timeouts.Attempt, c.Upstreams[0].AttemptTimeout = 0, time.Minute }, "/v1/chat/completions", 200, 1, 20 * time.Second},
		"longer than the answer":        {func(c *settings.Config) { c.Upstreams[0].AttemptTimeout = time.Minute }, "/v1/chat/completions", 200, 1, 20 * time.Second},
		"a create that may be repeated": {func(c *settings.Config) { c.Retry.Creates, c.Retry.Max = "always", 1 }, "/v1/files", 200, 2, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, after(20*time.Second), func(c *settings.Config) {
					c.Timeouts.Attempt, c.Timeouts.Total = 10*time.Second, 5*time.Minute
					c.Retry.Base, c.Retry.Cap = 0, 0
					if tt.edit != nil {
						tt.edit(c)
					}
				})
				start := time.Now()
				resp, body := g.do(g.request("POST", tt.path, chatBody))
				got, want := fmt.Sprint(resp.StatusCode, g.calls.Load(), time.Since(start).Round(time.Millisecond)), fmt.Sprint(tt.status, tt.calls, tt.after)
				if got != want {
					t.Errorf("status, calls, time %s, want %s: %s", got, want, body)
				}
			})
		})
	}
}
