package storm

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"outrigger/proxy/settings"
)

// way is how calls are made: by which client, and through what.
type way struct {
	name     string
	model    model
	straight bool
	bare     bool                   // through a proxy that does nothing else
	config   func(*settings.Config) // changes the proxy's default configuration
}

// model is what a client does about failures.
type model struct {
	retries int           // after the first try
	first   time.Duration // wait before the first retry, doubled for each further one
	longest time.Duration // between two tries, before jitter
	hasty   bool          // each wait is the shortest that jitter permits
	jitter  float64       // a wait is longer by up to that share; shorter, if it is negative
	deaf    bool          // x-should-retry is not heeded
	agent   string        // its User-Agent, where that matters
}

// plain repeats nothing.
var plain = model{}

// officialSDK is what the official SDKs do by default: two retries, 0.5 s doubled to
// at most 8 s and up to a quarter less (openai-python _base_client.py).
var officialSDK = model{retries: 2, first: 500 * time.Millisecond, longest: 8 * time.Second, jitter: -0.25}

// The two ways of every storm: a client that leaves retries to Outrigger, and the
// official SDK without a proxy.
var (
	through = way{name: "through Outrigger", model: plain}
	alone   = way{name: "official SDK alone", model: officialSDK, straight: true}
)

// answer is what the caller gets.
type answer struct {
	status int // 0: none
	ok     bool
	body   string
	at     time.Duration // when the call was made, after the load's start
	took   time.Duration
	tries  int
}

// client makes calls as a model has it. Its chance comes from a seed.
type client struct {
	model
	http *http.Client

	mu     sync.Mutex
	random *rand.Rand
}

func newClient(m model, h *http.Client, seed uint64) *client {
	return &client{model: m, http: h, random: rand.New(rand.NewPCG(seed, 5))}
}

// do makes one call with its retries. id marks all tries for the upstream's ledger.
func (c *client) do(id string, what call) answer {
	timeout := what.timeout
	if timeout == 0 {
		timeout = patience
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	var a answer
	for try := 0; ; try++ {
		var wait time.Duration
		a, wait = c.try(ctx, id, try, what)
		a.tries = try + 1
		if wait < 0 || try >= c.retries || ctx.Err() != nil {
			break
		}
		if wait == 0 {
			wait = c.backoff(try)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	a.at, a.took = what.at, time.Since(began)
	return a
}

// never is the wait before a retry that is not made.
const never = time.Duration(-1)

// try makes one try, and says how long to wait before the next: 0 leaves that to the client.
func (c *client) try(ctx context.Context, id string, n int, what call) (answer, time.Duration) {
	r := what.request(ctx, id)
	if c.agent != "" {
		r.Header.Set("User-Agent", c.agent)
	} else if c.retries > 0 {
		r.Header.Set("X-Stainless-Retry-Count", strconv.Itoa(n))
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return answer{body: err.Error()}, 0
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, body: string(body)}
	switch {
	case err != nil && what.stream:
		return a, never // a stream that has begun is not repeated by any SDK
	case err != nil:
		return answer{body: err.Error()}, 0
	case resp.StatusCode == http.StatusOK:
		a.ok = !what.stream || (strings.Contains(a.body, "data: [DONE]") && !strings.Contains(a.body, `data: {"error"`))
		return a, never
	}
	return a, c.verdict(resp)
}

// verdict is the SDKs' rule for answers that are no success.
func (c *client) verdict(resp *http.Response) time.Duration {
	status := resp.StatusCode
	again := status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooManyRequests || status >= 500
	switch {
	case c.deaf:
	case resp.Header.Get("X-Should-Retry") == "true":
		again = true
	case resp.Header.Get("X-Should-Retry") == "false":
		again = false
	}
	if !again {
		return never
	}
	ms, err := strconv.ParseFloat(resp.Header.Get("Retry-After-Ms"), 64)
	if err != nil {
		ms, err = strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
		ms *= 1000
	}
	if named := time.Duration(ms * float64(time.Millisecond)); err == nil && named > 0 && named <= time.Minute {
		return named
	}
	return 0
}

// backoff is how long the client waits after try number n.
func (c *client) backoff(n int) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	wait := min(c.first<<n, c.longest)
	if c.hasty {
		return wait + time.Duration(min(c.jitter, 0)*float64(wait))
	}
	return wait + time.Duration(c.jitter*c.random.Float64()*float64(wait))
}
