package idempotency

import (
	"sync"

	"outrigger/proxy/idempotency/claims"
)

// Bounds of the calls that go on without a caller.
const (
	// maxDetached is how many there may be: each has a connection to its upstream.
	maxDetached = 1024
	// detachedShare is the part of OUTRIGGER_MEMORY_MAX and of the descriptors that they may
	// hold together. The rest is for calls that somebody waits for.
	detachedShare = 4
	// detachedCost is what one takes beside its bodies: measured with 10,000 of them, each with
	// a connection to its upstream, and rounded up.
	detachedCost = 48 << 10
)

// detached bounds the calls that go on without a caller, so that they are there when the
// caller's retry comes: by count and by bytes. One credential may hold as much as is left
// for all others, so that none can take all: alone it gets a half, as one of three a quarter. A
// call that finds no room ends with its caller. Safe for concurrent use.
type detached struct {
	room memoryRoom
	most load

	mu     sync.Mutex
	all    load
	shares map[claims.Owner]load // by owner; of those that have none there is no entry
}

// load is what detached calls take.
type load struct{ Calls, Bytes int64 }

// memoryRoom is the memory that all requests share.
type memoryRoom interface {
	Reserve(n int64) bool
	Free(n int64)
}

// attachment is a call's own part of detached, which guards it, and the room of its
// recorded answer.
type attachment struct {
	in       *detached
	owner    claims.Owner // stands for the caller's credential
	bytes    int64        // held by the call's bodies
	detached bool
}

// newDetached bounds them for a process that may have so much memory for bodies and so many
// descriptors, of which 0 is not known.
func newDetached(room memoryRoom, memory int64, descriptors int) *detached {
	most := load{maxDetached, memory / detachedShare}
	if descriptors > 0 {
		most.Calls = min(most.Calls, int64(descriptors/detachedShare))
	}
	return &detached{room: room, most: most, shares: map[claims.Owner]load{}}
}

// enter lets the call of a go on without a caller, and reports whether there was room.
func (d *detached) enter(a *attachment) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.detached {
		return true
	}
	more, own := load{1, a.bytes + detachedCost}, d.shares[a.owner]
	calls, bytes := own.Calls+d.all.Calls+2*more.Calls, own.Bytes+d.all.Bytes+2*more.Bytes
	if calls > d.most.Calls || bytes > d.most.Bytes/8*7 || !d.room.Reserve(detachedCost) { // the rest is for answers
		return false
	}
	a.detached = true
	d.add(a.owner, more)
	return true
}

// leave says that the call of a has a caller again, or is over.
func (d *detached) leave(a *attachment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !a.detached {
		return
	}
	a.detached = false
	d.add(a.owner, load{-1, -a.bytes - detachedCost})
	d.room.Free(detachedCost)
}

// add counts what owner has more, or less. Locked.
func (d *detached) add(owner claims.Owner, more load) {
	own := d.shares[owner]
	own.Calls, own.Bytes = own.Calls+more.Calls, own.Bytes+more.Bytes
	d.all.Calls, d.all.Bytes = d.all.Calls+more.Calls, d.all.Bytes+more.Bytes
	if own.Calls == 0 {
		delete(d.shares, owner)
		return
	}
	d.shares[owner] = own
}

// Load returns what all of them take now.
func (d *detached) Load() load {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}

// Reserve implements recording.Room: an answer that nobody waits for grows inside of the bound,
// whatever share the credential has by now of the half that one may have.
func (a *attachment) Reserve(n int64) bool {
	d := a.in
	d.mu.Lock()
	defer d.mu.Unlock()
	full := a.detached && (d.all.Bytes+n > d.most.Bytes || d.shares[a.owner].Bytes+n > d.most.Bytes/2)
	if full || !d.room.Reserve(n) {
		return false
	}
	a.grow(n)
	return true
}

// Free implements recording.Room.
func (a *attachment) Free(n int64) {
	a.in.mu.Lock()
	defer a.in.mu.Unlock()
	a.in.room.Free(n)
	a.grow(-n)
}

// grow counts n bytes more of the call. Locked.
func (a *attachment) grow(n int64) {
	a.bytes += n
	if a.detached {
		a.in.add(a.owner, load{Bytes: n})
	}
}
