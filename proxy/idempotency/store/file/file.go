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

// Store is the claims.Store of one process, in a file that survives the process.
//
// A create's claim is in the file before Begin returns, so a process that dies leaves a
// record of state Running. A call that finds such a record, and no flight of this process,
// is Unknown. A compute's claim is not in the file: after a crash it runs again.
type Store struct {
	path   string
	limits claims.Limits
	db     *bolt.DB
	opened os.FileInfo // of the file when it was opened
	secret [32]byte
	writer writer
	room   claims.Room

	mu      sync.Mutex
	closed  bool
	broken  error // once set, nothing touches the database
	flights map[claims.Key]*flight
	markers quota.Markers // those in the file, and those about to be written
}

// flight is a call that this process is about to claim, or has claimed.
type flight struct {
	call  claims.Call
	since time.Time
	token claims.Token

	resolved chan struct{} // closed when it is known whether the call was claimed
	ended    chan struct{} // closed when the claim ended
	claimed  bool          // the call was claimed
	ending   bool          // somebody is ending it
}

// HashKey implements claims.Store.
func (f *Store) HashKey(context.Context) ([32]byte, error) { return f.secret, nil }

// largest bounds one answer in a file, in bytes, whatever the Limits: bbolt takes values
// under 2 GiB.
const largest = 256 << 20

// Largest implements claims.Store.
func (f *Store) Largest() int64 { return min(f.limits.Largest(), largest) }

// Begin implements claims.Store. For a create it waits for the disk, even when the context
// ends.
func (f *Store) Begin(ctx context.Context, call claims.Call) (claims.Claim, error) {
	claim, _, err := f.begin(ctx, call)
	return claim, err
}

// begin is Begin that also returns, for a running call, the channel that is closed at its
// end.
func (f *Store) begin(ctx context.Context, call claims.Call) (claims.Claim, <-chan struct{}, error) {
	for {
		if err := ctx.Err(); err != nil {
			return claims.Claim{}, nil, err
		}
		other, mine, err := f.join(call)
		if err != nil {
			return claims.Claim{}, nil, err
		}
		if mine != nil {
			claim, err := f.resolve(mine)
			return claim, nil, err
		}
		select {
		case <-other.resolved:
		case <-ctx.Done():
			return claims.Claim{}, nil, ctx.Err()
		}
		if claim, runs := f.running(call, other); runs {
			return claim, other.ended, nil
		}
	}
}

// join returns the flight that has the key, or else enters and returns a new one.
func (f *Store) join(call claims.Call) (*flight, *flight, error) {
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
		resolved: make(chan struct{}), ended: make(chan struct{}),
	}
	f.flights[call.Key] = mine
	return nil, mine, nil
}

// running returns the claim for a call that met a resolved flight, unless that flight has
// ended or claimed nothing.
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

// resolve looks a flight's call up in the file, and claims it if the file knows nothing of
// it.
func (f *Store) resolve(mine *flight) (claims.Claim, error) {
	claim, err := f.lookUp(mine.call)
	if err == nil && claim.State == claims.Claimed && mine.call.Create {
		err = f.writeRunning(mine)
	}
	if err != nil || claim.State != claims.Claimed {
		f.drop(mine, mine.resolved)
		return claim, err
	}
	f.mu.Lock()
	mine.claimed = true
	f.mu.Unlock()
	close(mine.resolved)
	return claims.Claim{State: claims.Claimed, Since: mine.since, Call: mine.call, Token: mine.token}, nil
}

// writeRunning writes that a create has begun, if there is room for its marker.
func (f *Store) writeRunning(mine *flight) error {
	f.mu.Lock()
	err := f.markers.Reserve(mine.call.Owner)
	f.mu.Unlock()
	if err != nil {
		return err
	}
	err = f.write(putEdit(record.Record{State: claims.Running, Call: mine.call, Since: mine.since, At: mine.since}, classUnknown))
	f.mu.Lock()
	f.markers.Add(mine.call.Owner, -1) // the record counts from now on
	f.mu.Unlock()
	return err
}

// drop removes a flight and wakes those that wait for it.
func (f *Store) drop(mine *flight, tell chan struct{}) {
	f.mu.Lock()
	delete(f.flights, mine.call.Key)
	f.mu.Unlock()
	close(tell)
}

// Wait implements claims.Store.
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
