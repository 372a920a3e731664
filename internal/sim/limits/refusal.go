package limits

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"outrigger/internal/sim/meter"
	"outrigger/internal/sim/reply"
)

// Refusal is what a refusal by rate names besides the limit itself.
type Refusal struct {
	Style        Style         // "" is OpenAI
	Organization string        // as the text names it
	Model        string        // or what was called, where there is no model
	Dialect      reply.Dialect // of the endpoint, for OpenAI's and Groq's styles
	RequestID    string        // as Anthropic's style names it
}

// Answer is the 429 for a decision, in the style.
func (r Refusal) Answer(d meter.Decision) reply.Answer {
	switch r.Style {
	case Azure:
		return r.azure(d)
	case Groq:
		return r.groq(d)
	case Anthropic:
		return r.anthropic(d)
	default:
		return r.openai(d)
	}
}

// openai follows real messages, as in "Rate limit reached for gpt-4o in
// organization org-X on tokens per min (TPM): Limit 30000, Used 14567, Requested
// 24754. Please try again in 18.642s." and "Request too large for …".
func (r Refusal) openai(d meter.Decision) reply.Answer {
	e := reply.Error{Status: http.StatusTooManyRequests, Kind: d.Dimension.Unit(), Code: "rate_limit_exceeded"}
	const visit = "Visit https://platform.openai.com/account/rate-limits to learn more."
	where := fmt.Sprintf("for %s in organization %s on %s:", r.Model, r.Organization, phrase(d.Dimension))
	if d.TooLarge {
		e.Message = fmt.Sprintf("Request too large %s Limit %d, Requested %d. The input or output tokens must be reduced in order to run successfully. %s",
			where, d.Limit, d.Requested, visit)
		return e.Answer(r.Dialect, r.RequestID)
	}
	e.Message = fmt.Sprintf("Rate limit reached %s Limit %d, Used %d, Requested %d. ", where, d.Limit, d.Used, d.Requested)
	wait := ceil(d.Wait, time.Millisecond)
	if wait > 0 {
		e.Message += fmt.Sprintf("Please try again in %s. ", wait)
	}
	e.Message += visit
	if d.Dimension.Unit() == "requests" {
		e.Message += " You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing."
	}
	a := e.Answer(r.Dialect, r.RequestID)
	if r.Style != NoHeaders {
		a.Header = retryAfter(wait)
	}
	return a
}

// groq prints nanoseconds, and gives a request that never fits a hint all
// the same (seen: Limit 7000, Used 0, Requested 12903, "try again in 50.597142857s").
func (r Refusal) groq(d meter.Decision) reply.Answer {
	if d.TooLarge {
		d.Wait = time.Duration(float64(d.Used+d.Requested-d.Limit) / float64(d.Limit) * float64(d.Dimension.Window()))
	}
	e := reply.Error{Status: http.StatusTooManyRequests, Kind: d.Dimension.Unit(), Code: "rate_limit_exceeded"}
	e.Message = fmt.Sprintf("Rate limit reached for model `%s` in organization `%s` service tier `on_demand` on %s: Limit %d, Used %d, Requested %d. ",
		r.Model, r.Organization, longPhrase(d.Dimension), d.Limit, d.Used, d.Requested)
	if d.Wait > 0 {
		e.Message += fmt.Sprintf("Please try again in %s. ", d.Wait)
	}
	e.Message += "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
	a := e.Answer(r.Dialect, r.RequestID)
	if d.Wait > 0 {
		a.Header = http.Header{"Retry-After": {seconds(d.Wait)}}
	}
	return a
}

// azure names whole seconds only, and 86400 for what never fits.
func (r Refusal) azure(d meter.Decision) reply.Answer {
	wait := d.Wait
	if d.TooLarge {
		wait = 24 * time.Hour
	}
	what := "call"
	if d.Dimension.Unit() == "tokens" {
		what = "token"
	}
	message := "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-08-01-preview have exceeded " + what +
		" rate limit of your current OpenAI S0 pricing tier. "
	if wait > 0 {
		message += "Please retry after " + seconds(wait) + " seconds. "
	}
	message += "Please go here: https://aka.ms/oai/quotaincrease if you would like to further increase the default rate limit."
	a := reply.JSON(http.StatusTooManyRequests, reply.Object{"error", reply.Object{"code", "429", "message", message}})
	a.Header = retryAfter(wait)
	return a
}

func (r Refusal) anthropic(d meter.Decision) reply.Answer {
	message := fmt.Sprintf("Number of request %s has exceeded your per-minute rate limit (https://docs.anthropic.com/en/api/rate-limits); "+
		"see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.", d.Dimension.Unit())
	a := reply.JSON(http.StatusTooManyRequests, reply.Object{
		"type", "error", "error", reply.Object{"type", "rate_limit_error", "message", message}, "request_id", r.RequestID,
	})
	a.Header = http.Header{"X-Should-Retry": {"true"}}
	if d.Wait > 0 {
		a.Header.Set("Retry-After", seconds(d.Wait))
	}
	return a
}

// phrase is OpenAI's name of a dimension.
func phrase(d meter.Dimension) string {
	if d.Window() > time.Minute {
		return d.Unit() + " per day (" + d.String() + ")"
	}
	return d.Unit() + " per min (" + d.String() + ")"
}

// longPhrase is Groq's.
func longPhrase(d meter.Dimension) string {
	if d.Window() > time.Minute {
		return phrase(d)
	}
	return d.Unit() + " per minute (" + d.String() + ")"
}

// retryAfter gives the wait in whole seconds, rounded up, and in milliseconds.
func retryAfter(wait time.Duration) http.Header {
	if wait <= 0 {
		return nil
	}
	return http.Header{
		"Retry-After":    {seconds(wait)},
		"Retry-After-Ms": {strconv.FormatInt(ceil(wait, time.Millisecond).Milliseconds(), 10)},
	}
}

func seconds(d time.Duration) string { return strconv.FormatFloat(math.Ceil(d.Seconds()), 'f', 0, 64) }

// ceil rounds d up to a multiple of unit.
func ceil(d, unit time.Duration) time.Duration {
	return (d + unit - 1).Truncate(unit)
}
