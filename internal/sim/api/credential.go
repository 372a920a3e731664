package api

import (
	"net/http"
	"slices"
	"strings"

	"outrigger/internal/sim/reply"
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
func (c *Request) admit() *reply.Error {
	if c.Credential == "" {
		return errNoKey
	}
	if keys := c.api.cfg.Keys; len(keys) > 0 && !slices.Contains(keys, c.Credential) {
		return &reply.Error{
			Status: http.StatusUnauthorized, Kind: "invalid_request_error", Code: "invalid_api_key",
			Message: "Incorrect API key provided: " + maskKey(c.Credential) +
				". You can find your API key at https://platform.openai.com/account/api-keys.",
		}
	}
	if c.Route == unknownRoute {
		return &reply.Error{
			Status: http.StatusNotFound, Kind: "invalid_request_error",
			Message: "Invalid URL (" + c.r.Method + " " + c.r.URL.Path + ")",
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

var errNoKey = &reply.Error{
	Status: http.StatusUnauthorized, Kind: "invalid_request_error",
	Message: "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth " +
		"(i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API " +
		"from your browser and are prompted for a username and password. You can obtain an API key from " +
		"https://platform.openai.com/account/api-keys.",
}

// knownModel refuses models that do not exist.
func (c *Request) knownModel() *reply.Error {
	models := c.api.cfg.Models
	if c.Model == "" || len(models) == 0 || slices.Contains(models, c.Model) {
		return nil
	}
	return errModel(c.Model)
}

func errModel(model string) *reply.Error {
	return &reply.Error{
		Status: http.StatusNotFound, Kind: "invalid_request_error", Code: "model_not_found",
		Message: "The model `" + model + "` does not exist or you do not have access to it.",
	}
}
