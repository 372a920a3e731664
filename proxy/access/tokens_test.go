package access

import (
	"errors"
	"net/http"
	"testing"

	"outrigger/internal/values"
	"outrigger/policy/priority"
	"outrigger/proxy/apierror"
	"outrigger/proxy/settings"
)

// named are callers of whom two have a name.
func named() *Callers {
	return NewCallers(settings.Callers{
		Tokens: []values.Secret{
			values.NewSecret("web:one"), values.NewSecret("web:two"), values.NewSecret("batch:three"), values.NewSecret("plain"),
		},
		TokenPriorities: []settings.TokenPriority{{Name: "batch", Priority: priority.Low}, {Name: "web", Priority: priority.High}},
		Listen:          "127.0.0.1:0",
	})
}

// requestOf is one with headers, by name and value.
func requestOf(headers ...string) *http.Request {
	r := &http.Request{Header: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestTokens_AreKnownWithAndWithoutTheirNames(t *testing.T) {
	cs := named()
	for token, want := range map[string]bool{
		"one": true, "two": true, "three": true, "plain": true, "web:one": true, "batch:three": true,
		"web:three": false, "web": false, "web:": false, "": false, "batch": false, "One": false,
	} {
		if cs.Known(token) != want {
			t.Errorf("%q: known %v, want %v", token, !want, want)
		}
	}
}

func TestCaller_TokensOfOneNameAreOneCaller(t *testing.T) {
	cs, keys := named(), map[string]uint64{}
	for _, token := range []string{"one", "two", "three", "plain"} {
		c, err := cs.Caller(requestOf("X-Outrigger-Token", token))
		if err != nil || c.Key == 0 {
			t.Fatal(c, err)
		}
		keys[token] = c.Key
	}
	if keys["one"] != keys["two"] || keys["one"] == keys["three"] || keys["plain"] == keys["three"] || keys["plain"] == keys["one"] {
		t.Errorf("%v, want one and two to be the same, and no others", keys)
	}
	if c, _ := cs.Caller(requestOf("Proxy-Authorization", "Bearer two")); c.Key != keys["one"] {
		t.Error("one whose token is in the proxy's URL is another caller")
	}
	if c, _ := NewCallers(settings.Callers{}).Caller(requestOf("X-Outrigger-Token", "one")); c.Key != 0 {
		t.Error("one has a key by a token that nobody asks for")
	}
}

func TestLabel_IsTheTokensName(t *testing.T) {
	for token, want := range map[string]string{"one": "web", "three": "batch", "web:two": "web", "plain": ""} {
		got, err := named().Caller(requestOf("X-Outrigger-Token", token, "Authorization", "Bearer 0123456789012345678901234"))
		if got.Label != want || got.Name != want || err != nil {
			t.Errorf("%s: %+v, %v, want %q", token, got, err, want)
		}
	}
}

func TestCaller_ATokensPriorityIsTheMostThatItsCallsGet(t *testing.T) {
	for _, tt := range []struct {
		token, asks string
		want        priority.Priority
	}{
		{"three", "", priority.Low},
		{"three", "high", priority.Low},
		{"one", "", priority.High},
		{"one", "low", priority.Low},
		{"one", "normal", priority.Normal},
		{"plain", "", priority.Normal},
		{"plain", "high", priority.High},
		{"plain", " LOW ", priority.Low},
	} {
		c, err := named().Caller(requestOf("X-Outrigger-Token", tt.token, "X-Outrigger-Priority", tt.asks))
		if err != nil || c.Priority != tt.want {
			t.Errorf("%s asks for %q: %v, %v, want %v", tt.token, tt.asks, c.Priority, err, tt.want)
		}
	}
	open := NewCallers(settings.Callers{Priority: priority.Low})
	for asks, want := range map[string]priority.Priority{"": priority.Low, "high": priority.High, "normal": priority.Normal} {
		if c, err := open.Caller(requestOf("X-Outrigger-Priority", asks)); err != nil || c.Priority != want {
			t.Errorf("anybody asks for %q: %v, %v, want %v", asks, c.Priority, err, want)
		}
	}
}

func TestCaller_APriorityThatIsNoneIsAnError(t *testing.T) {
	for _, headers := range [][]string{
		{"X-Outrigger-Priority", "urgent"},
		{"X-Outrigger-Priority", "1"},
		{"X-Outrigger-Priority", "high, low"},
		{"X-Outrigger-Priority", "high", "X-Outrigger-Priority", "low"},
	} {
		var e *apierror.Error
		if _, err := named().Caller(requestOf(headers...)); !errors.As(err, &e) || e.Code != apierror.BadRequest || e.Status != http.StatusBadRequest {
			t.Errorf("%v: %v, want bad_request", headers, err)
		}
	}
	if c, err := named().Caller(requestOf("X-Outrigger-Priority", "low", "X-Outrigger-Priority", "low")); err != nil || c.Priority != priority.Low {
		t.Errorf("the same twice: %v, %v", c.Priority, err)
	}
}
