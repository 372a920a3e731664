package limiter

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"outrigger/internal/memnet"
	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/internal/sim/meter"
)

// chargedOnAdmission makes an upstream charge so many tokens for a call without max_tokens,
// as if it had asked for that many.
func chargedOnAdmission(tokens int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, _ := io.ReadAll(r.Body)
			var body map[string]any
			if json.Unmarshal(text, &body) == nil && body["max_tokens"] == nil {
				body["max_tokens"] = tokens
				text, _ = json.Marshal(body)
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
			r.Header.Set("Content-Length", strconv.Itoa(len(text)))
			next.ServeHTTP(w, r)
		})
	}
}

// blaming makes refusals name tokens as what ran out, where their text is taken away.
type blaming struct{ http.ResponseWriter }

func (w blaming) Write(p []byte) (int, error) {
	_, err := w.ResponseWriter.Write(bytes.Replace(p, []byte(`"type":"requests",`), []byte(`"type":"tokens",  `), 1))
	return len(p), err
}

// WriteString is for io.WriteString.
func (w blaming) WriteString(s string) (int, error) {
	return w.Write([]byte(s)) //nolint:gocritic // Write is where it is changed
}

// Unwrap is for http.ResponseController.
func (w blaming) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func blame(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(blaming{w}, r) })
}

// withoutReset takes out when a limit comes back.
func withoutReset(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(resetless{w}, r) })
}

type resetless struct{ http.ResponseWriter }

func (w resetless) WriteHeader(status int) {
	w.Header().Del("X-Ratelimit-Reset-Tokens")
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w resetless) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// callers makes so many calls one after the other for each of six callers, and returns how
// long all took, and how many succeeded and were refused.
func (g *rig) callers(calls int, what func(caller, n int) (id string, c call)) (time.Duration, int64, int64) {
	var wg sync.WaitGroup
	var succeeded atomic.Int64
	refused := int64(0)
	for i := range 6 {
		wg.Go(func() {
			for n := range calls {
				id, c := what(i, n)
				if a := g.do(context.Background(), id, c); a.status == http.StatusOK {
					succeeded.Add(1)
				} else {
					g.t.Logf("%d %.200s", a.status, a.body)
				}
			}
		})
	}
	wg.Wait()
	for _, e := range g.sim.Ledger().Entries(ledger.Filter{}) {
		if e.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	return time.Since(g.start), succeeded.Load(), refused
}

// TestTokens_ConstantChargeOfUnboundedCallsIsLearned has 30,000 tokens per minute and six
// callers. A call without max_tokens is charged 6,500 tokens and its prompt on admission,
// whatever the estimate says.
func TestTokens_ConstantChargeOfUnboundedCallsIsLearned(t *testing.T) {
	const tpm, charge, calls = 30_000, 6500, 5
	upstreams := map[string]struct {
		of      func(http.Handler) http.Handler
		ratio   float64 // of the ideal time, at most
		refused float64 // at most
	}{
		"headers and text":      {full.of, 1.25, 6},
		"text":                  {text.of, 1.25, 6},
		"headers":               {func(h http.Handler) http.Handler { return blame(headers.of(h)) }, 1.25, 9},
		"headers without reset": {func(h http.Handler) http.Handler { return withoutReset(blame(headers.of(h))) }, 1.5, 9},
		"headers, Retry-After":  {func(h http.Handler) http.Handler { return blame(headersRA.of(h)) }, 1.25, 9},
	}
	loads := map[string]func(i, n int) (string, call, int){
		"short prompts": func(i, n int) (string, call, int) { return fmt.Sprint(i, n), call{}, charge },
		"long prompts": func(i, n int) (string, call, int) {
			words := strings.Repeat("word ", 200*(1+(5*i+n)%7))
			return fmt.Sprint(i, n, words), call{}, charge + len(words)/4
		},
		"half with max_tokens": func(i, n int) (string, call, int) {
			if i%2 == 0 {
				return fmt.Sprint(i, n), call{tokens: 500}, 500
			}
			return fmt.Sprint(i, n), call{}, charge
		},
	}
	for says, upstream := range upstreams {
		for name, load := range loads {
			for _, thinks := range []time.Duration{thought, 3 * time.Second} {
				t.Run(fmt.Sprint(says, ", ", name, ", ", thinks), func(t *testing.T) {
					config := sim.Config{Latency: thinks, Charge: sim.Sum, Limits: []meter.Limit{{TPM: tpm}}}
					if says == "text" {
						config.Style = sim.NoHeaders
					}
					admits := func(h http.Handler) http.Handler { return chargedOnAdmission(charge)(upstream.of(h)) }
					bubbleBehind(t, config, middling, 0, admits, func(g *rig) {
						var cost atomic.Int64
						took, ok, refused := g.callers(calls, func(i, n int) (string, call) {
							id, c, tokens := load(i, n)
							cost.Add(int64(tokens))
							c.timeout = "600"
							return id, c
						})
						if ok != 6*calls {
							g.t.Errorf("%d of %d succeeded", ok, 6*calls)
						}
						ideal := float64(cost.Load()-tpm)/tpm*60 + thinks.Seconds()
						hold(g.t, "the time as a share of the ideal", took.Seconds()/ideal, upstream.ratio)
						hold(g.t, "refused", float64(refused), upstream.refused)
					})
				})
			}
		}
	}
}

// unhelpful takes everything but the status and the code out of refusals.
type unhelpful struct {
	http.ResponseWriter
	refused bool
}

func (w *unhelpful) WriteHeader(status int) {
	if w.refused = status == http.StatusTooManyRequests; w.refused {
		clear(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
	if w.refused {
		_, _ = io.WriteString(w.ResponseWriter, `{"error":{"message":"Too many requests","type":"tokens","code":"rate_limit_exceeded"}}`)
	}
}

func (w *unhelpful) Write(p []byte) (int, error) {
	if w.refused {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (w *unhelpful) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func bareRefusals(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&unhelpful{ResponseWriter: w}, r) })
}

// TestTokens_ConstantChargeIsLearnedFromWhatRemainingFellBy sends 24 calls at once. Only
// answers tell what remains; refusals tell nothing.
func TestTokens_ConstantChargeIsLearnedFromWhatRemainingFellBy(t *testing.T) {
	const tpm, charge, calls = 30_000, 6500, 24
	for name, network := range map[string]memnet.Latency{"near": near, "middling": middling, "far": far} {
		t.Run(name, func(t *testing.T) {
			admits := func(h http.Handler) http.Handler { return chargedOnAdmission(charge)(bareRefusals(h)) }
			bubbleBehind(t, sim.Config{Latency: thought, Limits: []meter.Limit{{TPM: tpm}}}, network, 0, admits, func(g *rig) {
				all := burst(calls)
				for i := range all {
					all[i].timeout = "600"
				}
				o := g.send("", all)
				if o.ok != calls {
					g.t.Errorf("%d of %d succeeded", o.ok, calls)
				}
				hold(g.t, "the time as a share of the ideal", o.makespan.Seconds()/(60*(calls*charge-tpm)/tpm), 1.25)
				hold(g.t, "refused", float64(len(o.refused)), 4)
			})
		})
	}
}

// TestTokens_WhatOthersUseIsNotTakenForACharge has somebody else use four times what comes
// in, in requests of 100 tokens. The proxy's own calls cost a few tokens and always fit.
func TestTokens_WhatOthersUseIsNotTakenForACharge(t *testing.T) {
	for _, at := range []struct {
		name string
		n    int
		each time.Duration
	}{{"one per second", 1, time.Second}, {"five at once", 5, 5 * time.Second}} {
		t.Run(at.name, func(t *testing.T) {
			bubble(t, sim.Config{Latency: thought, Limits: []meter.Limit{{TPM: 60_000}}}, near, 0, func(g *rig) {
				other, stop := g.bare()
				defer stop()
				var wg sync.WaitGroup
				for from := time.Duration(0); from < time.Minute; from += 25 * time.Millisecond {
					wg.Go(func() {
						time.Sleep(from) // the bubble's clock
						other.do(context.Background(), "other"+from.String(), call{tokens: 100})
					})
				}
				var calls []call
				for from := time.Duration(0); from < time.Minute; from += at.each {
					for range at.n {
						calls = append(calls, call{at: from})
					}
				}
				o := g.send("own", calls)
				wg.Wait()
				if o.ok != len(calls) {
					g.t.Errorf("%d of %d succeeded", o.ok, len(calls))
				}
				hold(g.t, "the seconds within which 99 of 100 were answered", p99(o.answers), 1)
			})
		})
	}
}
