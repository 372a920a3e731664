package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"outrigger/internal/otlp"
	"outrigger/proxy/call"
	"outrigger/proxy/observe"
)

// fake is a collector that does what take says.
type fake struct {
	take func(ctx context.Context) error

	mu    sync.Mutex
	spans int
}

func (*fake) Start(context.Context) error { return nil }
func (*fake) Stop(context.Context) error  { return nil }

func (f *fake) UploadTraces(ctx context.Context, all []*tracepb.ResourceSpans) error {
	if err := f.take(ctx); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, resource := range all {
		for _, scope := range resource.ScopeSpans {
			f.spans += len(scope.Spans)
		}
	}
	return nil
}

// tested is a Tracer with what it tells.
type tested struct {
	*Tracer
	counts *observe.TraceSpans
	log    *bytes.Buffer
}

func newTested(t *testing.T, f *fake, variables ...string) *tested {
	t.Helper()
	s, mistakes := otlp.Load(append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://user:secret@collector.test"}, variables...))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	x := &tested{log: &bytes.Buffer{}}
	var err error
	if x.counts, err = observe.NewTraceSpans(prometheus.NewRegistry()); err != nil {
		t.Fatal(err)
	}
	if x.Tracer, err = New(&s, f, Deps{Log: slog.New(slog.NewTextHandler(x.log, nil)), Spans: x.counts, Version: "1"}); err != nil {
		t.Fatal(err)
	}
	return x
}

// request has one request recorded, with one attempt.
func (x *tested) request(id string) {
	c := &call.Call{ID: id, Method: http.MethodPost, Path: "/v1/embeddings", Start: time.Now()}
	x.Enter(c, http.Header{})
	x.Send(c, observe.Sending{Number: 1, Start: time.Now(), Lane: "openai", Scheme: "https", Host: "api.openai.com"}, http.Header{})
	x.Span(id, observe.Span{Kind: observe.SpanAttempt, Lane: "openai", Reason: "final", Start: c.Start, End: time.Now(), Try: observe.Try{Number: 1, Status: 200}})
	x.Done(&observe.Event{Call: c, Result: &call.Result{Status: 200, Source: call.SourceUpstream, Attempts: 1}, End: time.Now()})
}

// want compares the counts.
func (x *tested) want(t *testing.T, exported, failed, dropped float64) {
	t.Helper()
	got := fmt.Sprint(testutil.ToFloat64(x.counts.Exported), testutil.ToFloat64(x.counts.Failed), testutil.ToFloat64(x.counts.Dropped))
	if want := fmt.Sprint(exported, failed, dropped); got != want {
		t.Errorf("exported, failed and dropped: %s, want %s", got, want)
	}
}

func TestTracer_KeepsNothingOfRequestsThatEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{take: func(context.Context) error { return nil }}
		x := newTested(t, f)
		for i := range 100 {
			x.request(fmt.Sprint(i))
		}
		x.requests.Range(func(id, _ any) bool {
			t.Errorf("request %v is kept", id)
			return true
		})
		x.Close()
		x.want(t, 200, 0, 0)
		if f.spans != 200 {
			t.Errorf("the collector got %d spans", f.spans)
		}
	})
}

// A collector that does not answer costs no request any time, and memory up to the queue's
// bound: what is more is dropped and counted.
func TestTracer_DropsWhatTheCollectorDoesNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{take: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		x := newTested(t, f, "OTEL_BSP_MAX_QUEUE_SIZE=10", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=10")
		start := time.Now()
		for i := range 50 {
			x.request(fmt.Sprint(i))
			synctest.Wait()
		}
		if took := time.Since(start); took > 0 {
			t.Errorf("requests waited for %s", took)
		}
		x.want(t, 0, 0, 90)
		x.Close()
		if took := time.Since(start); took > shutdown {
			t.Errorf("Close took %s", took)
		}
		synctest.Wait()
		if log := x.log.String(); strings.Count(log, "spans are lost") != 1 || strings.Contains(log, "secret") {
			t.Errorf("log:\n%s", log)
		}
	})
}

// The log says once a minute that spans get lost, and once that they no longer do.
func TestTracer_TellsWhenSpansAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var down atomic.Bool
		down.Store(true)
		x := newTested(t, &fake{take: func(context.Context) error {
			if down.Load() {
				return errors.New("connection refused")
			}
			return nil
		}})
		for i := range 18 { // for three minutes
			x.request(fmt.Sprint(i))
			time.Sleep(10 * time.Second)
		}
		down.Store(false)
		x.request("last")
		x.Close()
		x.want(t, 2, 36, 0)
		log := x.log.String()
		if strings.Count(log, "spans are lost") != 3 || strings.Count(log, "connection refused") != 3 || !strings.Contains(log, "lost=36") {
			t.Errorf("log:\n%s", log)
		}
	})
}

func TestTracer_CountsWhatTheCollectorRejects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newTested(t, &fake{take: func(context.Context) error { return otlp.RejectedError(3) }})
		for i := range 5 {
			x.request(fmt.Sprint(i))
		}
		x.Close()
		x.want(t, 7, 3, 0)
	})
}

// A request that a sampler does not choose is recorded nowhere.
func TestTracer_SamplesNothingIfToldSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{take: func(context.Context) error { return nil }}
		x := newTested(t, f, "OTEL_TRACES_SAMPLER=always_off")
		x.request("a")
		x.Close()
		x.want(t, 0, 0, 0)
	})
}
