package wire

import (
	"strings"

	"outrigger/internal/clip"
	"outrigger/proxy/carrier"
)

// MaskKeys is mask for what is not known to come from the present request.
func MaskKeys(message string) string { return clip.Text(carrier.Mask(message), MaxMessage) }

// MaskedPath is a caller's path without what looks like a key in it.
func MaskedPath(path string) string {
	if hasLongSegment(path) {
		path = carrier.Mask(path)
	}
	return path
}

// hasLongSegment reports whether a segment of a path is as long as a key; those of the
// API's own paths are not.
func hasLongSegment(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if len(segment) >= shortestKey {
			return true
		}
	}
	return false
}

// shortestKey is fewer characters than any provider's key has.
const shortestKey = 16
