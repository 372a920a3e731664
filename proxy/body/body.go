package body

import (
	"crypto/sha256"
	"io"
	"sync"

	"outrigger/proxy/pick"
	"outrigger/proxy/spool"
)

// Body is the request's body: kept whole, or readable once when it could not be kept.
type Body struct {
	Kept    *spool.Body   // nil when it could not be buffered
	Once    io.ReadCloser // the body that can be read once; nil when it is buffered
	Size    int64         // -1 when it is not known
	Facts   pick.Facts
	Encoded Encoded
}

// Replayable reports whether the body can be sent again.
func (b *Body) Replayable() bool { return b.Once == nil }

// BodyHashes lends SHA-256 states for request bodies.
var BodyHashes = sync.Pool{New: func() any { return sha256.New() }}
