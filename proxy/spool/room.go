package spool

const (
	// firstBlock is the first block of a body whose length is announced. One of
	// 32 KiB holds most chat requests whole.
	firstBlock = 32 << 10
	// blindBlock is that of a body whose length is not announced.
	blindBlock = 4 << 10
)

// room returns free space at the body's end, at least one byte: in a new block
// while the body may stay in memory, else in the block that carries to disk, and
// where that fails in memory again.
func (in *intake) room() ([]byte, error) {
	b := in.body
	if b.file == nil {
		if room := in.block(); room != nil {
			return room, nil
		}
	}
	why := in.unspooled // one that failed is not tried again: each try writes all there is
	if why == nil && b.file == nil {
		why = b.spill()
	} else if why == nil {
		why = b.flush()
	}
	if why != nil {
		return in.shelter(why)
	}
	return b.blocks[0].buf, nil
}

// block adds a block to a body in memory and returns its space, or nil if the
// body must leave memory.
func (in *intake) block() []byte {
	b := in.body
	left := int64(b.store.config.BodyMemory) - b.size
	if left <= 0 || in.announced > int64(b.store.config.BodyMemory) {
		return nil
	}
	next := b.store.hold(min(in.step(), left))
	if next == nil {
		return nil
	}
	b.blocks = append(b.blocks, next)
	return next.buf[:min(int64(len(next.buf)), left)]
}

// step returns how much to hold next: as much as was sent already, at first a
// fixed size, and never more than is announced to come.
func (in *intake) step() int64 {
	held := in.body.size
	switch {
	case in.announced > held:
		return min(max(held, firstBlock), in.announced-held)
	case held == 0:
		return blindBlock
	default:
		return held
	}
}
