package sim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"outrigger/internal/sim/meter"
)

// refuse applies what forbids the work of a request that is in order: the account,
// the limits by rate and by number, the capacity. It reports whether one did.
func (c *call) refuse() (answer, bool) {
	now := time.Now()
	if row := c.sim.accounts.row(c.credential, now); row != "" {
		c.fault = "account " + row
		return rowAnswer(row, nil), true
	}
	c.decision = c.sim.meter.Take(now, c.credential, c.model, c.cost)
	if !c.decision.Admitted {
		c.fault = "limit " + c.decision.Dimension.String()
		if row := c.decision.Row; row != "" {
			return rowAnswer(row, nil), true
		}
		return c.limitAnswer(), true
	}
	release, row := c.sim.concurrency.take(c.credential, c.model)
	if row != "" {
		c.fault = "concurrency"
		return rowAnswer(row, nil), true
	}
	c.release = append(c.release, release)
	cfg := &c.sim.cfg
	if c.lost, row = c.sim.capacity.take(cfg.Latency + cfg.TokenDelay*time.Duration(cfg.Tokens)); row != "" {
		c.fault = "capacity"
		return rowAnswer(row, nil), true
	}
	c.release = append(c.release, c.sim.capacity.release)
	return answer{}, false
}

// limitAnswer is the 429 for c.decision in the configured style.
func (c *call) limitAnswer() answer {
	d := c.decision
	switch c.sim.cfg.Style {
	case Azure:
		return c.azureRefusal(d)
	case Groq:
		return c.groqRefusal(d)
	case Anthropic:
		return c.anthropicRefusal(d)
	default:
		return c.openaiRefusal(d)
	}
}

// openaiRefusal follows real messages, as in "Rate limit reached for gpt-4o in
// organization org-X on tokens per min (TPM): Limit 30000, Used 14567, Requested
// 24754. Please try again in 18.642s." and "Request too large for …".
func (c *call) openaiRefusal(d meter.Decision) answer {
	e := apiError{status: http.StatusTooManyRequests, kind: d.Dimension.Unit(), code: "rate_limit_exceeded"}
	const visit = "Visit https://platform.openai.com/account/rate-limits to learn more."
	where := fmt.Sprintf("for %s in organization %s on %s:", c.limitedModel(), c.sim.cfg.Organization, phrase(d.Dimension))
	if d.TooLarge {
		e.message = fmt.Sprintf("Request too large %s Limit %d, Requested %d. The input or output tokens must be reduced in order to run successfully. %s",
			where, d.Limit, d.Requested, visit)
		return e.answer(c)
	}
	e.message = fmt.Sprintf("Rate limit reached %s Limit %d, Used %d, Requested %d. ", where, d.Limit, d.Used, d.Requested)
	wait := ceil(d.Wait, time.Millisecond)
	if wait > 0 {
		e.message += fmt.Sprintf("Please try again in %s. ", wait)
	}
	e.message += visit
	if d.Dimension.Unit() == "requests" {
		e.message += " You can increase your rate limit by adding a payment method to your account at https://platform.openai.com/account/billing."
	}
	a := e.answer(c)
	if c.sim.cfg.Style != NoHeaders {
		a.header = retryAfter(wait)
	}
	return a
}

// groqRefusal prints nanoseconds, and gives a request that never fits a hint all
// the same (seen: Limit 7000, Used 0, Requested 12903, "try again in 50.597142857s").
func (c *call) groqRefusal(d meter.Decision) answer {
	if d.TooLarge {
		d.Wait = time.Duration(float64(d.Used+d.Requested-d.Limit) / float64(d.Limit) * float64(d.Dimension.Window()))
	}
	e := apiError{status: http.StatusTooManyRequests, kind: d.Dimension.Unit(), code: "rate_limit_exceeded"}
	e.message = fmt.Sprintf("Rate limit reached for model `%s` in organization `%s` service tier `on_demand` on %s: Limit %d, Used %d, Requested %d. ",
		c.limitedModel(), c.sim.cfg.Organization, longPhrase(d.Dimension), d.Limit, d.Used, d.Requested)
	if d.Wait > 0 {
		e.message += fmt.Sprintf("Please try again in %s. ", d.Wait)
	}
	e.message += "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
	a := e.answer(c)
	if d.Wait > 0 {
		a.header = http.Header{"Retry-After": {seconds(d.Wait)}}
	}
	return a
}

// azureRefusal names whole seconds only, and 86400 for what never fits.
func (c *call) azureRefusal(d meter.Decision) answer {
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
	a := jsonAnswer(http.StatusTooManyRequests, object{"error", object{"code", "429", "message", message}})
	a.header = retryAfter(wait)
	return a
}

func (c *call) anthropicRefusal(d meter.Decision) answer {
	message := fmt.Sprintf("Number of request %s has exceeded your per-minute rate limit (https://docs.anthropic.com/en/api/rate-limits); "+
		"see the response headers for current usage. Please reduce the prompt length or the maximum tokens requested, or try again later.", d.Dimension.Unit())
	a := jsonAnswer(http.StatusTooManyRequests, object{
		"type", "error", "error", object{"type", "rate_limit_error", "message", message}, "request_id", c.requestID(),
	})
	a.header = http.Header{"X-Should-Retry": {"true"}}
	if d.Wait > 0 {
		a.header.Set("Retry-After", seconds(d.Wait))
	}
	return a
}

// limitedModel is the model that a refusal names.
func (c *call) limitedModel() string {
	if c.model == "" {
		return c.route.name
	}
	return c.model
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
