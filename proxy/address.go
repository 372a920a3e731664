package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"outrigger/internal/clip"
)

// faceOf returns the request as an upstream is to get it, and who pays for it there.
func (x *exchange) faceOf(up *upstream) facing {
	f := facing{up: up, outbound: x.request}
	if len(x.candidates) > 1 { // the next one begins with what the caller sent
		f.outbound = x.request.WithContext(x.request.Context())
		address := *x.request.URL
		f.outbound.URL, f.outbound.Header = &address, x.request.Header.Clone()
	}
	f.rename(x.facts)
	if f.spliced != "" && x.encoded.codings != nil {
		f.outbound.Header.Del("Content-Encoding") // it goes as it reads; see outgoing
	}
	up.address(f.outbound, f.sent, x.meant)
	if x.isAsked(up) {
		f.outbound.URL.Path, f.outbound.URL.RawPath = x.asked.Path, x.asked.RawPath
	}
	f.credential = x.p.credentials.of(f.outbound.Header, up.auth)
	f.model = f.sent
	if f.model == "" {
		f.model = x.endpoint.Name // what has no model has limits of its own
	}
	f.model = clip.Text(withTier(f.model, x.facts.Tier), maxModel)
	return f
}

// address turns a request as the caller sent it into the upstream's: URL, query,
// credential and headers. model is the name that the body carries by now. meant
// says that the caller asked for this upstream by name.
func (u *upstream) address(out *http.Request, model string, meant bool) {
	if u.foreign && (!meant || u.config.CallerKey == CallerKeyDrop) {
		u.dropCredentials(out)
	}
	secrets := u.secrets.Load()
	call := u.preset.Call(out.URL.EscapedPath(), model)
	u.aim(out, call)
	for _, p := range secrets.headers {
		out.Header.Set(p.Name, p.Value)
	}
	addQuery(out.URL, secrets.query)
	complete(out, call)
	if !secrets.key.IsZero() {
		u.setKey(out, call, secrets.key.Reveal())
	}
}

// callerHeaders are the headers in which callers prove who they are or say whose
// account they use, beside keyHeaders: what browsers keep, and OpenAI's accounts.
var callerHeaders = [...]string{"Cookie", "Openai-Organization", "Openai-Project"}

// dropCredentials takes out of a request what its caller proves itself with: it
// was meant for another host.
func (u *upstream) dropCredentials(out *http.Request) {
	for _, name := range u.drops {
		delete(out.Header, name)
	}
	out.URL.RawQuery = withoutKeys(out.URL.RawQuery)
	if protocols := out.Header["Sec-Websocket-Protocol"]; len(protocols) > 0 {
		out.Header["Sec-Websocket-Protocol"] = withoutSecrets(protocols)
	}
}

// withoutKeys returns a query without the parameters in which keys are sent
// (Gemini's API takes its key so), and all else as it was.
func withoutKeys(query string) string {
	if query == "" {
		return ""
	}
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		switch strings.ToLower(name) {
		case "key", "api_key", "api-key", "apikey", "token", "access_token":
			continue
		}
		kept = append(kept, pair)
	}
	return strings.Join(kept, "&")
}

// withoutSecrets returns a WebSocket's subprotocols without those in which
// browsers send OpenAI's keys and account names, for want of headers of their own
// (OpenAI's Realtime guide, "openai-insecure-api-key.").
func withoutSecrets(lists []string) []string {
	var kept []string
	for _, list := range lists {
		for entry := range strings.SplitSeq(list, ",") {
			entry = strings.TrimSpace(entry)
			if !strings.HasPrefix(entry, "openai-insecure-api-key.") && !strings.HasPrefix(entry, "openai-organization.") &&
				!strings.HasPrefix(entry, "openai-project.") {
				kept = append(kept, entry)
			}
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return []string{strings.Join(kept, ", ")}
}
