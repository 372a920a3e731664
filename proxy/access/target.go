package access

import (
	"net/http"
	"net/url"

	"outrigger/proxy/apierror"
	"outrigger/proxy/intercept"
	"outrigger/proxy/wire"
)

// admitTo returns nil for a request to an upstream's own host that may go on. Of an
// intercepted tunnel the token was asked for when it was opened.
func (cs *Callers) admitTo(r *http.Request, target string) error {
	scheme := "https"
	if r.TLS == nil {
		scheme = "http"
	}
	through := intercept.Target(r.Context()) != ""
	if through && intercept.Authority(&url.URL{Scheme: scheme, Host: r.Host}) != target {
		return apierror.New("host_not_allowed", "Host %q is not served here: this is a tunnel to %s.", Short(r.Host), target)
	}
	if err := cs.admitPage(r); err != nil {
		return err
	}
	if !through && !cs.Known(r.Header.Get(wire.HeaderToken)) && !cs.Known(intercept.TokenOf(r)) {
		return apierror.New("client_token_required", "This proxy asks for a client token. Put one of OUTRIGGER_CLIENT_TOKENS into the proxy's URL: HTTP_PROXY=http://TOKEN@host:port.")
	}
	return nil
}
