package classify

import (
	"fmt"
	"testing"

	"outrigger/policy/endpoint"
)

func TestACreateIsRepeatedOnlyWhenItSurelyWasNotCarriedOut(t *testing.T) {
	const envoy = "upstream connect error or disconnect/reset before headers. "
	tests := map[string]struct {
		in        Attempt
		ambiguous bool
		repeat    Repeat
	}{
		"dial failed":                       {failing(Unreachable, NotSent, 0), false, Backoff},
		"stream refused":                    {failing(Refused, Sent, 0), false, Backoff},
		"reset before anything was written": {failing(Broke, NotSent, 0), false, Backoff},
		"reset after writing":               {failing(Broke, Sent, 0), true, Never},
		"the answer broke off":              {failing(Broke, Answered, 0), true, Never},
		"own timeout while connecting":      {failing(Timeout, NotSent, 0), false, Backoff},
		"own timeout after writing":         {failing(Timeout, Sent, 0), true, Never},
		"an answer of no use":               {failing(TooLarge, Answered, 0), true, Never},
		"the caller left":                   {failing(Canceled, Sent, 0), false, Never},
		"500":                               {answer(500, ``), true, Never},
		"502":                               {answer(502, ``), true, Never},
		"502 that never reached inference":  {answer(502, `{"error":{"type":"bad_gateway","message":"x"}}`), false, Backoff},
		"502 of Cloudflare":                 {answer(502, `{"error":{"type":"cf_bad_gateway","message":"x"}}`), true, Never},
		"502 of a provider behind":          {answer(502, `{"error":{"message":"Provider returned error"}}`), true, Never},
		"502 without capacity":              {answer(502, `{"error":{"message":"The model is overloaded"}}`), true, Never},
		"503":                               {answer(503, ``), false, Backoff},
		"503 overloaded":                    {answer(503, `{"error":{"code":"server_is_overloaded"}}`), false, Backoff},
		"503 reset after sending":           {answer(503, envoy+"reset reason: connection termination"), true, Never},
		"503 reset by the server":           {answer(503, envoy+"reset reason: remote reset"), true, Never},
		"503 could not connect":             {answer(503, envoy+"reset reason: remote connection failure, transport failure reason: delayed connect error: 111"), false, Backoff},
		"503 could not connect in the end":  {answer(503, envoy+"retried and the latest reset reason: remote connection failure"), true, Never},
		"503 overflow":                      {answer(503, envoy+"reset reason: overflow"), false, Backoff},
		"503 no upstream":                   {answer(503, "no healthy upstream"), false, Backoff},
		"503 reset by peer in JSON":         {answer(503, `{"error":{"message":"read: connection reset by peer"}}`), true, Never},
		"504":                               {answer(504, ``), true, Never},
		"520":                               {answer(520, ``), true, Never},
		"521":                               {answer(521, ``), false, Backoff},
		"522":                               {answer(522, ``), true, Never},
		"523":                               {answer(523, ``), false, Backoff},
		"524":                               {answer(524, ``), true, Never},
		"525":                               {answer(525, ``), false, Backoff},
		"526":                               {answer(526, ``), false, Backoff},
		"529":                               {answer(529, ``), false, Backoff},
		"530":                               {answer(530, ``), true, Never},
		"598 that nobody defined":           {answer(598, ``), true, Never},
		"408 in the API's words":            {answer(408, `{"error":{"code":"Timeout","message":"x"}}`), true, Never},
		"408 of a web server":               {answer(408, `<html></html>`), false, Backoff},
		"408 without a body":                {answer(408, ``), false, Backoff},
		"409":                               {answer(409, `{"error":{"message":"x"}}`), false, Backoff},
		"429":                               {answer(429, ``), false, Pause},
		"429 without capacity":              {answer(429, `{"error":{"type":"engine_overloaded_error"}}`), false, Backoff},
		"402 that passes":                   {answer(402, ``, "Retry-After: 1"), false, Pause},
		"an error inside a 200":             {answer(200, `{"error":{"code":502,"message":"x"}}`), true, Never},
		"a rate limit inside a stream":      {event("error", `{"error":{"code":"rate_limit_exceeded"}}`), true, Never},
		"a quota inside a stream":           {event("error", `{"error":{"code":"insufficient_quota"}}`), false, Never},
		"400":                               {answer(400, ``), false, Never},
		"401":                               {answer(401, ``), false, Never},
		"context overflow under 500":        {answer(500, `{"error":{"type":"exceed_context_size_error"}}`), false, Never},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v := Classify(tt.in.of(endpoint.Create))
			if v.Ambiguous != tt.ambiguous || v.Repeat != tt.repeat {
				t.Errorf("rule %s: got ambiguous %v, %v, want %v, %v", v.Rule, v.Ambiguous, v.Repeat, tt.ambiguous, tt.repeat)
			}
			for _, e := range []endpoint.Effect{endpoint.Read, endpoint.Compute, endpoint.Replace} {
				if v := Classify(tt.in.of(e)); v.Ambiguous || (tt.ambiguous && v.Repeat == Never) {
					t.Errorf("%v, rule %s: got ambiguous %v, %v", e, v.Rule, v.Ambiguous, v.Repeat)
				}
			}
		})
	}
}

func TestAGatewaysTimeoutIsRepeatedByEffect(t *testing.T) {
	want := map[endpoint.Effect]Repeat{
		endpoint.Read: Backoff, endpoint.Replace: Backoff, endpoint.Compute: Once, endpoint.Create: Never,
	}
	for effect, repeat := range want {
		for _, in := range []Attempt{
			answer(504, ``), answer(524, ``), event("error", `{"type":"error","error":{"type":"timeout_error","message":"x"}}`),
		} {
			t.Run(fmt.Sprint(effect, in.Status), func(t *testing.T) {
				v := Classify(in.of(effect))
				breaker := Fault
				if effect == endpoint.Read && in.Status < 300 {
					breaker = Ignore // what is read may be content
				}
				if v.Repeat != repeat || v.Breaker != breaker {
					t.Errorf("rule %s: got %v, %v, want %v, %v", v.Rule, v.Repeat, v.Breaker, repeat, breaker)
				}
			})
		}
	}
}
