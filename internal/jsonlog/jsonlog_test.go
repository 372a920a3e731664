package jsonlog

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"testing/synctest"
	"time"
)

// both are the lines that slog's handler and this one write of a record.
func both(r slog.Record) (string, string) {
	var a, b bytes.Buffer
	_ = slog.NewJSONHandler(&a, &slog.HandlerOptions{Level: slog.LevelDebug}).Handle(context.Background(), r)
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool { attrs = append(attrs, a); return true })
	_ = NewHandler(&b, slog.LevelDebug).Line(context.Background(), r.Time, r.Level, r.Message, attrs)
	return a.String(), b.String()
}

func FuzzLinesAreThoseOfSlog(f *testing.F) {
	f.Add("request", "path", "/v1/\"x\"\\\b\f\n\r\t\x00\x1f\x7f", int64(-3), 0.125, true, int64(1e18))
	f.Add("", "k\n", "\xff\u2028\u2029é\U0001F600<>&", int64(math.MinInt64), 1e21, false, int64(0))
	f.Add("m", "", "v", int64(1), 1e-7, false, int64(-62135596800))
	f.Fuzz(func(t *testing.T, message, key, text string, n int64, number float64, truth bool, when int64) {
		r := slog.NewRecord(time.Unix(when, n).UTC(), slog.Level(n%20), message, 0)
		r.AddAttrs(slog.String(key, text), slog.Int64("n", n), slog.Uint64("u", uint64(n)), slog.Float64("f", number),
			slog.Float64("ms", float64(n%1e9)/1000), slog.Bool("b", truth), slog.Duration("d", time.Duration(n)))
		if want, got := both(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestRecordsThatAreNotPlainAreSlogs(t *testing.T) {
	for _, a := range []slog.Attr{
		slog.Any("error", errors.New("gone")), slog.Group("g", slog.Int("n", 1)), slog.Time("t", time.Unix(1, 5).UTC()),
		slog.Any("list", []int{1, 2}), slog.Any("secret", hidden("x")), slog.Float64("nan", math.NaN()),
		{},
	} {
		r := slog.NewRecord(time.Unix(1, 0), slog.LevelInfo, "m", 0)
		r.AddAttrs(slog.Int("before", 1), a, slog.Int("after", 2))
		if want, got := both(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

type hidden string

func (hidden) LogValue() slog.Value { return slog.StringValue("***") }

func TestItIsAHandlerAsSlogWantsThem(t *testing.T) {
	var out bytes.Buffer
	err := slogtest.TestHandler(NewHandler(&out, slog.LevelInfo), func() []map[string]any {
		var all []map[string]any
		for line := range strings.Lines(out.String()) {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			all = append(all, m)
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAPlainLineAllocatesAtMostNothing(t *testing.T) {
	h, at := NewHandler(io.Discard, slog.LevelInfo), time.Unix(1, 5)
	attrs := []slog.Attr{slog.String("id", "a"), slog.Float64("ms", 1.25), slog.Int("n", 1), slog.Bool("b", true)}
	allocated := testing.AllocsPerRun(1000, func() {
		_ = h.Line(context.Background(), at, slog.LevelInfo, "request", attrs)
	})
	if allocated > 0.5 { // the pool may be emptied by a collection meanwhile
		t.Errorf("%v allocations for a line, want none", allocated)
	}
}

// pieces keeps what was written, piece by piece.
type pieces struct {
	mu   sync.Mutex
	list []string
}

func (p *pieces) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, string(b))
	return len(b), nil
}

func (p *pieces) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.list)
}

func TestAQuietLogIsWrittenAtOnceAndABusyOneInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out pieces
		w := NewWriter(&out)
		write := func(text string) { _, _ = w.Write([]byte(text)) }
		write("1")
		if len(out.all()) != 1 {
			t.Fatalf("%q is written, want the first line at once", out.all())
		}
		write("2")
		write("3")
		if len(out.all()) != 1 {
			t.Fatalf("%q is written, want the next lines to wait", out.all())
		}
		time.Sleep(Delay + time.Nanosecond)
		synctest.Wait()
		if len(out.all()) != 2 || out.all()[1] != "23" {
			t.Fatalf("%q, want both after the delay", out.all())
		}
		write("4")
		if err := w.Flush(); err != nil || len(out.all()) != 3 || out.all()[2] != "4" {
			t.Fatalf("%q, want what waits to be flushed", out.all())
		}
		write(strings.Repeat("x", most))
		if len(out.all()) != 4 {
			t.Fatalf("%d pieces, want a full buffer to be written", len(out.all()))
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(out.all()) != 4 {
			t.Fatalf("%d pieces, want nothing twice", len(out.all()))
		}
		write("5")
		if len(out.all()) != 5 {
			t.Fatalf("%q, want a line at once after a quiet second", out.all()[4:])
		}
	})
}

func TestAWarningIsWrittenAtOnceWithAllBeforeIt(t *testing.T) {
	for name, warn := range map[string]func(h *Handler){
		"a record":              func(h *Handler) { slog.New(h).Warn("warned") },
		"of a logger with more": func(h *Handler) { slog.New(h).With(slog.Int("a", 1)).WithGroup("g").Warn("warned", slog.Int("b", 2)) },
		"a line": func(h *Handler) {
			_ = h.Line(context.Background(), time.Now(), slog.LevelWarn, "warned", []slog.Attr{slog.Int("n", 1)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out pieces
				h := NewHandler(NewWriter(&out), slog.LevelInfo)
				slog.New(h).Info("first")
				slog.New(h).Info("waits")
				warn(h)
				if text := strings.Join(out.all(), ""); !strings.Contains(text, "waits") || !strings.Contains(text, "warned") {
					t.Errorf("%q is written", text)
				}
			})
		})
	}
}
