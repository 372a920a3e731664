package intercept

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// refusal is why there is no tunnel, in the shape of all errors that Outrigger
// writes itself.
type refusal struct {
	status              int
	kind, code, message string
}

func (f *refusal) write(w http.ResponseWriter) {
	h := w.Header()
	switch f.status {
	case http.StatusProxyAuthRequired: // clients that wait to be asked, such as Java's
		h.Set("Proxy-Authenticate", `Basic realm="outrigger"`)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{
		"message": f.message, "type": f.kind, "param": nil, "code": f.code,
	}})
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Outrigger-Source", "local")
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, "invalid_request_error", "bad_request", message}
}

func refused(message string) *refusal {
	return &refusal{http.StatusForbidden, "permission_error", "tunnel_refused", message}
}

func unavailable(code, message string) *refusal {
	return &refusal{http.StatusServiceUnavailable, "server_error", code, message}
}
