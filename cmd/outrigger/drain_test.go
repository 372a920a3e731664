package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// fakeTraffic is a proxy and its server, in which requests end when told, on the
// clock of the bubble. It notes what is done to it and when.
type fakeTraffic struct {
	start    time.Time
	ready    *atomic.Bool
	inflight atomic.Int32
	shutdown time.Duration // how long Shutdown takes
	stubborn bool          // requests go on when cancelled
	until    time.Duration // from start: what TurnAway was told
	events   []string
}

func (f *fakeTraffic) note(event string) {
	f.events = append(f.events, fmt.Sprintf("%v %s (ready %v, %d running)", time.Since(f.start), event, f.ready.Load(), f.inflight.Load()))
}

func (f *fakeTraffic) Drain() { f.note("drain") }

func (f *fakeTraffic) TurnAway(until time.Time) { f.until = until.Sub(f.start) }

func (f *fakeTraffic) Cancel(cause error) {
	f.note("cancel: " + cause.Error())
	if !f.stubborn {
		f.inflight.Store(0)
	}
}
func (f *fakeTraffic) Inflight() int               { return int(f.inflight.Load()) }
func (f *fakeTraffic) SetKeepAlivesEnabled(v bool) { f.note(fmt.Sprintf("keep-alives %v", v)) }
func (f *fakeTraffic) Close() error                { f.note("close"); return nil }
func (f *fakeTraffic) Shutdown(ctx context.Context) error {
	f.note("shutdown")
	if !sleep(ctx, f.shutdown) {
		return ctx.Err()
	}
	return nil
}

func TestDrainGoesThroughItsPhases(t *testing.T) {
	const (
		cancelled = "cancel: the process is shutting down"
		aborted   = "cancel: stopped at once by a second signal"
	)
	for name, tt := range map[string]struct {
		delay, timeout time.Duration
		inflight       int32
		endAfter       time.Duration // the requests; 0 is never
		shutdown       time.Duration
		stubborn       bool
		abortAfter     time.Duration // 0 is never
		want           []string
		wantErr        error
	}{
		"nothing runs": {
			timeout: 25 * time.Second,
			want: []string{
				"0s drain (ready false, 0 running)", "0s keep-alives false (ready false, 0 running)",
				"0s shutdown (ready false, 0 running)", "0s close (ready false, 0 running)",
			},
		},
		"running requests finish": {
			delay: 5 * time.Second, timeout: 25 * time.Second, inflight: 50, endAfter: 19990 * time.Millisecond,
			want: []string{
				"5s drain (ready false, 50 running)", "5s keep-alives false (ready false, 50 running)",
				"20s shutdown (ready false, 0 running)", "20s close (ready false, 0 running)",
			},
		},
		"they finish during the delay": {
			delay: 5 * time.Second, timeout: 25 * time.Second, inflight: 1, endAfter: time.Second,
			want: []string{
				"5s drain (ready false, 0 running)", "5s keep-alives false (ready false, 0 running)",
				"5s shutdown (ready false, 0 running)", "5s close (ready false, 0 running)",
			},
		},
		"they do not finish": {
			delay: time.Second, timeout: 25 * time.Second, inflight: 2,
			want: []string{
				"1s drain (ready false, 2 running)", "1s keep-alives false (ready false, 2 running)",
				"26s " + cancelled + " (ready false, 2 running)",
				"26s shutdown (ready false, 0 running)", "26s close (ready false, 0 running)",
			},
		},
		"they do not even end when cancelled": {
			timeout: 25 * time.Second, inflight: 2, stubborn: true,
			want: []string{
				"0s drain (ready false, 2 running)", "0s keep-alives false (ready false, 2 running)",
				"25s " + cancelled + " (ready false, 2 running)", "26s close (ready false, 2 running)",
			},
		},
		"no time to finish": {
			inflight: 2,
			want: []string{
				"0s drain (ready false, 2 running)", "0s keep-alives false (ready false, 2 running)",
				"0s " + cancelled + " (ready false, 2 running)",
				"0s shutdown (ready false, 0 running)", "0s close (ready false, 0 running)",
			},
		},
		"connections do not close": {
			timeout: 25 * time.Second, shutdown: time.Hour,
			want: []string{
				"0s drain (ready false, 0 running)", "0s keep-alives false (ready false, 0 running)",
				"0s shutdown (ready false, 0 running)", "25s " + cancelled + " (ready false, 0 running)",
				"25s shutdown (ready false, 0 running)", "26s close (ready false, 0 running)",
			},
		},
		"a second signal during the delay": {
			delay: 5 * time.Second, timeout: 25 * time.Second, inflight: 2, abortAfter: time.Second,
			want: []string{
				"1s drain (ready false, 2 running)", "1s " + aborted + " (ready false, 2 running)", "1s close (ready false, 0 running)",
			},
			wantErr: errAborted,
		},
		"a second signal while requests finish": {
			timeout: 25 * time.Second, inflight: 2, abortAfter: time.Second,
			want: []string{
				"0s drain (ready false, 2 running)", "0s keep-alives false (ready false, 2 running)",
				"1s drain (ready false, 2 running)", "1s " + aborted + " (ready false, 2 running)", "1s close (ready false, 0 running)",
			},
			wantErr: errAborted,
		},
		"a second signal, and they do not even end when cancelled": {
			timeout: 25 * time.Second, inflight: 2, stubborn: true, abortAfter: time.Second,
			want: []string{
				"0s drain (ready false, 2 running)", "0s keep-alives false (ready false, 2 running)",
				"1s drain (ready false, 2 running)", "1s " + aborted + " (ready false, 2 running)", "2s close (ready false, 2 running)",
			},
			wantErr: errAborted,
		},
		"a second signal while cancelled ones end": {
			timeout: 25 * time.Second, inflight: 2, stubborn: true, abortAfter: 25500 * time.Millisecond,
			want: []string{
				"0s drain (ready false, 2 running)", "0s keep-alives false (ready false, 2 running)",
				"25s " + cancelled + " (ready false, 2 running)", "25.5s close (ready false, 2 running)",
			},
			wantErr: errAborted,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ready := &atomic.Bool{}
				ready.Store(true)
				f := &fakeTraffic{start: time.Now(), ready: ready, shutdown: tt.shutdown, stubborn: tt.stubborn}
				f.inflight.Store(tt.inflight)
				abort, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.abortAfter > 0 {
					time.AfterFunc(tt.abortAfter, func() { cancel(errAborted) })
				}
				if tt.endAfter > 0 {
					time.AfterFunc(tt.endAfter, func() { f.inflight.Store(0) })
				}
				d := &drain{log: slog.New(slog.DiscardHandler), delay: tt.delay, timeout: tt.timeout, ready: ready, proxy: f, server: f}
				if err := d.run(abort); !errors.Is(err, tt.wantErr) || (err == nil) != (tt.wantErr == nil) {
					t.Errorf("error %v, want %v", err, tt.wantErr)
				}
				if tt.abortAfter != time.Second && f.until != tt.delay+tt.timeout {
					t.Errorf("those are turned away that wait for longer than %s", f.until)
				}
				if !reflect.DeepEqual(f.events, tt.want) {
					t.Errorf("got\n%s\nwant\n%s", strings.Join(f.events, "\n"), strings.Join(tt.want, "\n"))
				}
			})
		})
	}
}

func TestDrainLogsEachPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		ready := &atomic.Bool{}
		f := &fakeTraffic{start: time.Now(), ready: ready}
		f.inflight.Store(2)
		log := newLogger(&out, "json", slog.LevelInfo, false)
		d := &drain{log: log, delay: time.Second, timeout: time.Second, ready: ready, proxy: f, server: f}
		if err := d.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(out.String()) {
			var entry struct{ Msg string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			got = append(got, entry.Msg)
		}
		want := []string{
			"drain: not ready any more, still taking requests",
			"drain: refusing new requests, waiting for running ones",
			"drain: out of time, cancelling what still runs",
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
