package boltcheck

import (
	"encoding/binary"
	"fmt"
)

// free verifies the list of free pages.
func (v *verifier) free() error {
	p, err := v.read(v.Freelist)
	if err != nil {
		return err
	}
	bad := DamageError(fmt.Sprintf("the list of free pages, on page %d, is damaged", p.id))
	ids, count := p.body[pageHeader:], uint64(p.count)
	if p.kind != freelistPage {
		return bad
	}
	if count == manyFree {
		count, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return bad
	}
	for i := range count {
		if !v.see(binary.NativeEndian.Uint64(ids[8*i:])) {
			return bad
		}
	}
	return nil
}
