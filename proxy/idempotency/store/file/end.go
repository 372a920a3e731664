package file

import (
	"context"
	"errors"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/record"
)

// Finish implements claims.Store.
func (f *Store) Finish(_ context.Context, claim claims.Claim, answer *claims.Answer) error {
	return f.end(claim, func(mine *flight, now time.Time) error {
		if answer.Size() > f.Largest() {
			return errors.Join(claims.ErrTooLarge, f.lose(mine, answer.Status, now))
		}
		r := record.Record{
			State: claims.Done, Call: mine.call, Since: mine.since, At: now,
			Status: answer.Status, Header: answer.Header, Body: answer.Body,
		}
		return f.write(putEdit(r, classOf(r)))
	})
}

// Release implements claims.Store.
func (f *Store) Release(_ context.Context, claim claims.Claim) error {
	return f.end(claim, func(mine *flight, _ time.Time) error {
		if !mine.call.Create {
			return nil // the file does not know it
		}
		return f.write(deleteEdit(mine.call.Key))
	})
}

// Lose implements claims.Store.
func (f *Store) Lose(_ context.Context, claim claims.Claim, status int) error {
	return f.end(claim, func(mine *flight, now time.Time) error { return f.lose(mine, status, now) })
}

// lose writes what is left of a call without its answer. A create is Unknown even when that
// write fails: its record stays Running, without a flight.
func (f *Store) lose(mine *flight, status int, now time.Time) error {
	if !mine.call.Create {
		return nil
	}
	return f.write(putEdit(record.Record{State: claims.Unknown, Call: mine.call, Since: mine.since, At: now, Status: status}, classUnknown))
}

// end ends the flight of a claim, whether or not write succeeds.
func (f *Store) end(claim claims.Claim, write func(*flight, time.Time) error) error {
	mine, err := f.hold(claim)
	if err != nil {
		return err
	}
	defer f.drop(mine, mine.ended)
	return write(mine, time.Now())
}

// hold returns the flight of a claim, which nobody else may end from then on.
func (f *Store) hold(claim claims.Claim) (*flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return nil, err
	}
	mine := f.flights[claim.Call.Key]
	if mine == nil || !mine.claimed || mine.ending || mine.token != claim.Token {
		return nil, claims.ErrNotHeld
	}
	mine.ending = true
	return mine, nil
}
