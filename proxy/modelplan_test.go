package proxy

import (
	"fmt"
	"net/http"
	"time"

	"pgregory.net/rapid"

	"outrigger/policy"
	"outrigger/proxy/settings"
)

// modelPlan is all that happens in one run of TestModel: what callers do, what befalls their
// attempts, and what the operator changes meanwhile. It is drawn before the run, so that rapid can
// make one that fails smaller.
type modelPlan struct {
	Before modelSettings
	Reload time.Duration // when After takes its place; 0: never
	After  modelSettings
	Away   []modelAway
	Calls  []modelCall
}

// modelSettings are those that a run walks through.
type modelSettings struct {
	Retries, Inflight     int
	Budget                float64
	Base, Cap, AfterMax   time.Duration
	Total, Attempt        time.Duration
	Consecutive           int
	Open, BreakerWait     time.Duration
	Learn, Allow, Swapped bool // limits of calls in flight are learned; clients may retry; the second upstream is first
	Failover              policy.Failover
}

// modelAway is a time in which an upstream takes no connection.
type modelAway struct {
	Upstream    int
	From, Until time.Duration
}

// modelCall is one call.
type modelCall struct {
	At      time.Duration
	Kind    modelKind
	Payer   int
	Timeout int           // seconds, as its client announces them; 0: it does not
	Leave   time.Duration // after which its caller has left; 0: never
	Meets   []modelOutcome
}

// modelKind is what a call asks for.
type modelKind string

const (
	modelChat   modelKind = "chat"
	modelStream modelKind = "stream"
	modelRead   modelKind = "read"
	modelCreate modelKind = "create"
)

// modelOutcome is what befalls an attempt. Those that come after the last one of a call succeed.
type modelOutcome struct {
	What  modelWhat
	After time.Duration // before anything is sent
	Hint  time.Duration // that a refusal names, 0: none
	Done  bool          // of a 500 or 502: it was carried out all the same
}

type modelWhat string

const (
	modelOK          modelWhat = "ok"
	modelStatus500   modelWhat = "500"
	modelStatus502   modelWhat = "502"
	modelStatus503   modelWhat = "503"
	modelStatus429   modelWhat = "429"
	modelStatus400   modelWhat = "400"
	modelResetUnread modelWhat = "reset before it was read"
	modelReset       modelWhat = "reset after it was carried out"
	modelCut         modelWhat = "cut inside the answer"
	modelSilent      modelWhat = "no answer"
)

// status is the status that stands for it, 0 when there is none but 200.
func (w modelWhat) status() int {
	switch w {
	case modelStatus500:
		return http.StatusInternalServerError
	case modelStatus502:
		return http.StatusBadGateway
	case modelStatus503:
		return http.StatusServiceUnavailable
	case modelStatus429:
		return http.StatusTooManyRequests
	case modelStatus400:
		return http.StatusBadRequest
	default:
		return 0
	}
}

func milliseconds(t *rapid.T, from, to int, label string) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Millisecond
}

func drawModelSettings(t *rapid.T, label string) modelSettings {
	s := modelSettings{
		Retries:     rapid.IntRange(0, 4).Draw(t, label+" retries"),
		Inflight:    rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, label+" inflight"),
		Budget:      rapid.SampledFrom([]float64{0.2, 0, 2}).Draw(t, label+" budget"),
		Base:        rapid.SampledFrom([]time.Duration{100 * time.Millisecond, 0, time.Second}).Draw(t, label+" base"),
		AfterMax:    rapid.SampledFrom([]time.Duration{time.Minute, 2 * time.Second}).Draw(t, label+" after max"),
		Total:       rapid.SampledFrom([]time.Duration{time.Minute, 5 * time.Second}).Draw(t, label+" total"),
		Attempt:     rapid.SampledFrom([]time.Duration{0, time.Second}).Draw(t, label+" attempt"),
		Consecutive: rapid.SampledFrom([]int{-1, 0, 3}).Draw(t, label+" consecutive"),
		Open:        rapid.SampledFrom([]time.Duration{time.Second, 100 * time.Millisecond}).Draw(t, label+" open"),
		BreakerWait: rapid.SampledFrom([]time.Duration{30 * time.Second, 0, 2 * time.Second}).Draw(t, label+" breaker wait"),
		Learn:       rapid.Bool().Draw(t, label+" learn"),
		Allow:       rapid.Bool().Draw(t, label+" allow"),
		Swapped:     rapid.Bool().Draw(t, label+" swapped"),
		Failover:    rapid.SampledFrom([]policy.Failover{nil, everything[:3], everything, everything[:1]}).Draw(t, label+" failover"),
	}
	s.Cap = max(s.Base, 2*time.Second)
	return s
}

func drawModelOutcome(t *rapid.T) modelOutcome {
	return modelOutcome{
		What: rapid.SampledFrom([]modelWhat{
			modelOK, modelStatus500, modelStatus502, modelStatus503, modelStatus429, modelStatus400,
			modelResetUnread, modelReset, modelCut, modelSilent,
		}).Draw(t, "what"),
		After: milliseconds(t, 0, 1500, "after"),
		Hint:  rapid.SampledFrom([]time.Duration{0, time.Second, 3 * time.Second, 300 * time.Second}).Draw(t, "hint"),
		Done:  rapid.Bool().Draw(t, "done"),
	}
}

func drawModelPlan(t *rapid.T) modelPlan {
	p := modelPlan{Before: drawModelSettings(t, "before")}
	if rapid.Bool().Draw(t, "reloads") {
		p.Reload = milliseconds(t, 1, 4000, "reload") + 500*time.Microsecond
		p.After = drawModelSettings(t, "after")
	}
	for range rapid.IntRange(0, 2).Draw(t, "times away") {
		a := modelAway{Upstream: rapid.IntRange(0, 1).Draw(t, "upstream"), From: milliseconds(t, 0, 3000, "from")}
		a.Until = a.From + milliseconds(t, 1, 4000, "for")
		p.Away = append(p.Away, a)
	}
	for range rapid.IntRange(1, 12).Draw(t, "calls") {
		c := modelCall{
			At:      milliseconds(t, 0, 5000, "at"),
			Kind:    rapid.SampledFrom([]modelKind{modelChat, modelStream, modelRead, modelCreate}).Draw(t, "kind"),
			Payer:   rapid.IntRange(0, 1).Draw(t, "payer"),
			Timeout: rapid.SampledFrom([]int{0, 0, 3, 20}).Draw(t, "timeout"),
			Leave:   milliseconds(t, 1, 4000, "leave"),
			Meets:   rapid.SliceOfN(rapid.Custom(drawModelOutcome), 0, 7).Draw(t, "meets"),
		}
		if rapid.IntRange(0, 2).Draw(t, "leaves") < 2 {
			c.Leave = 0
		}
		p.Calls = append(p.Calls, c)
	}
	return p
}

// of returns the settings that a call follows: those in force when it began.
func (p *modelPlan) of(c *modelCall) *modelSettings {
	if p.Reload > 0 && c.At > p.Reload {
		return &p.After
	}
	return &p.Before
}

// apply puts them into a configuration.
func (s *modelSettings) apply(c *settings.Config) {
	c.Retry.Max, c.Retry.Budget, c.Retry.Base, c.Retry.Cap, c.Retry.AfterMax = s.Retries, s.Budget, s.Base, s.Cap, s.AfterMax
	c.Retry.ClientRetries = policy.ClientRetriesSuppress
	if s.Allow {
		c.Retry.ClientRetries = policy.ClientRetriesAllow
	}
	c.Timeouts.Total, c.Timeouts.TotalSet, c.Timeouts.Attempt = s.Total, true, s.Attempt
	c.Breaker.Consecutive, c.Breaker.Open, c.Breaker.Wait = s.Consecutive, s.Open, s.BreakerWait
	c.MaxInflight, c.Failover = s.Inflight, s.Failover
	c.Concurrency = settings.ConcurrencyOff
	if s.Learn {
		c.Concurrency = settings.ConcurrencyLearn
	}
	if s.Swapped {
		c.Upstreams = []settings.Upstream{c.Upstreams[1], c.Upstreams[0]}
	}
}

// String writes the plan as its steps.
func (p modelPlan) String() string {
	text := fmt.Sprintf("before %+v\n", p.Before)
	if p.Reload > 0 {
		text += fmt.Sprintf("from %v on %+v\n", p.Reload, p.After)
	}
	text += fmt.Sprintf("away %+v\n", p.Away)
	for i, c := range p.Calls {
		text += fmt.Sprintf("call %d %+v\n", i, c)
	}
	return text
}
