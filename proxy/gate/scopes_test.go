package gate

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/policy/classify"
	"outrigger/proxy/carrier"
)

func TestScopes_StayBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewScopes(testBreaker(), true)
		defer s.Stop()
		for i := range 4 * maxScopes {
			s.Report(Scope{Endpoint: "chat", Model: fmt.Sprint(i)}, classify.Fault)
		}
		if n := len(s.gates); n > maxScopes/scopesShare || n == 0 {
			t.Errorf("%d breakers of one credential, want at most %d", n, maxScopes/scopesShare)
		}
		for i := range 4 * maxScopes {
			s.Report(Scope{Endpoint: "chat", Model: "m", Credential: credentialOf(i)}, classify.Fault)
		}
		if n := len(s.gates); n > maxScopes || n <= maxScopes/scopesShare {
			t.Errorf("%d breakers, want at most %d", n, maxScopes)
		}
		for i := range 4 * maxScopes {
			s.Report(Scope{Endpoint: "chat", Model: fmt.Sprint(i)}, classify.Success)
			s.Report(Scope{Endpoint: "chat", Model: "m", Credential: credentialOf(i)}, classify.Success)
		}
		if n := len(s.gates); n != 0 || s.any.Load() != 0 {
			t.Errorf("%d breakers of what is well, %d counted", n, s.any.Load())
		}
	})
}

// TestScopes_AFloodOfFailingModelsKeepsAnothersBreaker has one credential's floods, and those of
// several, beside a breaker that is open and one that has counted failures.
func TestScopes_AFloodOfFailingModelsKeepsAnothersBreaker(t *testing.T) {
	for name, by := range map[string]int{"one": 1, "several": 2 * scopesShare, "many": 16} {
		synctest.Test(t, func(t *testing.T) {
			s := NewScopes(testBreaker(), true)
			defer s.Stop()
			hers := Scope{Endpoint: "chat", Model: "m", Credential: credentialOf(1000)}
			for s.Of(hers) == nil || !s.Of(hers).Shut() {
				s.Report(hers, classify.Fault)
			}
			other := Scope{Endpoint: "chat", Model: "other", Credential: credentialOf(1000)}
			s.Report(other, classify.Fault)
			open, counts := s.Of(hers), s.Of(other)
			for i := range 4 * maxScopes {
				time.Sleep(time.Millisecond) // the bubble's clock
				flood := Scope{Endpoint: "chat", Model: fmt.Sprint(i), Credential: credentialOf(i % by)}
				if s.Report(flood, classify.Fault); s.Of(flood) == nil {
					t.Fatalf("%s: the flood's own failures are not counted any more", name)
				}
			}
			if s.Of(hers) != open || s.Of(other) != counts {
				t.Errorf("%s: another credential's breaker was forgotten", name)
			}
			if n := len(s.gates); n > maxScopes {
				t.Errorf("%s: %d breakers, want at most %d", name, n, maxScopes)
			}
		})
	}
}

// credentialOf is one of many.
func credentialOf(i int) carrier.Credential {
	return carrier.Credential{byte(i), byte(i >> 8), byte(i >> 16)}
}
