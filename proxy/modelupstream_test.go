package proxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// modelHeader names the call, for the upstream.
const modelHeader = "X-Model-Call"

// modelAttempt is an attempt as the upstream saw it. Times count from the start of the run.
type modelAttempt struct {
	Upstream    int
	Began, Over time.Duration
	Outcome     modelOutcome
	Done        bool   // it was carried out
	Sent        bool   // its answer was
	Body        string // that was sent, or was to be
}

// modelUpstreams are two upstreams that do what the plan says.
type modelUpstreams struct {
	plan  *modelPlan
	start time.Time

	mu       sync.Mutex
	attempts [][]*modelAttempt // by call
}

func newModelUpstreams(p *modelPlan) *modelUpstreams {
	return &modelUpstreams{plan: p, start: time.Now(), attempts: make([][]*modelAttempt, len(p.Calls))}
}

// dial is the way to an upstream, which is away at times.
func (m *modelUpstreams) dial(up int, way dialer) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		now := time.Since(m.start)
		for _, a := range m.plan.Away {
			if a.Upstream == up && a.From <= now && now < a.Until {
				return nil, &net.OpError{Op: "dial", Net: "pipe", Err: syscall.ECONNREFUSED}
			}
		}
		return way(ctx, network, address)
	}
}

// begin notes that an attempt arrived.
func (m *modelUpstreams) begin(call, up int) *modelAttempt {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := &modelAttempt{Upstream: up, Began: time.Since(m.start), Over: -1, Outcome: modelOutcome{What: modelOK}}
	if meets := m.plan.Calls[call].Meets; len(m.attempts[call]) < len(meets) {
		a.Outcome = meets[len(m.attempts[call])]
	}
	a.Body = modelBody(m.plan.Calls[call].Kind, call, len(m.attempts[call])+1, a.Outcome.What)
	m.attempts[call] = append(m.attempts[call], a)
	return a
}

// modelBody is what an attempt is answered with: no two have the same.
func modelBody(kind modelKind, call, number int, what modelWhat) string {
	said := fmt.Sprintf("call %d attempt %d", call, number)
	switch {
	case what == modelStatus429:
		return strings.Replace(rateBody, "Rate limit reached", "Rate limit reached by "+said, 1)
	case what.status() != 0:
		return strings.Replace(overBody, "overloaded", "not now, "+said, 1)
	case kind == modelStream:
		chunk := `data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":%s}]}` + "\n\n"
		return fmt.Sprintf(chunk, said, "null") + fmt.Sprintf(chunk, "more", "null") + fmt.Sprintf(chunk, "", `"stop"`) + "data: [DONE]\n\n"
	default:
		return `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"` + said + `"},"finish_reason":"stop"}]}`
	}
}

// serve is the script of an upstream.
func (m *modelUpstreams) serve(up int) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		call, err := strconv.Atoi(r.Header.Get(modelHeader))
		if err != nil {
			return
		}
		a := m.begin(call, up)
		defer func() {
			m.mu.Lock()
			defer m.mu.Unlock()
			a.Over = time.Since(m.start)
		}()
		if a.Outcome.What == modelResetUnread {
			panic(http.ErrAbortHandler)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		m.carryOut(a)
		timer := time.NewTimer(a.Outcome.After)
		defer timer.Stop()
		select {
		case <-timer.C:
			m.mu.Lock()
			a.Sent = true
			m.mu.Unlock()
			a.answer(w, r, m.plan.Calls[call].Kind)
		case <-r.Context().Done():
		}
	}
}

// carryOut does the work, if the attempt's outcome does not say that it is not done.
func (m *modelUpstreams) carryOut(a *modelAttempt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch a.Outcome.What {
	case modelStatus503, modelStatus429, modelStatus400:
	case modelStatus500, modelStatus502:
		a.Done = a.Outcome.Done
	default:
		a.Done = true
	}
}

func (a *modelAttempt) answer(w http.ResponseWriter, r *http.Request, kind modelKind) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	status := a.Outcome.What.status()
	switch {
	case status != 0:
		if a.Outcome.hinted() {
			h.Set("Retry-After", strconv.Itoa(int(a.Outcome.Hint/time.Second)))
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, a.Body)
		return
	case a.Outcome.What == modelReset:
		panic(http.ErrAbortHandler)
	case a.Outcome.What == modelSilent:
		<-r.Context().Done()
		return
	}
	if kind == modelStream {
		h.Set("Content-Type", "text/event-stream")
	} else {
		h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	}
	for n, part := range strings.SplitAfter(a.Body, "\n\n") {
		if a.Outcome.What == modelCut && (kind != modelStream || n == 2) {
			_, _ = io.WriteString(w, part[:len(part)/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, part)
		_ = http.NewResponseController(w).Flush()
	}
}

// hinted reports whether the outcome names a wait.
func (o modelOutcome) hinted() bool {
	return o.Hint > 0 && (o.What == modelStatus429 || o.What == modelStatus503)
}
