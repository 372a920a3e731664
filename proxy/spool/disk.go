package spool

import (
	"errors"
	"fmt"
)

// spill moves a body from memory into a spool file and leaves it with one empty
// block, which carries the rest of it there. After an error it is as before.
func (b *Body) spill() error {
	var carrier *block
	if len(b.blocks) == 0 || len(b.blocks[0].buf) < maxTransfer {
		carrier = b.store.transfer()
	}
	if carrier == nil && len(b.blocks) == 0 {
		return errMemory
	}
	err := b.toDisk()
	if err != nil {
		if carrier != nil {
			b.store.release(carrier)
		}
		return err
	}
	if carrier == nil {
		b.drop(1)
		b.blocks[0].n = 0
		return nil
	}
	b.drop(0)
	b.blocks = append(b.blocks, carrier)
	return nil
}

// toDisk writes all blocks to a new spool file.
func (b *Body) toDisk() error {
	s := b.store
	// One byte more than is written: a spool that just fits this much would only
	// be full again with the byte that waits.
	if !s.spool.take(b.size+1, int64(s.config.SpoolMax)) {
		return errSpool
	}
	f, err := s.create(s.config.Dir)
	if err != nil {
		s.spool.free(b.size + 1)
		return err
	}
	var off int64
	for _, block := range b.blocks {
		_, err = f.WriteAt(block.buf[:block.n], off)
		if err != nil {
			s.spool.free(b.size + 1)
			return fmt.Errorf("writing a spool file: %w", errors.Join(err, f.Close()))
		}
		off += int64(block.n)
	}
	s.spool.free(1)
	b.file, b.onDisk = f, off
	return nil
}

// flush writes the carrying block to the spool file and empties it. After an error
// the block still holds what it held.
func (b *Body) flush() error {
	s, block := b.store, b.blocks[0]
	n := int64(block.n)
	if !s.spool.take(n, int64(s.config.SpoolMax)) {
		return errSpool
	}
	_, err := b.file.WriteAt(block.buf[:n], b.onDisk)
	if err != nil {
		s.spool.free(n)
		return fmt.Errorf("writing a spool file: %w", errors.Join(err, b.file.Truncate(b.onDisk)))
	}
	b.onDisk += n
	block.n = 0
	return nil
}
