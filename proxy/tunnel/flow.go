package tunnel

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"outrigger/proxy/attempt"
	"outrigger/proxy/call"
	"outrigger/proxy/response"
	"outrigger/proxy/wsframe"
)

// flowBuffer is what an idle direction of a tunnel keeps to read into. While more
// than that comes at once it borrows a larger one.
const flowBuffer = 4 << 10

// flow is one direction of a tunnel.
type flow struct {
	t        *tunnel
	from     io.Reader
	to       io.Writer
	sender   side
	receiver side
	over     atomic.Bool
	stall    *time.Timer

	mu      sync.Mutex // one writer at a time: flow, or drain
	frames  wsframe.Watcher
	bytes   int64
	parting []byte // a frame of Outrigger's own that is to be the last
	parted  bool
}

// run carries bytes until the sender ends, early ones first. What comes for a
// receiver that is gone is read all the same: a connection that is closed with bytes
// unread is reset, and with it what its peer has not read yet.
func (f *flow) run(early []byte) {
	defer f.over.Store(true)
	small := make([]byte, flowBuffer)
	p, large := small, (*[]byte)(nil)
	defer func() {
		if large != nil {
			response.Buffers.Put(large)
		}
	}()
	gone := len(early) > 0 && !f.pass(early)
	for {
		n, err := f.from.Read(p)
		f.t.alive()
		if n > 0 && !gone && !f.pass(p[:n]) {
			gone = true
		}
		if err != nil {
			f.ended(err)
			return
		}
		if gone && f.opposite().over.Load() {
			return
		}
		switch {
		case large == nil && n == len(p):
			large = response.Buffers.Get()
			p = *large
		case large != nil && n <= flowBuffer:
			response.Buffers.Put(large)
			p, large = small, nil
		}
	}
}

func (f *flow) opposite() *flow {
	if f == &f.t.up {
		return &f.t.down
	}
	return &f.t.up
}

// pass writes p, and reports whether the receiver takes more.
func (f *flow) pass(p []byte) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.parted {
		return true // nothing may follow a Close frame
	}
	if f.parting != nil {
		p = p[:f.frames.Next(p)]
	} else {
		_, _ = f.frames.Write(p)
	}
	if err := f.write(p); err != nil {
		f.t.end(f.receiver, false, attempt.LossReason(err))
		f.t.within(partingTime)
		return false
	}
	f.bytes += int64(len(p))
	f.say()
	return true
}

// part makes frame the last one that the receiver gets, as soon as the one at hand
// has ended.
func (f *flow) part(frame []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parting = frame
	f.say()
}

// say writes the parting frame if it is time for it.
func (f *flow) say() {
	switch {
	case f.parting == nil || f.parted:
	case f.frames.Lost(): // it would be no frame to this receiver
		f.t.close()
	case f.frames.Between() && f.frames.Closed() == 0:
		f.parted = true
		_ = f.write(f.parting)
	}
}

// write bounds the time in which the receiver takes nothing.
func (f *flow) write(p []byte) error {
	if idle := f.t.Idle; idle > 0 {
		if f.stall == nil {
			f.stall = time.AfterFunc(idle, f.stalled)
		} else {
			f.stall.Reset(idle)
		}
		defer f.stall.Stop()
	}
	_, err := f.to.Write(p)
	return err
}

func (f *flow) stalled() {
	f.t.end(f.receiver, false, call.ReasonSilence)
	f.t.close()
}

// ended tells the receiver that nothing more comes, and leaves it its own say:
// without a bound but its silence's if the sender only closed its half.
func (f *flow) ended(err error) {
	clean := errors.Is(err, io.EOF)
	f.t.end(f.sender, clean, attempt.LossReason(err))
	half, ok := f.to.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		f.t.close()
		return
	}
	if clean {
		f.t.halfClosed()
		return
	}
	f.t.within(partingTime)
}
