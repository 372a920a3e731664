package admission

import (
	"time"

	"outrigger/policy/limit"
	"outrigger/proxy/apierror"
)

// Close turns away those who wait in these queues and would outlast until.
func (ls *Queues) Close(now, until time.Time) {
	ls.mu.RLock()
	defer ls.mu.RUnlock()
	closed := map[*scheduler]bool{}
	for _, ln := range ls.byKey {
		ts := ln.lock()
		if !closed[ts] {
			closed[ts] = true
			ts.limiter.Close(until)
			ts.release(now)
		}
		ts.mu.Unlock()
		ln.Slots.Close(now, until)
	}
}

// Close turns away those who wait for a slot and would outlast until.
func (s *Slots) Close(now, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = until
	s.queue.expel(func(w *SlotWaiter, ahead int) bool {
		w.closing = s.tooLate(now, ahead, until)
		return w.closing
	})
}

// LineRefusal tells why the queue did not take a request.
func LineRefusal(d limit.Decision, upstream string) *apierror.Error {
	switch d.Reason {
	case limit.QueueFull:
		return apierror.New(apierror.LocalRateLimit, "The line for upstream %q's rate limit is full (OUTRIGGER_QUEUE_MAX). "+
			"A place in it would come up in about %s.", upstream, apierror.Round(d.Wait)).After(d.Wait)
	case limit.Barred:
		return apierror.New(apierror.LocalRateLimit, "Upstream %q said that this credential's limit for the model is used up for another %s, longer than "+
			"anybody waits (OUTRIGGER_RETRY_AFTER_MAX). One request a minute tries whether that still holds.", upstream, apierror.Round(d.Wait)).After(d.Wait)
	case limit.NeverFits:
		e := apierror.New(apierror.LocalRateLimit, "This request alone is larger than upstream %q's token limit, so no wait would let it pass. "+
			"Make the prompt or max_tokens smaller.", upstream)
		e.Later = false
		return e
	}
	return apierror.New(apierror.LocalRateLimit, "Upstream %q's rate limit would let this request pass in about %s, "+
		"after the request's deadline or the longest wait allowed (OUTRIGGER_QUEUE_TIMEOUT).", upstream, apierror.Round(d.Wait)).After(d.Wait)
}
