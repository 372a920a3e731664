package wire

import (
	"net/http"
	"strconv"
)

// IsSuccess reports whether status is a 2xx.
func IsSuccess(status int) bool {
	return status >= http.StatusOK && status < http.StatusMultipleChoices
}

// StatusLabel is the status as metrics have it.
func StatusLabel(status int) string {
	if status == 0 {
		return "none"
	}
	return strconv.Itoa(status)
}
