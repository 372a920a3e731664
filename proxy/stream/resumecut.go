package stream

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"time"

	"outrigger/policy/endpoint"
	"outrigger/proxy/apierror"
)

// maxResumes is how many resumes in a row may bring nothing.
const maxResumes = 2

var (
	errNotResumed = errors.New("the upstream told an error instead of the rest")
	errGap        = errors.New("the upstream did not go on where the stream was cut")
)

// judge says whether the next event is to be passed on. An error says that the resumed
// stream is not the rest of this one.
func (r *resuming) judge(event []byte) (bool, error) {
	w := r.watcher
	w.Reset(endpoint.Responses)
	_, _ = w.Write(event)
	number := w.Sequence()
	_, failed := w.Error()
	ends := failed || w.Done()
	switch {
	case w.Events() == 0, r.over: // a comment, or what follows the end
		return true, nil
	case r.last < 0: // the first one
		if r.id == "" {
			r.id = responseID(event)
		}
		if r.id == "" || number < 0 {
			r.passAsIs()
			return true, nil
		}
	case number < 0:
		if failed && r.again && !r.fresh {
			r.tell(", and it could not be resumed: " + r.x.errorText(event))
			return false, errNotResumed
		}
		r.over = r.over || ends && !r.behind
		return !r.behind, nil
	case number <= r.last && !r.again: // gateways number all events 0
		r.passAsIs()
		return true, nil
	case number <= r.last:
		r.behind = true
		return false, nil
	case number != r.last+1 && r.again && !r.fresh && r.gapless:
		r.tell(", and the upstream went on with event " + strconv.FormatInt(number, 10) + " after event " + strconv.FormatInt(r.last, 10))
		return false, errGap
	case number != r.last+1:
		r.gapless = false
	}
	r.over, r.last, r.behind, r.half = ends, number, false, nil
	if r.again && !r.fresh {
		r.fresh, r.fails, r.hint = true, 0, 0
		r.resumes.Add(1)
		r.tell("")
		r.note(resumeDone, 0)
	}
	return true, nil
}

// ended looks at the end of the present connection: it is the answer's, or a cut that is
// mended if it can be.
func (r *resuming) ended(err error) {
	result := resumeCut
	if errors.Is(err, errNotResumed) || errors.Is(err, errGap) {
		result = resumeRefused
		r.events.dropRest()
	}
	half := r.events.rest()
	if r.over || r.plain || r.id == "" || r.last < 0 || r.a.Ctx.Err() != nil || r.complete(half) {
		r.events.passAll()
		r.end(err)
		return
	}
	if len(half) > 0 {
		r.half = slices.Clone(half)
	}
	r.events.dropRest()
	if r.cut.IsZero() {
		r.cut = time.Now()
	}
	r.letGo()
	if r.again && !r.fresh {
		r.fails++
		r.note(result, 0)
	}
	for r.fails < maxResumes && r.a.Ctx.Err() == nil {
		if !time.Now().Before(r.limit()) {
			r.tooLate()
			break
		}
		if r.resume() {
			return
		}
		r.fails++
	}
	r.events.append(r.half)
	r.half = nil
	r.end(err)
}

// letGo closes the connection that was cut, and notes whether that was for its silence.
func (r *resuming) letGo() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Release(apierror.ErrAbandoned)
	r.idled, r.silent = r.silent, false
}

// end lets the reader see the end as it was.
func (r *resuming) end(err error) {
	r.mu.Lock()
	silent := r.silent || r.idled
	r.mu.Unlock()
	if silent && r.a.Ctx.Err() == nil {
		r.a.Cancel(apierror.ErrStreamIdle)
	}
	r.err = err
}

// complete gives half an event its end if it lacks no more than that, and is the last one.
func (r *resuming) complete(half []byte) bool {
	if len(half) == 0 {
		return false
	}
	r.watcher.Reset(endpoint.Responses)
	_, _ = r.watcher.Write(half)
	missing := r.watcher.End()
	if _, failed := r.watcher.Error(); !failed && !r.watcher.Done() {
		return false
	}
	r.events.endLine(bytes.TrimRight(missing, "\n"))
	return true
}

// limit is when a cut has to be mended: within the window, and before the caller has seen a
// silence of twice what the upstream may be silent for.
func (r *resuming) limit() time.Time {
	if at := r.cut.Add(r.idle); r.idle > 0 && at.Before(r.until) {
		return at
	}
	return r.until
}

// patience is how long the present connection may be silent from now on; 0 is no bound.
func (r *resuming) patience(now time.Time) time.Duration {
	switch {
	case r.idle <= 0:
		return 0
	case r.cut.IsZero():
		return r.idle
	}
	return max(r.cut.Add(r.idle).Sub(now), time.Millisecond)
}
