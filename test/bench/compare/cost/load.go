package cost

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// connections of the closed loop.
const connections = 64

// errFailed is the error of a load of which more than a tenth failed. Go's ReverseProxy, and so
// Caddy, cuts some answers that overtake the end of the request (golang/go#40747).
var errFailed = errors.New("more than a tenth of the calls failed")

// closed has each connection make one call after another for a time. It returns how many
// calls there were and how long they took together.
func (s *subject) closed(ctx context.Context, lasts time.Duration) (int, time.Duration, error) {
	var calls, failed atomic.Int64
	var sample atomic.Pointer[error]
	began := time.Now()
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			for time.Since(began) < lasts && ctx.Err() == nil {
				if err := s.ask(ctx); err != nil {
					sample.Store(&err)
					if failed.Add(1) > 1000 {
						return
					}
					continue
				}
				calls.Add(1)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	if failed.Load() > 0 && failed.Load() >= calls.Load()/10 {
		return 0, 0, errors.Join(errFailed, *sample.Load())
	}
	return int(calls.Load()), took, ctx.Err()
}

// mostOpen is how many calls of an open loop may be under way: more would measure the load
// generator's queue.
const mostOpen = 2000

// open makes calls at a rate for a time, whatever becomes of them, and returns how long
// those took that succeeded, in order.
func (s *subject) open(ctx context.Context, perSecond float64, lasts time.Duration, call func(context.Context) (time.Duration, error)) ([]time.Duration, error) {
	n := int(perSecond * lasts.Seconds())
	took := make([]time.Duration, n)
	places := make(chan struct{}, mostOpen)
	var failed atomic.Int64
	var sample atomic.Pointer[error]
	began := time.Now()
	var all sync.WaitGroup
	for i := range n {
		rest(ctx, time.Until(began.Add(time.Duration(float64(i)/perSecond*float64(time.Second)))))
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			var err error
			if took[i], err = call(ctx); err != nil {
				took[i] = 0
				failed.Add(1)
				sample.Store(&err)
			}
		})
	}
	all.Wait()
	if failed.Load() > int64(n/10) {
		return nil, errors.Join(errFailed, *sample.Load())
	}
	took = slices.DeleteFunc(took, func(d time.Duration) bool { return d == 0 })
	slices.Sort(took)
	return took, ctx.Err()
}

// rest waits for a time, or for the end of all.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// timed is one call without a stream.
func (s *subject) timed(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	err := s.ask(ctx)
	return time.Since(began), err
}

// quantile of a sorted list.
func quantile(sorted []time.Duration, share float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
