package settings

// ConcurrencyMode says whether limits on concurrency are learned. The zero value means
// ConcurrencyLearn.
type ConcurrencyMode string

// The modes.
const (
	ConcurrencyLearn ConcurrencyMode = "learn"
	ConcurrencyOff   ConcurrencyMode = "off"
)
