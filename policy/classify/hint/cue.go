package hint

import (
	"strings"

	"outrigger/internal/lazyregexp"
)

// The grammar of hints in lower-cased texts: a cue, a few words, a link, a time.
//
//	try again                   in      20s
//	resets (for your account)   at      2026-11-30 00:00:00 utc
//	wait                        about   5 minutes
//	available again             after   a minute
//
// A cue is a word about coming back. What stands between it and the time must not turn the meaning: "retry timed out
// after 30 s", "reset reason: … after 5 s" and "try again within a minute" name no wait, and a time without a cue never
// does: "10 requests per 60 seconds", "max 30 minutes of audio".
var cueRE = lazyregexp.New(`(?:\b|_)(?:` +
	`(wait|pause|back(?:ing)?[ -]?off|cool(?:s|ing)?[ -]?down|hold off|sleep|blocked|throttled|locked(?: out)?|paused|banned|limited|suspended)` +
	`|(re-?try(?:ing)?|retrydelay|retryafter|try(?:ing)?(?: it| this| your request| the request)? again|(?:be|is|comes?|check) back|regain access|(?:next|another) (?:request|attempt|call|try|retry|slot|window|available)|available|unblock(?:ed|s)?|unlock(?:ed|s)?|lifted|freed? up|frees up|resum(?:e|es|ed))` +
	`|(reset(?:s|ting)?|refill(?:s|ed)?|refresh(?:es|ed)?|replenish(?:es|ed)?|renew(?:s|ed|al)?|restor(?:e|es|ed)|recover(?:s|ed)?)` +
	`)(?:\b|_)`)

// kind is what a cue's time means.
type kind uint8

const (
	stay  kind = iota // how long to stay away
	again             // when to come again
	whole             // when all is there again
)

var (
	// links are the words before a time.
	links     = set(`in after at on until till`)
	linksAway = set(`in for until till`)
	// fillers may stand before a time, and between a cue and a time without a link.
	fillers = set(`your this the request requests again it please you can must should will to be time about around
		approximately approx roughly nearly at least another a further additional up under less more than estimated
		suggested recommended delay interval period hint value next waiting date timestamp is are allowed accepted permitted possible available starts opens slot`)
	// turns are words after which a time means something else.
	turns = set(`exceeded exceeds exceeding exceed exhausted attempt attempts timed timeout failed fails per every each
		max maximum limit limits limited within last past previous only budget count policy window times reason by ago
		when because before if once unless of using with without while and or but however peer`)
	// notCues make the cue after them mean something else: "connection reset after 30 s", "max wait 30 s".
	notCues = set(`connection stream disconnect socket tcp peer http2 max maximum longest was were password queue`)
	// contracts are what renews without a limit being one.
	contracts = set(`plan subscription membership billing trial contract`)
	limitings = set(`limit limits quota usage allowance`)
)

// set returns the words of a list.
func set(list string) map[string]bool {
	all := map[string]bool{}
	for _, w := range strings.Fields(list) {
		all[w] = true
	}
	return all
}

const (
	// mostBetween is how many words may stand between a cue and its time.
	mostBetween = 8
	// maxCues bounds the search.
	maxCues = 20
)

// hints calls read with what follows each cue and its link in a lower-cased text. It goes on to the next cue when read
// found a time. The link is "" where the time follows the cue itself.
func hints(text string, read func(after, link string) bool) {
	for _, at := range cueRE.FindAllStringSubmatchIndex(text, maxCues) {
		k := stay
		if at[4] >= 0 {
			k = again
		} else if at[6] >= 0 {
			k = whole
		}
		before, cue := text[max(0, at[0]-64):at[0]], strings.Trim(text[at[0]:at[1]], "_")
		if allowed, ok := meant(before, cue, k); ok {
			follow(text[at[1]:], k, allowed, read)
		}
	}
	for _, at := range cueZhRE.FindAllStringIndex(text, maxCues) {
		read(text[at[1]:], "")
	}
}

// cueZhRE finds the same in Chinese, where the time stands before what happens then: "您的限额将在 2026-03-09 08:00:00 重置",
// "请在 5 秒后重试", "请等待 30 秒".
var cueZhRE = lazyregexp.New(`(?:将(?:在|于)|请(?:在|于)|等待)\s*`)

// meant reports whether a cue is one after what stands before it, and which links it may have: all of its kind, if nil.
func meant(before, cue string, k kind) (func(link string) bool, bool) {
	before = before[strings.LastIndexAny(before, ".!?;\n")+1:]
	said := strings.FieldsFunc(before, func(c rune) bool { return c < 'a' || c > 'z' })
	last := ""
	if len(said) > 0 {
		last = said[len(said)-1]
	}
	switch {
	case notCues[last]:
		return nil, false
	case k == whole:
		contract := false
		for _, w := range said[max(0, len(said)-4):] {
			contract = (contract || contracts[w]) && !limitings[w]
		}
		return nil, !contract
	case cue == "available" && (last == "not" || last == "t"):
		return func(link string) bool { return link == "until" }, true
	case cue == "available":
		return func(link string) bool { return link != "" && link != "until" && link != "till" }, true // the end of it
	case k == stay && (strings.HasSuffix(cue, "ed") || strings.HasSuffix(cue, "out")):
		return func(link string) bool { return link == "for" || link == "until" }, true
	}
	return nil, true
}

// follow reads the words after a cue up to its time.
func follow(rest string, k kind, allowed func(link string) bool, read func(after, link string) bool) {
	link, direct := "", true
	for range mostBetween {
		rest = strings.TrimLeft(rest, " \t:=~≈<>\"'`*([-_,")
		if (link != "" || direct) && (allowed == nil || allowed(link)) && read(rest, link) {
			return
		}
		end := strings.IndexFunc(rest, func(c rune) bool { return c < 'a' || c > 'z' })
		if end < 0 {
			end = len(rest)
		}
		word := rest[:end]
		if word == "" || turns[word] || k == whole && (word == "interval" || word == "period") {
			return // an interval is what a limit is for
		}
		switch {
		case k == stay && linksAway[word], k != stay && links[word]:
			link = word
		case !fillers[word]:
			link, direct = "", false
		}
		rest = rest[end:]
	}
}
