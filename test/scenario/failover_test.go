package scenario

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"outrigger/internal/config"
	"outrigger/internal/sim"
	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/ledger"
	"outrigger/policy"
	"outrigger/proxy"
	"outrigger/proxy/settings"
)

// pair is a proxy in front of two simulated upstreams, "first" and "second".
type pair struct {
	t      *testing.T
	sims   [2]*sim.Sim
	base   string
	client *http.Client
}

func newPair(t *testing.T, edit func(*settings.Config)) *pair {
	t.Helper()
	p := &pair{t: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1000}}}
	settings := config.ProxyDefaults()
	settings.Bodies.Dir = t.TempDir()
	for i, name := range [...]string{"first", "second"} {
		p.sims[i] = sim.New(sim.Config{Latency: 20 * time.Millisecond})
		base, err := p.sims[i].Start("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		entry := config.UpstreamDefaults()
		entry.Name = name
		if entry.URL, err = url.Parse(strings.TrimSuffix(base, "/v1")); err != nil {
			t.Fatal(err)
		}
		settings.Upstreams = append(settings.Upstreams, entry)
	}
	edit(&settings)
	handler, err := proxy.New(settings, proxy.Deps{Log: slog.New(slog.DiscardHandler), Registry: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(listener) }()
	p.base = "http://" + listener.Addr().String() + "/v1"
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		_ = server.Close()
		_ = handler.Close()
		for _, s := range p.sims {
			s.Close()
		}
	})
	return p
}

// reply is what a caller got.
type reply struct {
	status             int
	upstream, failover string
	body               string
}

// ask sends a chat completion, or a file, which the ledgers know by its body. It has no header of
// its own: one that nobody knows tells callers apart, and no refusal is remembered across them.
func (p *pair) ask(ctx context.Context, id string, create bool) reply {
	path, kind, body := "/chat/completions", "application/json", []byte(`{"model":"gpt-4o","messages":[{"role":"user","content":"`+id+`"}]}`)
	if create {
		path = "/files"
		kind, body = file(id)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(body))
	if err != nil {
		return reply{body: err.Error()}
	}
	r.Header = http.Header{"Authorization": {"Bearer sk-scenario"}, "Content-Type": {kind}}
	resp, err := p.client.Do(r)
	if err != nil {
		return reply{body: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{body: err.Error()}
	}
	return reply{resp.StatusCode, resp.Header.Get("x-outrigger-upstream"), resp.Header.Get("x-outrigger-failover"), string(text)}
}

// trouble is one thing that befalls the first upstream.
type trouble struct {
	name       string
	begin, end func(*sim.Sim) error
	ambiguous  bool // what is sent then may have been carried out
	from, to   time.Duration
}

// troubles come one after the other: 4 s each, and 3 s between them.
func troubles() []trouble {
	outage := func(kind sim.OutageKind) func(*sim.Sim) error {
		return func(s *sim.Sim) error { return s.Outage(sim.Outage{Kind: kind}) }
	}
	over := func(s *sim.Sim) error { return s.Outage(sim.Outage{}) }
	account := func(row string) func(*sim.Sim) error {
		return func(s *sim.Sim) error { return s.SetAccount(sim.Account{Credential: "sk-scenario", Row: row}) }
	}
	all := []trouble{
		{name: "dies", begin: outage(sim.OutageRefuse), end: over, ambiguous: true}, // what it was at work on is cut
		{name: "is overloaded", begin: outage(sim.OutageStatus), end: over},
		{name: "hangs", begin: outage(sim.OutageHang), end: over, ambiguous: true},
		{name: "has no quota left", begin: account("openai/429_credit_balance_exhausted"), end: account("")},
	}
	for i := range all {
		all[i].from = 2*time.Second + time.Duration(i)*7*time.Second
		all[i].to = all[i].from + 4*time.Second
	}
	return all
}

func TestNoCallerSeesTheTroublesOfTheFirstOfTwoUpstreams(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 31 s")
	}
	const perSecond, lasts = 25, 31 * time.Second
	p := newPair(t, func(c *settings.Config) {
		c.Failover = append(c.Failover, policy.FailoverQuota)
		c.Timeouts.Attempt, c.TripCooldown = time.Second, time.Second
		c.Timeouts.Total = 10 * time.Second // which alone ends a create that hangs: it has no other attempt
	})
	all, start := troubles(), time.Now()
	for _, tr := range all {
		time.AfterFunc(time.Until(start.Add(tr.from)), func() { p.do(tr.begin) })
		time.AfterFunc(time.Until(start.Add(tr.to)), func() { p.do(tr.end) })
	}
	var wg sync.WaitGroup
	tick := time.NewTicker(time.Second / perSecond)
	defer tick.Stop()
	ambiguous := 0
	var mu sync.Mutex
	for i := range perSecond * int(lasts/time.Second) {
		<-tick.C
		create := i%5 == 4
		sent := time.Since(start)
		wg.Go(func() {
			got := p.ask(t.Context(), strconv.Itoa(i), create)
			if got.status == http.StatusOK {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if create && excused(all, sent, time.Since(start)) && strings.Contains(got.body, "upstream_ambiguous") {
				ambiguous++
				return
			}
			t.Errorf("request %d (create: %v), sent at %s, got %d from %q (%s): %.200s", i, create, sent, got.status, got.upstream, got.failover, got.body)
		})
	}
	wg.Wait()
	t.Logf("%d creates were told that they may have been carried out", ambiguous)
	for _, tr := range all {
		p.judge(start, tr)
	}
	p.nothingTwice()
}

func (p *pair) do(change func(*sim.Sim) error) {
	if err := change(p.sims[0]); err != nil {
		p.t.Errorf("changing the first upstream: %v", err)
	}
}

// excused reports whether a create that was under way from sent to ended met a
// trouble in which it may have been carried out.
func excused(all []trouble, sent, ended time.Duration) bool {
	for _, tr := range all {
		if tr.ambiguous && sent < tr.to && ended >= tr.from {
			return true
		}
	}
	return false
}

// judge holds what the first upstream saw of a trouble to what is promised: it is
// left alone but for probes, and used again within 2 s.
func (p *pair) judge(start time.Time, tr trouble) {
	touched, again := 0, time.Duration(0)
	for _, e := range p.sims[0].Ledger().Entries(ledger.Filter{}) {
		at := e.Time.Sub(start)
		if at >= tr.from+1500*time.Millisecond && at < tr.to {
			touched++
		}
		if e.Work && at >= tr.to && (again == 0 || at < again) {
			again = at
		}
	}
	p.t.Logf("the first %s: %d requests reached it in the %s before its recovery; it is used again %s after",
		tr.name, touched, tr.to-tr.from-1500*time.Millisecond, (again - tr.to).Round(time.Millisecond))
	if touched > 5 { // a probe a second, and one on either side
		p.t.Errorf("the first %s, and %d requests reach it after the breaker had time to open", tr.name, touched)
	}
	if again == 0 {
		p.t.Errorf("the first %s, and is never used again", tr.name)
	}
	timely(p.t, "the seconds until it is used again", (again - tr.to).Seconds(), 2)
}

// nothingTwice shows that no create was carried out at both.
func (p *pair) nothingTwice() {
	made := map[ledger.Identity]int{}
	for _, s := range p.sims {
		for _, e := range s.Ledger().Entries(ledger.Filter{Path: "/v1/files"}) {
			if e.Work {
				made[e.Identity()]++
			}
		}
	}
	for id, n := range made {
		if n > 1 {
			p.t.Errorf("create %v was carried out %d times", id, n)
		}
	}
}

func TestASmallerModelBehindTheSameURLStepsIn(t *testing.T) {
	p := newPair(t, func(c *settings.Config) {
		c.Upstreams[1].URL = c.Upstreams[0].URL
		c.Upstreams[1].Models = []settings.Model{{Requested: "gpt-4o", Sent: "gpt-4o-mini"}}
	})
	ask := func(id string) reply {
		got := p.ask(t.Context(), id, false)
		got.body = modelOf(got.body)
		return got
	}
	if got, want := ask("before"), (reply{200, "first", "", "gpt-4o"}); got != want {
		t.Errorf("before: got %+v, want %+v", got, want)
	}
	if err := p.sims[0].SetFaults(fault.Rule{Kind: fault.KindRow, Row: "openai/503_server_is_overloaded", Model: "gpt-4o"}); err != nil {
		t.Fatal(err)
	}
	if got, want := ask("while"), (reply{200, "second", "first=overloaded", "gpt-4o-mini"}); got != want {
		t.Errorf("while the model is overloaded: got %+v, want %+v", got, want)
	}
	if err := p.sims[0].SetFaults(); err != nil {
		t.Fatal(err)
	}
	if got, want := ask("after"), (reply{200, "first", "", "gpt-4o"}); got != want {
		t.Errorf("after: got %+v, want %+v", got, want)
	}
}

// modelOf returns the model that an answer names.
func modelOf(answer string) string {
	_, rest, _ := strings.Cut(answer, `"model":"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}
