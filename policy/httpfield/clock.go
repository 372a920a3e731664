package httpfield

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// precision is the step of a Date: one that agrees with the machine's clock to it says nothing of an offset,
	// and the machine's clock is finer.
	precision = time.Second
	// maxOffset is how far off a clock may be. Over a day, the Date is likelier to be wrong than the machine: one
	// that is so far off cannot check the certificates of many servers.
	maxOffset = 24 * time.Hour
)

// Clock returns what the server's clock showed when its answer came, at now by the machine's clock: the answer's Date,
// and its Age if a cache kept it (RFC 9111, section 5.1). Without a Date that makes sense it is now.
// A Date is cut to its second, so that waits to an instant come out a little long rather than short.
// Names are canonical.
func Clock(h map[string][]string, now time.Time) time.Time {
	at, err := http.ParseTime(one(h, "Date"))
	if err != nil {
		return now
	}
	if age, err := strconv.ParseUint(one(h, "Age"), 10, 31); err == nil {
		at = at.Add(time.Duration(age) * time.Second)
	}
	offset := now.Sub(at)
	if offset >= 0 && offset < precision || offset > maxOffset || offset < -maxOffset {
		return now
	}
	return at
}

// one returns the first value of a field without white space around it.
func one(h map[string][]string, name string) string {
	if v := h[name]; len(v) > 0 {
		return strings.TrimSpace(v[0])
	}
	return ""
}
