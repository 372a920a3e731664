package claims

// Key names a call: a hash, under HashKey, of the caller's credential, its client token and
// its idempotency key.
type Key [32]byte

// Fingerprint tells calls of one key apart: a hash, under HashKey, of the method, path,
// query and body.
type Fingerprint [32]byte

// Owner tells callers apart: a hash of the credential. When a store is full, the owner that
// has most makes room.
type Owner [8]byte

// Call is what a store needs to know of a call.
type Call struct {
	Key   Key
	Print Fingerprint
	Owner Owner
	// Create is whether running the call twice could create twice.
	Create bool
}
