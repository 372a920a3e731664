package intercept

import (
	"net/http"
	"strconv"

	"outrigger/proxy/apierror"
)

// write answers a CONNECT with why there is no tunnel.
func write(w http.ResponseWriter, e *apierror.Error) {
	h := w.Header()
	if e.Status == http.StatusProxyAuthRequired { // clients that wait to be asked, such as Java's
		h.Set("Proxy-Authenticate", `Basic realm="outrigger"`)
	}
	if seconds := e.WaitSeconds(); seconds != "" {
		h.Set("Retry-After", seconds)
	}
	body := e.Body()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Outrigger-Source", "local")
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}

// tokenRequired asks for a client token. A proxy asks with 407 (RFC 9110, section 15.5.8), not with 401.
func tokenRequired() *apierror.Error {
	e := apierror.New(apierror.ClientTokenRequired,
		"This proxy asks for a client token. Put one of OUTRIGGER_CLIENT_TOKENS into the proxy's URL: HTTPS_PROXY=http://TOKEN@host:port.")
	e.Status = http.StatusProxyAuthRequired
	return e
}
