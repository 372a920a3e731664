package call

import "hash"

// identity tells whether a request is the same as one before. It is made only for
// requests of which somebody may ask that.
type identity struct {
	Key    string    // the caller's own Idempotency-Key, "" when it does not count
	Rejoin bool      // a retry of it may join it
	Hasty  bool      // the client waits for its retry within the time of the try before
	Body   hash.Hash // what the body says so far; nil when nobody will ask
}
