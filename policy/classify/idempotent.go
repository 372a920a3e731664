package classify

import (
	"net/http"
	"regexp"
	"strings"
)

// What upstreams that honour Idempotency-Key say of a key that is known to them. The
// IETF's draft (draft-ietf-httpapi-idempotency-key-header, section 2.6) has 409 for a
// call that is still being made and 422 for a key that was used for another one; others
// have 409 for both, and say which in a code or a sentence of their own.
var (
	sameCallRE = regexp.MustCompile(`idempoten|\b(?:same|duplicate|identical|concurrent|original|previous|earlier|first|another) (?:[\w-]+ ){0,2}(?:request|call)s?\b|request_in_progress|concurrent_request`)
	runningRE  = regexp.MustCompile(`in[ _-]?progress|in[ _-]?use|in[ _-]?flight|still[ _](?:being|running|processing|executing|pending)|being (?:processed|made|handled|executed)|(?:currently|already) (?:running|processing|executing|being)|concurrent|simultaneous|outstanding|pending|processing|(?:not|n't) (?:yet )?(?:been )?(?:complete|finish)|locked`)
	otherRE    = regexp.MustCompile(`idempoten[^\n]{0,200}(?:mismatch|different|\bdiffer|(?:not|n't) match|re-?used?\b|only be used with the same)|(?:mismatch|different|re-?used?\b|(?:not|n't) match)[^\n]{0,200}idempoten|\bdifferent (?:request |http |json )?(?:body|payload|parameters|params|arguments|content)`)
)

// words is all that a reply says: its codes and its text.
func (r *reply) words() string { return strings.Join(r.codes, "\n") + "\n" + r.text }

// stillRunning matches a call that is being made already under the request's key: the
// reply says so, or names a wait while such a call may be under way.
func stillRunning(r *reply) bool {
	if r.status != http.StatusConflict {
		return false
	}
	words := r.words()
	return sameCallRE.MatchString(words) && runningRE.MatchString(words) || r.Keyed && retryAfterSent(r)
}

// keyOfAnother matches a key that was used for another request.
func keyOfAnother(r *reply) bool { return otherRE.MatchString(r.words()) }
