package spool

import (
	"fmt"
	"io"
)

// emptyReads is how many reads without data or error are put up with.
const emptyReads = 100

// intake is one Read in progress.
type intake struct {
	body      *Body
	from      io.Reader
	announced int64 // -1: unknown
	ended     error // came with the last bytes
	unspooled error // why it stays in memory, if it should not
}

// run moves bytes from the caller into the body until the caller's end. It waits
// for the caller with one byte of its own, so that no block is held empty.
func (in *intake) run() error {
	b := in.body
	if 0 < in.announced && in.announced <= smallBody {
		if err := in.small(); err != nil {
			return err
		}
	}
	for {
		_, err := in.read(b.last[:])
		if err == io.EOF { //nolint:errorlint // one inside a *ReadError is no end
			return in.end()
		}
		if err != nil {
			return err
		}
		room, err := in.room()
		if err != nil {
			b.size++ // for the byte in last
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
		room[0] = b.last[0]
		b.extend(1)
		err = in.fill(room[1:])
		if err == io.EOF { //nolint:errorlint // one inside a *ReadError is no end
			return in.end()
		}
		if err != nil {
			return err
		}
	}
}

// smallBody is how long a body may be announced to be to have its block at once: no more than
// net/http keeps for each connection (bufio.Reader in server.go, 4 KiB).
const smallBody = 4 << 10

// small reads what was announced of a small body, if there is room.
func (in *intake) small() error {
	b := in.body
	if b.store.config.BodyMemory < smallBody {
		return nil
	}
	room := in.block()
	if room == nil {
		return nil
	}
	err := in.fill(room[:in.announced])
	if err == io.EOF { //nolint:errorlint // one inside a *ReadError is no end
		return nil // which run meets again
	}
	return err
}

// fill reads until room, the end of the body's last block, is full.
func (in *intake) fill(room []byte) error {
	for len(room) > 0 {
		n, err := in.read(room)
		if err != nil {
			return err
		}
		in.body.extend(n)
		room = room[n:]
	}
	return nil
}

// read reads at least one byte into p, or returns io.EOF, ErrTooLarge or a *ReadError.
func (in *intake) read(p []byte) (int, error) {
	left := int64(in.body.store.config.BodyMax) - in.body.size
	if int64(len(p)) > left+1 {
		p = p[:left+1] // the byte over the limit tells a body that is too large from one that just fits
	}
	for range emptyReads {
		if in.ended != nil {
			return 0, in.ended
		}
		n, err := in.from.Read(p)
		if err != nil && err != io.EOF {
			err = &ReadError{Err: err}
		}
		in.ended = err
		if int64(n) > left {
			return 0, ErrTooLarge
		}
		if n > 0 {
			return n, nil
		}
	}
	if in.ended != nil {
		return 0, in.ended
	}
	return 0, &ReadError{Err: io.ErrNoProgress}
}

// end completes the body at the caller's end.
func (in *intake) end() error {
	b := in.body
	if b.size < in.announced {
		return &ReadError{Err: io.ErrUnexpectedEOF}
	}
	if b.file != nil && in.unspooled == nil && b.flush() == nil {
		b.drop(0)
	}
	return nil // what did not go to disk stays in its block, which is charged
}
