package file

import (
	"context"
	"os"
	"sync"
	"time"

	"outrigger/proxy/idempotency/claims"
	"outrigger/proxy/idempotency/store/quota"
	"outrigger/proxy/idempotency/store/record"

	bolt "go.etcd.io/bbolt"
)

// file is the Store of one process at a time, which survives it. The doc of the
// package says what of it survives; the comments here, how.
//
// A create's claim is in the file before Begin returns, so a process that dies leaves
// a record of state Running. Whoever finds one of which it holds no flight, finds an
// Unknown call. A compute's claim is in no file: after a death it may run again.
type Store struct {
	path   string
	limits claims.Limits
	db     *bolt.DB
	opened os.FileInfo // of db's file, as it was when it was opened
	secret [32]byte
	writer writer
	room   claims.Room

	mu      sync.Mutex
	closed  bool
	broken  error // once set, the database is not touched any more
	flights map[claims.Key]*flight
	lost    quota.Markers // of the file, and of those that are about to be in it
}

// flight is a call that this process is about to claim, or has claimed.
type flight struct {
	call  claims.Call
	since time.Time
	token claims.Token

	settled chan struct{} // closed when it is known whether the claim came about
	ended   chan struct{} // closed when the claim ended
	claimed bool          // the claim came about
	ending  bool          // somebody ends it
}

// HashKey implements Store.
func (f *Store) HashKey(context.Context) ([32]byte, error) { return f.secret, nil }

// largestFile bounds one answer in a file, in bytes, whatever the Config: bbolt takes
// values under 2 GiB.
const largest = 256 << 20

// Largest implements Store.
func (f *Store) Largest() int64 { return min(f.limits.Largest(), largest) }

// Begin implements Store. For a create it waits for the disk, whatever the context.
func (f *Store) Begin(ctx context.Context, call claims.Call) (claims.Claim, error) {
	claim, _, err := f.begin(ctx, call)
	return claim, err
}

// begin is Begin that returns, for a call that runs, what is closed at its end.
func (f *Store) begin(ctx context.Context, call claims.Call) (claims.Claim, <-chan struct{}, error) {
	for {
		if err := ctx.Err(); err != nil {
			return claims.Claim{}, nil, err
		}
		other, mine, err := f.enter(call)
		if err != nil {
			return claims.Claim{}, nil, err
		}
		if mine != nil {
			claim, err := f.settle(mine)
			return claim, nil, err
		}
		select {
		case <-other.settled:
		case <-ctx.Done():
			return claims.Claim{}, nil, ctx.Err()
		}
		if claim, runs := f.running(call, other); runs {
			return claim, other.ended, nil
		}
	}
}

// enter returns the flight that has the key, else a new one that has it now.
func (f *Store) enter(call claims.Call) (*flight, *flight, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return nil, nil, err
	}
	if other := f.flights[call.Key]; other != nil {
		return other, nil, nil
	}
	mine := &flight{
		call: call, since: time.Now(), token: claims.NewToken(),
		settled: make(chan struct{}), ended: make(chan struct{}),
	}
	f.flights[call.Key] = mine
	return nil, mine, nil
}

// running returns the claim for a call that meets a settled flight, unless the flight
// has ended or was none.
func (f *Store) running(call claims.Call, other *flight) (claims.Claim, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.flights[call.Key] != other || !other.claimed:
		return claims.Claim{}, false
	case other.call.Print != call.Print:
		return claims.Claim{State: claims.Mismatch}, true
	}
	return claims.Claim{State: claims.Running, Since: other.since}, true
}

// settle looks a flight's call up in the file, and claims it if nothing is there.
func (f *Store) settle(mine *flight) (claims.Claim, error) {
	claim, err := f.lookUp(mine.call)
	if err == nil && claim.State == claims.Claimed && mine.call.Create {
		err = f.mark(mine)
	}
	if err != nil || claim.State != claims.Claimed {
		f.drop(mine, mine.settled)
		return claim, err
	}
	f.mu.Lock()
	mine.claimed = true
	f.mu.Unlock()
	close(mine.settled)
	return claims.Claim{State: claims.Claimed, Since: mine.since, Call: mine.call, Token: mine.token}, nil
}

// mark writes that a create was begun, if there is room for that.
func (f *Store) mark(mine *flight) error {
	f.mu.Lock()
	err := f.lost.Reserve(mine.call.Owner)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	err = f.write(putting(record.Record{State: claims.Running, Call: mine.call, Since: mine.since, At: mine.since}, classLost))
	f.mu.Lock()
	f.lost.Add(mine.call.Owner, -1) // what is written counts by itself
	f.mu.Unlock()
	return err
}

// drop takes a flight away and tells those that wait for it.
func (f *Store) drop(mine *flight, tell chan struct{}) {
	f.mu.Lock()
	delete(f.flights, mine.call.Key)
	f.mu.Unlock()
	close(tell)
}

// Wait implements Store.
func (f *Store) Wait(ctx context.Context, call claims.Call) (claims.Claim, error) {
	for {
		claim, ended, err := f.begin(ctx, call)
		if err != nil || claim.State != claims.Running {
			return claim, err
		}
		select {
		case <-ended:
		case <-f.writer.done:
		case <-ctx.Done():
			return claims.Claim{}, ctx.Err()
		}
	}
}
