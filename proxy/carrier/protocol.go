package carrier

import "strings"

// protocols calls f with the WebSocket subprotocols in the values of a header, in order.
// Browsers, which cannot set headers, send OpenAI's key, organization and project so
// (OpenAI's Realtime guide, "openai-insecure-api-key."), and Kubernetes'
// "base64url.bearer.authorization.k8s.io.". A bare "bearer" or "access_token" says that the
// next one is the credential.
func protocols(values []string, f func(entry string, kind Kind)) {
	next := false
	for _, list := range values {
		for entry := range strings.SplitSeq(list, ",") {
			entry = strings.TrimSpace(entry)
			if entry == "" {
				continue
			}
			kind := Asks
			switch {
			case strings.HasPrefix(entry, "openai-organization."), strings.HasPrefix(entry, "openai-project."):
				kind = Account
			case next, names(entry), isKey(entry):
				kind = Proof
			}
			f(entry, kind)
			next = !next && kind == Proof && !strings.Contains(entry, ".")
		}
	}
}

// WithoutProtocols returns a WebSocket's subprotocols without those of the given kinds;
// nil if none is left.
func WithoutProtocols(values []string, dropped Kinds) []string {
	var kept []string
	protocols(values, func(entry string, kind Kind) {
		if !dropped.Has(kind) {
			kept = append(kept, entry)
		}
	})
	if len(kept) == 0 {
		return nil
	}
	return []string{strings.Join(kept, ", ")}
}
