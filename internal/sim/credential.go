package sim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/meter"
)

// credentialOf returns the API key: Azure's and Anthropic's headers first, because
// older Python clients send Azure both api-key and Authorization.
func credentialOf(h http.Header) string {
	for _, name := range []string{"Api-Key", "X-Api-Key"} {
		if v := h.Get(name); v != "" {
			return v
		}
	}
	v := h.Get("Authorization")
	if scheme, key, ok := strings.Cut(v, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(key)
	}
	return ""
}

// admit refuses what has no credential, or one that does not exist, and unknown paths.
func (c *call) admit() *apiError {
	if c.credential == "" {
		return errNoKey
	}
	if keys := c.sim.cfg.Keys; len(keys) > 0 && !slices.Contains(keys, c.credential) {
		return &apiError{
			status: http.StatusUnauthorized, kind: "invalid_request_error", code: "invalid_api_key",
			message: "Incorrect API key provided: " + maskKey(c.credential) +
				". You can find your API key at https://platform.openai.com/account/api-keys.",
		}
	}
	if c.route == unknownRoute {
		return &apiError{
			status: http.StatusNotFound, kind: "invalid_request_error",
			message: "Invalid URL (" + c.r.Method + " " + c.r.URL.Path + ")",
		}
	}
	return nil
}

// maskKey shows the ends of a key as OpenAI does.
func maskKey(key string) string {
	if len(key) < 16 {
		return strings.Repeat("*", len(key))
	}
	return key[:8] + strings.Repeat("*", len(key)-12) + key[len(key)-4:]
}

var errNoKey = &apiError{
	status: http.StatusUnauthorized, kind: "invalid_request_error",
	message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
		"(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API " +
		"from your browser and are prompted for a username and password. You can obtain an API key from " +
		"https://platform.openai.com/account/api-keys.",
}

// knownModel refuses models that do not exist.
func (c *call) knownModel() *apiError {
	models := c.sim.cfg.Models
	if c.model == "" || len(models) == 0 || slices.Contains(models, c.model) {
		return nil
	}
	return errModel(c.model)
}

func errModel(model string) *apiError {
	return &apiError{
		status: http.StatusNotFound, kind: "invalid_request_error", code: "model_not_found",
		message: "The model `" + model + "` does not exist or you do not have access to it.",
	}
}

// accounts are the credentials that are refused. Later ones go before earlier ones.
type accounts struct {
	mu  sync.Mutex
	all []frozen
}

type frozen struct {
	Account
	until time.Time // zero = until it is restored
}

func (a Account) validate() error {
	if a.Row == "" {
		return nil
	}
	_, err := fault.FindRow(a.Row)
	return err
}

func (a *accounts) replace(list []Account, now time.Time) {
	a.mu.Lock()
	a.all = nil
	a.mu.Unlock()
	for _, x := range list {
		a.set(x, now)
	}
}

func (a *accounts) set(x Account, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = slices.DeleteFunc(a.all, func(f frozen) bool { return f.Credential == x.Credential })
	if x.Row == "" {
		return
	}
	f := frozen{Account: x}
	if x.For > 0 {
		f.until = now.Add(x.For)
	}
	a.all = append(a.all, f)
}

// row returns the refusal that the credential gets now, or "".
func (a *accounts) row(credential string, now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range slices.Backward(a.all) {
		if meter.Match(f.Credential, credential) && (f.until.IsZero() || now.Before(f.until)) {
			return f.Row
		}
	}
	return ""
}

func (a *accounts) list() []Account {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []Account{}
	for _, f := range a.all {
		out = append(out, f.Account)
	}
	return out
}
