package spool

import "errors"

// shelter returns space for the next bytes of a body that should be on disk and
// cannot be, because of why: in memory, while enough of it is free.
func (in *intake) shelter(why error) ([]byte, error) {
	s := in.body.store
	if in.unspooled == nil {
		in.unspooled = why
		if s.Unspooled != nil && !errors.Is(why, errMemory) {
			s.Unspooled(why)
		}
	}
	next := min(in.step(), maxBlock)
	if !s.roomFor(in.body.held(), max(next, in.announced-in.body.size)) {
		return nil, in.unspooled
	}
	b := s.hold(next)
	if b == nil {
		return nil, in.unspooled
	}
	in.body.blocks = append(in.body.blocks, b)
	return b.buf, nil
}

// sheltered is the part of what bodies may hold that those that cannot be spooled may
// fill: the rest is for bodies up to BodyMemory, which need no disk.
const sheltered = 2

// roomFor reports whether a body that holds some memory may have more of it beyond
// BodyMemory: only if at least as much as the whole body stays free for others like
// it. So one takes half of their part at most, and the next one half of the rest.
// One whose announced length does not fit takes nothing: it is passed on, or refused,
// before it fills the memory.
func (s *Store) roomFor(held, more int64) bool {
	return s.memory.used.Load()+more <= s.heldMax()/sheltered-held-more
}

// held is the capacity of the body's blocks.
func (b *Body) held() int64 {
	var n int64
	for _, block := range b.blocks {
		n += int64(len(block.buf))
	}
	return n
}
