package hint

import (
	"strings"
	"time"

	"outrigger/internal/lazyregexp"
)

// InText reads the first wait that a lower-cased text names, "try again in 7m12s", "(reset after 4s)", "wait a minute",
// and the first instant ahead of now at which to come back; 0 and zero for none.
func InText(text string, now time.Time) (time.Duration, time.Time) {
	var wait time.Duration
	var at time.Time
	hints(text, func(after, link string) bool {
		found := false
		if wait == 0 && link != "at" && link != "on" {
			wait = span(after, link)
			found = wait > 0
		}
		if !found && at.IsZero() && link != "for" {
			at = instantIn(after, now)
			found = !at.IsZero()
		}
		return found
	})
	if wait == 0 {
		if m := spanLeadsRE.FindStringSubmatch(text); m != nil {
			wait, _, _ = leading(m[1])
		}
	}
	if wait == 0 {
		if m := spanFirstRE.FindStringSubmatch(text); m != nil {
			wait, _, _ = leading(m[1])
		}
	}
	if wait == 0 {
		wait = keyedWait(text)
	}
	return wait, at
}

// span reads the wait with which a text begins, 0 if it is none, or the length of something else. A small number alone
// counts as seconds behind a link: "retry after 12".
func span(text, link string) time.Duration {
	if m := bareRE.FindStringSubmatch(text); m != nil && link != "" {
		n, _ := Decimal(m[1])
		wait, _ := Seconds(n)
		return wait
	}
	if token, _, _ := strings.Cut(text, " "); strings.HasPrefix(token, "pt") {
		wait, _ := Duration(strings.Trim(token, ".,;)\"'"))
		return wait
	}
	wait, rest, ok := leading(text)
	if !ok || notSpanRE.MatchString(rest) {
		return 0
	}
	return wait
}

var (
	// bareRE finds a number without a unit at the end of its clause. "Try again in 2026" has more digits.
	bareRE = lazyregexp.New(`^(\d{1,3}(?:\.\d+)?)\s*(?:$|[;!)\]"'}\n]|[.,](?:\s|$))`)
	// notSpanRE finds what makes the duration before it the length of something: "30 seconds ago", "5 minutes of audio".
	notSpanRE = lazyregexp.New(`^\s*(?:ago|of|window|period|interval)\b`)
	// spanFirstRE finds a duration that stands before its cue: "30 seconds until reset", "allow 5s before retrying".
	spanFirstRE = lazyregexp.New(`\b((?:` + digits + `\s*[a-z]+[ ,]+(?:and )?){1,3})(?:before (?:you )?(?:(?:can|may) )?(?:re-?try|try(?:ing)?|(?:sending|making|your|the|a|another) (?:next |new |another )?(?:re-?try|request|attempt))` +
		`|(?:until|till) (?:the |your |it |you )*(?:next )?(?:(?:limit|quota|can|may|is) )?(?:re-?try|reset|refill|available|request))`)
	// spanLeadsRE finds one with which a sentence begins: "After 30 seconds, please try again".
	spanLeadsRE = lazyregexp.New(`(?:^|[.!?;\n]\s*)(?:please |then )?(?:in|after) ((?:` + digits + `\s*[a-z]+[ ,]+(?:and )?){1,3})(?:please |you |can |may |could |then |and )*(?:re-?try|try|request|resend|send)\b`)
	// keyedRE finds a name and its bare number: "retry-after: 21", "wait_seconds=5".
	keyedRE = lazyregexp.New(`\b([a-z]+(?:[_-][a-z]+)+)["']?\s?[:=]\s?["']?(\d+(?:\.\d+)?)(?:[^\w.:/-]|\.?$|\.\s)`)
)

// keyedWait reads a wait in seconds from what a text quotes of a header or a field.
func keyedWait(text string) time.Duration {
	for _, m := range keyedRE.FindAllStringSubmatch(text, maxCues) {
		h := InField(m[1], strings.Trim(m[2], "."), time.Time{})
		if h.Wait > 0 && h.Kind != Loading {
			return h.Wait
		}
	}
	return 0
}
