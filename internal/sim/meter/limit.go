package meter

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Enforcement is how a limit per minute is enforced in time.
type Enforcement string

// The ways that providers enforce a limit. All of them announce the same
// "N per minute"; a client cannot know which one it meets.
const (
	// Refill is a bucket that fills continuously. It is what OpenAI's and Groq's
	// hints imply: "try again in" is always deficit / (limit / window). The default.
	Refill Enforcement = "refill"
	// Quanta gives out the limit in equal shares per Quantum, unused shares expire:
	// 1200 per minute as 20 per second (help.openai.com/en/articles/5955604).
	Quanta Enforcement = "quanta"
	// Window gives out the whole limit at the start of each minute of the clock
	// (days: at 00:00 UTC).
	Window Enforcement = "window"
)

// Hint is which wait a refusal names.
type Hint string

// The hints that are sent. Exact is the default.
const (
	// Exact is the time after which this request, alone, would be admitted.
	Exact Hint = "exact"
	// Formula is deficit / (limit / window) whatever the enforcement: too short
	// for Quanta and Window, as a server with two layers of limits would say.
	Formula Hint = "formula"
	// NoHint sends neither a header nor a text about the wait.
	NoHint Hint = "none"
)

// Limit says what the requests that match it may use. The zero value matches
// every request and limits nothing. Counts are per credential and model unless Shared.
type Limit struct {
	Credential string `json:"credential" doc:"only for this API key; a trailing * matches a prefix"`
	Model      string `json:"model" doc:"only for this model; a trailing * matches a prefix"`

	RPM int `json:"rpm" doc:"requests per minute, 0 = no limit"`
	TPM int `json:"tpm" doc:"tokens per minute, 0 = no limit"`
	RPD int `json:"rpd" doc:"requests per day, 0 = no limit"`
	TPD int `json:"tpd" doc:"tokens per day, 0 = no limit"`
	IPM int `json:"ipm" doc:"images per minute, 0 = no limit"`

	Enforce       Enforcement   `json:"enforce" doc:"refill (continuous bucket, default), quanta (equal shares per second) or window (whole minutes of the clock)"`
	Burst         time.Duration `json:"burst" doc:"refill: the bucket holds what comes in this time, 0 = the whole minute or day"`
	Quantum       time.Duration `json:"quantum" doc:"quanta: length of a share, 0 = 1s"`
	CountRefusals bool          `json:"count_refusals" doc:"a refused request counts against the request limits too"`
	Hint          Hint          `json:"hint" doc:"wait named by refusals: exact (default), formula or none"`
	Row           string        `json:"row" doc:"provider/name of the answer to what is refused; the limit is in no header then"`
	Shared        bool          `json:"shared" doc:"all credentials and models that match draw on one count"`
}

// ErrLimit is wrapped by the errors of Validate.
var ErrLimit = errors.New("bad limit")

// Validate reports the first field that makes no sense, wrapping ErrLimit.
func (l Limit) Validate() error {
	for name, n := range map[string]int{"rpm": l.RPM, "tpm": l.TPM, "rpd": l.RPD, "tpd": l.TPD, "ipm": l.IPM} {
		if n < 0 {
			return fmt.Errorf("%w: %s is %d, want 0 (none) or more", ErrLimit, name, n)
		}
	}
	switch l.Enforce {
	case "", Refill, Quanta, Window:
	default:
		return fmt.Errorf("%w: enforce is %q, want refill, quanta or window", ErrLimit, l.Enforce)
	}
	switch l.Hint {
	case "", Exact, Formula, NoHint:
	default:
		return fmt.Errorf("%w: hint is %q, want exact, formula or none", ErrLimit, l.Hint)
	}
	if l.Burst < 0 || l.Quantum < 0 {
		return fmt.Errorf("%w: negative duration", ErrLimit)
	}
	return nil
}

// matches reports whether the limit is meant for this credential and model.
func (l Limit) matches(credential, model string) bool {
	return Match(l.Credential, credential) && Match(l.Model, model)
}

// Match reports whether text is what pattern names: "" matches everything, a
// trailing * a prefix, anything else itself.
func Match(pattern, text string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(text, prefix)
	}
	return pattern == "" || pattern == text
}
