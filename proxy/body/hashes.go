package body

import (
	"crypto/sha256"
	"sync"
)

// BodyHashes lends SHA-256 states for request bodies.
var BodyHashes = sync.Pool{New: func() any { return sha256.New() }}
