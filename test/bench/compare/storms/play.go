package storms

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/openai/openai-go/v3"

	"outrigger/internal/sim"
	"outrigger/test/bench/compare/peers"
)

// Score is how one way through one storm went.
type Score struct {
	Requests   int     `json:"requests"`
	Success    float64 `json:"success"`    // share of the calls that count, in percent
	Makespan   float64 `json:"makespan"`   // seconds until the last call that counts ended
	Calls      float64 `json:"calls"`      // upstream calls per request
	Duplicates int     `json:"duplicates"` // objects made more than once for one call
	Silent     int     `json:"silent"`     // streams that were cut and looked complete
	Failure    string  `json:"failure,omitempty"`
}

// lane is one way to the upstream of one storm.
type lane struct {
	storm  *Storm
	sim    *sim.Sim
	addr   string
	client *client
}

func newLane(s *Storm) (*lane, error) {
	l := &lane{storm: s, sim: sim.New(s.upstream)}
	base, err := l.sim.Start("127.0.0.1:0")
	if err != nil {
		l.sim.Close()
		return nil, err
	}
	l.addr = strings.TrimSuffix(strings.TrimPrefix(base, "http://"), "/v1")
	return l, nil
}

func (l *lane) upstream() peers.Upstream {
	files := slices.ContainsFunc(l.storm.calls, func(c call) bool { return c.kind == upload })
	return peers.Upstream{Addr: l.addr, Timeout: l.storm.timeout, Files: files}
}

// play makes the calls, each at its time, and returns when all have ended.
func (l *lane) play(ctx context.Context) (Score, error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := l.sim.SetFaults(l.storm.faults...); err != nil {
		return Score{}, err
	}
	start := time.Now()
	if l.storm.outage.Kind != "" {
		timer := time.AfterFunc(l.storm.away, func() { _ = l.sim.Outage(l.storm.outage) })
		defer timer.Stop()
	}
	outcomes := make([]outcome, len(l.storm.calls))
	ends := make([]time.Duration, len(l.storm.calls))
	failures := make([]error, len(l.storm.calls))
	var all sync.WaitGroup
	for i, c := range l.storm.calls {
		all.Go(func() {
			select {
			case <-time.After(time.Until(start.Add(c.at))):
			case <-ctx.Done():
				return
			}
			outcomes[i], failures[i] = l.client.do(ctx, "call-"+strconv.Itoa(i), c)
			ends[i] = time.Since(start)
		})
	}
	all.Wait()
	return l.score(outcomes, failures, ends)
}

func (l *lane) score(outcomes []outcome, failures []error, ends []time.Duration) (Score, error) {
	s := Score{Requests: len(outcomes), Calls: float64(l.sim.Ledger().Requests()) / float64(len(outcomes))}
	good, counted := 0, 0
	for i, o := range outcomes {
		if o == silent {
			s.Silent++
		}
		if l.storm.counts != nil && !l.storm.counts(l.storm.calls[i].kind) {
			continue
		}
		counted++
		s.Makespan = max(s.Makespan, ends[i].Seconds())
		if o == complete {
			good++
		} else if s.Failure == "" && failures[i] != nil {
			s.Failure = clip(failures[i])
		}
	}
	s.Success = 100 * float64(good) / float64(counted)
	if !l.upstream().Files {
		return s, nil
	}
	var err error
	s.Duplicates, err = l.duplicates()
	return s, err
}

// duplicates counts the files whose name occurs again: every call has its own.
func (l *lane) duplicates() (int, error) {
	if err := errors.Join(l.sim.SetFaults(), l.sim.Outage(sim.Outage{})); err != nil { // or the list would meet them too
		return 0, err
	}
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/v1/files?limit=10000", nil)
	r.Header.Set("Authorization", "Bearer sk-bench")
	w := httptest.NewRecorder()
	l.sim.ServeHTTP(w, r)
	var files struct {
		Data []struct {
			Filename string `json:"filename"`
		} `json:"data"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &files); err != nil {
		return 0, err
	}
	seen := map[string]bool{}
	twice := 0
	for _, f := range files.Data {
		if seen[f.Filename] {
			twice++
		}
		seen[f.Filename] = true
	}
	return twice, nil
}

func (l *lane) close() {
	if l.client != nil {
		l.client.http.CloseIdleConnections()
	}
	l.sim.Close()
}

// clip keeps the beginning of a failure, with the message of an error answer.
func clip(err error) string {
	text := err.Error()
	if answer, ok := errors.AsType[*openai.Error](err); ok {
		text += ": " + answer.Message
	}
	text = strings.Join(strings.Fields(text), " ")
	return text[:min(len(text), 200)]
}
