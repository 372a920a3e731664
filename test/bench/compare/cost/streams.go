package cost

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/test/bench/traffic"
)

var errShort = errors.New("a stream ended early")

// events calls back for each event of the stream, until it ends or the callback wants no more.
func (s *subject) events(ctx context.Context, run traffic.Run, each func(n int) bool) error {
	response, err := s.post(ctx, s.endpoint.Named(run.Question(promptSize)))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewReader(response.Body)
	for n := 0; ; {
		line, err := lines.ReadSlice('\n')
		if bytes.HasPrefix(line, []byte("data:")) {
			if n++; !each(n) {
				return nil
			}
		}
		if errors.Is(err, io.EOF) {
			if n < run.Events {
				return errShort
			}
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// first is one stream: the time to its first event. It is read to its end.
func (s *subject) first(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	var took time.Duration
	err := s.events(ctx, traffic.Run{Events: 20, Pace: 20 * time.Millisecond}, func(n int) bool {
		if n == 1 {
			took = time.Since(began)
		}
		return true
	})
	return took, err
}

// The load that tells what one event costs: long streams, of which a part of the time counts.
const (
	longStreams = 16
	longPace    = time.Millisecond
	longSettles = 400 * time.Millisecond
	longCounts  = 1200 * time.Millisecond
)

// perEvent is the CPU time of one event of a long stream, without that of the request.
func (s *subject) perEvent(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var seen atomic.Int64
	failures := make(chan error, longStreams)
	var all sync.WaitGroup
	for range longStreams {
		all.Go(func() {
			err := s.events(ctx, traffic.Run{Events: 1 << 30, Pace: longPace}, func(int) bool { seen.Add(1); return true })
			if ctx.Err() == nil {
				failures <- err
			}
		})
	}
	rest(ctx, longSettles)
	before, err := s.process.CPU()
	from := seen.Load()
	rest(ctx, longCounts)
	after, err2 := s.process.CPU()
	events := seen.Load() - from
	cancel()
	all.Wait()
	if len(failures) > longStreams/4 { // some of the bare proxy's: see errFailed
		return 0, errors.Join(errShort, <-failures)
	}
	if events == 0 {
		return 0, errors.Join(errShort, err)
	}
	return (after - before) / time.Duration(events), errors.Join(err, err2)
}

// held are streams that wait after their first event.
type held struct {
	count  atomic.Int64
	cancel context.CancelFunc
	all    sync.WaitGroup
}

// hold opens streams until there are so many, some at a time, or gives up after patience
// and returns false.
func (h *held) hold(ctx context.Context, s *subject, streams int, patience time.Duration) bool {
	const together = 64
	places := make(chan struct{}, together)
	limit := time.After(patience)
	for range streams - int(h.count.Load()) {
		select {
		case places <- struct{}{}:
		case <-limit:
			return false
		}
		h.all.Go(func() {
			opened := sync.OnceFunc(func() { <-places })
			defer opened()
			_ = s.events(ctx, traffic.Run{Events: 2}, func(n int) bool {
				if n == 1 {
					h.count.Add(1)
					opened()
				}
				return true
			})
		})
	}
	for range together {
		select {
		case places <- struct{}{}:
		case <-limit:
			return false
		}
	}
	return h.count.Load() >= int64(streams)
}

// end closes them.
func (h *held) end() {
	h.cancel()
	h.all.Wait()
}
