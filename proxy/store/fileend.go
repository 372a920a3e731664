package store

import (
	"context"
	"errors"
	"time"
)

// Finish implements Store.
func (f *file) Finish(_ context.Context, claim Claim, answer *Answer) error {
	return f.end(claim, func(mine *flight, now time.Time) error {
		if answer.Size() > f.Largest() {
			return errors.Join(ErrTooLarge, f.lose(mine, answer.Status, now))
		}
		r := record{
			state: Done, call: mine.call, since: mine.since, at: now,
			status: answer.Status, header: answer.Header, body: answer.Body,
		}
		return f.write(putting(r, classOf(r)))
	})
}

// Release implements Store.
func (f *file) Release(_ context.Context, claim Claim) error {
	return f.end(claim, func(mine *flight, _ time.Time) error {
		if !mine.call.Create {
			return nil // it is in no file
		}
		return f.write(deleting(mine.call.Key))
	})
}

// Lose implements Store.
func (f *file) Lose(_ context.Context, claim Claim, status int) error {
	return f.end(claim, func(mine *flight, now time.Time) error { return f.lose(mine, status, now) })
}

// lose writes what is left of a call without its answer. A create that even that
// fails for is Unknown all the same: its record stays Running, without a flight.
func (f *file) lose(mine *flight, status int, now time.Time) error {
	if !mine.call.Create {
		return nil
	}
	return f.write(putting(record{state: Unknown, call: mine.call, since: mine.since, at: now, status: status}, classLost))
}

// end ends the flight that the claim is for, whether or not write succeeds.
func (f *file) end(claim Claim, write func(*flight, time.Time) error) error {
	mine, err := f.hold(claim)
	if err != nil {
		return err
	}
	defer f.drop(mine, mine.ended)
	return write(mine, time.Now())
}

// hold returns the flight that the claim is for, which then is nobody else's to end.
func (f *file) hold(claim Claim) (*flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return nil, err
	}
	mine := f.flights[claim.call.Key]
	if mine == nil || !mine.claimed || mine.ending || mine.token != claim.token {
		return nil, ErrNotHeld
	}
	mine.ending = true
	return mine, nil
}
