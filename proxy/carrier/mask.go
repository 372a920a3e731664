package carrier

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// keys finds what looks like a credential, whoever's it is: OpenAI quotes part of the key
// in its 401 ("Incorrect API key provided: sk-4jwn***"). Prefixes are those that providers
// document for theirs; eyJ begins a JWT.
var keys = regexp.MustCompile(`(?i)\b(?:sk|pk|gsk|xai|key|sess|r8|or|pplx|nvapi|csk)-[A-Za-z0-9_*.\-]{4,}` +
	`|\b(?:hf|gsk|r8|fw|sk|pk|ghp|gho|github_pat|tgp_v1)_[A-Za-z0-9_\-]{12,}|\bAIza[A-Za-z0-9_\-]{10,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}` +
	`|\beyJ[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]+)*|\bBearer\s+\S+|[A-Za-z0-9]*\*{3,}[A-Za-z0-9]*`)

// assigned finds name=value and name: value in a text, for those names that Parameter knows.
var assigned = regexp.MustCompile(`([A-Za-z0-9_.%\-]{2,64})(=|["']?: ?["']?)([^\s&;,"'<>]{6,})`)

// isKey reports whether a whole value looks like a credential.
func isKey(value string) bool {
	at := keys.FindStringIndex(value)
	return at != nil && at[0] == 0 && at[1] == len(value)
}

// Masked is what stands for a credential in a text.
const Masked = "[key]"

// Mask hides in a text what looks like a credential, and the values of names that are a
// credential's, as in a URL that is quoted.
func Mask(text string) string {
	text = keys.ReplaceAllString(text, Masked)
	if !strings.ContainsAny(text, "=:") {
		return text
	}
	return assigned.ReplaceAllStringFunc(text, func(match string) string {
		part := assigned.FindStringSubmatch(match)
		if Parameter(unescape(part[1])) != Proof || strings.HasPrefix(part[3], Masked) {
			return match
		}
		return part[1] + part[2] + Masked
	})
}

// MinSecret is the shortest value that is hidden: a shorter one would be found everywhere.
const MinSecret = 6

// minUnknown is the same for what need not be a secret, such as an unknown header.
const minUnknown = 12

// Secrets returns the values in a request that are not to be quoted anywhere: each as it
// stands there, and decoded. own are further headers that carry a key.
func Secrets(h http.Header, query string, own ...string) []string {
	var all secrets
	for name, values := range h {
		switch {
		case name == "Sec-Websocket-Protocol":
			protocols(values, func(entry string, kind Kind) {
				if kind != Asks {
					_, first, _ := strings.Cut(entry, ".")
					all.add(MinSecret, entry, first, entry[strings.LastIndexByte(entry, '.')+1:])
				}
			})
		case name == "Cookie":
			cookies(values, func(cookie string) {
				_, value, _ := strings.Cut(cookie, "=")
				all.add(MinSecret, value, unescape(value))
			})
		case kindOf(name, values, own) == Proof:
			for _, value := range values {
				all.header(value)
			}
		case kindOf(name, values, own) == Unknown:
			all.add(minUnknown, values...)
		}
	}
	Pairs(query, func(p Pair) bool {
		least := minUnknown
		switch Parameter(p.Name) {
		case Proof:
			least = MinSecret
		case Unknown:
		default:
			return true
		}
		_, raw, _ := strings.Cut(p.Text, "=")
		all.add(least, raw, p.Value, url.QueryEscape(p.Value), url.PathEscape(p.Value))
		return true
	})
	return all
}

type secrets []string

func (s *secrets) add(least int, values ...string) {
	for _, v := range values {
		if len(v) >= least {
			*s = append(*s, v)
		}
	}
}

// header adds the value of a header that is a credential: all of it, what stands behind
// the scheme, what Basic encodes, and the parts of a list such as AWS's Signature.
func (s *secrets) header(value string) {
	scheme, token, _ := strings.Cut(value, " ")
	token = strings.TrimSpace(token)
	s.add(MinSecret, value, token)
	if strings.EqualFold(scheme, "Basic") {
		if plain, err := base64.StdEncoding.DecodeString(token); err == nil {
			user, password, _ := strings.Cut(string(plain), ":")
			s.add(MinSecret, string(plain), user, password)
		}
	}
	for part := range strings.SplitSeq(token, ",") {
		if _, assigned, ok := strings.Cut(part, "="); ok {
			s.add(minUnknown, strings.TrimSpace(assigned))
		}
	}
}
