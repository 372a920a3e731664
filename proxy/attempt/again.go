package attempt

import (
	"errors"
	"time"
)

// EndTime is how long an answer that has said all may take to end, so that its
// connection can be used again. The caller has the whole content by then, but
// some SDKs read on until the end.
const EndTime = 25 * time.Millisecond

var errFollowed = errors.New("a redirect was followed")
