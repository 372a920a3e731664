package classify

import (
	"net/http"
	"strconv"
	"strings"

	"outrigger/internal/lazyregexp"
)

// standsFor returns the status of an error that came inside a 2xx: the one it names,
// else the one its codes mean, else what its text means, else 500 (an error whose code is
// null, BerriAI/litellm#22793).
func (r *reply) standsFor() int {
	if r.inner != 0 {
		return r.inner
	}
	for _, c := range r.codes {
		if status, ok := codeStatus(c); ok {
			return status
		}
	}
	if status := namedStatus(r.named); status != 0 {
		return status
	}
	if deadCode(r) || saysAny(r.text, credentialPhrases...) {
		return http.StatusUnauthorized
	}
	if r.has(rejectedCodes) {
		return http.StatusBadRequest
	}
	return r.saidStatus()
}

// deadCode matches a credential that is refused by a code in any spelling.
var deadCode = folded(credentialCodes)

// codeStatus returns the status under which a code comes when it comes outside a stream.
func codeStatus(c string) (int, bool) {
	if status, ok := statuses[c]; ok {
		return status, true
	}
	switch {
	case strings.Contains(c, "rate_limit"):
		return http.StatusTooManyRequests, true
	case billingCodes[c]:
		return http.StatusTooManyRequests, true
	case credentialCodes[c]:
		return http.StatusUnauthorized, true
	case modelCodes[c]:
		return http.StatusNotFound, true
	case oversizeCodes[c]:
		return http.StatusBadRequest, true
	case overloadCodes[c], modelOverloadCodes[c]:
		return http.StatusServiceUnavailable, true
	// The image and validation codes of Responses (openai-openapi, ResponseErrorCode).
	case hasAnyPrefix(c, "invalid_image", "invalid_base64", "image_", "unsupported_", "empty_image"):
		return http.StatusBadRequest, true
	}
	return 0, false
}

// statuses maps single codes. Sources: openai-openapi ResponseErrorCode, platform.claude.com/docs/en/api/errors,
// google/rpc/code.proto, docs.z.ai/api-reference/api-code, aiand's error table.
var statuses = map[string]int{
	"authentication_error": 401, "unauthenticated": 401, "unauthorized": 401,
	"payment_required": 402,
	"permission_error": 403, "permission_denied": 403, "forbidden": 403,
	"not_found": 404, "not_found_error": 404,
	"request_too_large": 413,
	"slow_down":         429, "too_many_requests": 429, "resource_exhausted": 429, "1302": 429, "1303": 429, "1311": 429, "1313": 429,
	"bad_gateway": 502, "provider_unavailable": 502,
	"unavailable": 503, "service_unavailable": 503, "service_unavailable_error": 503,
	"timeout_error": 504, "gateway_timeout": 504, "deadline_exceeded": 504, "vector_store_timeout": 504, "timeout": 504,
	"overloaded_error": 529,
	// Not the request's fault, unlike the other codes about images.
	"image_generation_server_error": 500, "image_generation_failed": 500,
}

// rejectedCodes mean that the request is at fault. invalid_request_error is also the type of many
// other errors, so it counts only where no other code says more.
var rejectedCodes = codes(`invalid_request_error invalid_request invalid_prompt invalid_argument failed_precondition
	badrequesterror bad_request content_filter content_policy_violation bio_policy cyber_policy data_residency_mismatch
	moderation_blocked failed_to_download_image responsibleaipolicyviolation 1301`)

// baseResp reads MiniMax's own status, which comes with HTTP 200. Source: platform.minimax.io/docs/api-reference/errorcode.
func (s *said) baseResp(o map[string]any) {
	b, ok := o["base_resp"].(map[string]any)
	if !ok {
		return
	}
	n := scalar(b["status_code"])
	if n == "" || n == "0" {
		return
	}
	s.fields.Code = n
	s.add(str(b["status_msg"]))
	switch n {
	case "1002", "1039", "1041", "2045", "2056":
		s.inner = http.StatusTooManyRequests
	case "1004", "2049":
		s.inner = http.StatusUnauthorized
	case "1008":
		s.inner = http.StatusPaymentRequired
	case "1001":
		s.inner = http.StatusGatewayTimeout
	case "1000", "1013", "1024", "1033":
		s.inner = http.StatusInternalServerError
	default:
		s.inner = http.StatusBadRequest
	}
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// namedStatus returns the status of what codes name by their words, 0 if none.
func namedStatus(n named) int {
	for _, c := range [...]struct {
		is     named
		status int
	}{
		{namesDebt | namesPeriod, http.StatusPaymentRequired},
		{namesRate, http.StatusTooManyRequests},
		{namesQuota, http.StatusPaymentRequired},
		{namesSize | namesTokens, http.StatusBadRequest},
		{namesBusy | namesLoading, http.StatusServiceUnavailable},
		{namesModel, http.StatusNotFound},
		{namesRegion | namesPlan, http.StatusForbidden},
		{namesAPIKey, http.StatusUnauthorized},
	} {
		if n&c.is != 0 {
			return c.status
		}
	}
	return 0
}

// quotedStatusRE finds the status that a gateway quotes from behind it: "Error code: 503 - {…", "status code 429".
var quotedStatusRE = lazyregexp.New(`\b(?:error code|status code|status|http(?:/[\d.]+)?|error)\b[ :=(]{1,3}(?:is |of )?(4(?:08|13|29)|5\d\d)\b`)

// saidStatus returns the status of an error inside a 2xx whose codes say nothing, by the words of its text; 500 if those
// say nothing either. A quoted 401 or 403 is about the gateway's own key.
func (r *reply) saidStatus() int {
	text := cut(r.text, crowdMax)
	about := saysAny(text, accountWords...)
	switch {
	case loadingRE.MatchString(text) && !loadFailedRE.MatchString(text):
		return http.StatusServiceUnavailable
	case saysQuota(r):
		return http.StatusTooManyRequests
	case saysAny(text, billingPhrases...), about && debtRE.MatchString(text):
		return http.StatusPaymentRequired
	case hurries(text), about && minuteRE.MatchString(text) && overRE.MatchString(text):
		return http.StatusTooManyRequests
	case about && overRE.MatchString(text), saysUsed(text):
		return http.StatusPaymentRequired
	case crowdRE.MatchString(text):
		return http.StatusServiceUnavailable
	case saysAny(text, oversizePhrases...), overflows(text):
		return http.StatusBadRequest
	case saysNoModel(r), saysAny(text, "model", "function") && goneRE.MatchString(text):
		return http.StatusNotFound
	case saysAny(text, "key", "token", "credential", "auth", "account") && deadRE.MatchString(text):
		return http.StatusUnauthorized
	}
	if m := quotedStatusRE.FindStringSubmatch(r.text); m != nil {
		status, _ := strconv.Atoi(m[1])
		return status
	}
	return http.StatusInternalServerError
}
