package idempotency

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/wire"
)

// storeTime is how long a store may take to end a claim. A store bounds its own
// round trips; this is for one that does not.
const storeTime = 10 * time.Second

// toldFull is what the log is told once when the store takes nothing in.
const toldFull = "idempotent answers cannot be stored: they are served without, and creates with a key refused where they cannot be claimed"

// settle ends the claim of a call that is over, and returns what became of it. From
// here on the next call with its key asks the store.
func (s *Calls) settle(f *Flight, whole bool) string {
	if f.rejoin {
		return ""
	}
	defer s.leave(f)
	result, err := resultNoStore, error(nil)
	if !f.unstored {
		ctx, cancel := context.WithTimeout(context.Background(), storeTime)
		defer cancel()
		result, err = s.end(ctx, f, whole)
	}
	switch {
	case errors.Is(err, claims.ErrTooLarge):
		result = resultTooLarge
	case err != nil:
		result = resultUnstored
		s.full(err)
	case result == resultStored && s.room.over():
		s.changed(ofRoom, slog.LevelInfo, "idempotent answers are stored again")
	}
	s.count(result)
	return result
}

// end ends f's claim: its answer is stored, or its key is free again, or, where doing
// it again could create twice, kept.
func (s *Calls) end(ctx context.Context, f *Flight, whole bool) (string, error) {
	c := f.ended
	status, header, body, kept := f.Answer.Answer()
	answered := wire.IsSuccess(status) && c.Upstream
	switch {
	case answered && whole && kept && !c.Failed:
		return resultStored, s.Store.Finish(ctx, f.claim, &claims.Answer{Status: status, Header: storable(header), Body: body})
	case answered && whole && !kept:
		return resultTooLarge, s.Store.Lose(ctx, f.claim, status)
	case f.asked.Create && c.MayBeDone(status):
		if c.Local {
			status = 0 // it is Outrigger's own
		}
		return resultLost, s.Store.Lose(ctx, f.claim, status)
	}
	return resultFailed, s.Store.Release(ctx, f.claim)
}

// storable returns the header of an answer as later callers are given it: without
// what was meant for one connection or one caller, and without Outrigger's own,
// which is made anew each time. Hop-by-hop headers were taken out by the relay.
func storable(h http.Header) http.Header {
	kept := make(http.Header, len(h))
	for name, values := range h {
		if len(values) == 0 || name == "Set-Cookie" || name == "Connection" || slices.Contains(wire.Own[:], name) {
			continue
		}
		kept[name] = values
	}
	return kept
}
