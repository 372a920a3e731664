package classify

import (
	"slices"
	"strings"
	"unicode"
)

// named is what the words of an answer's codes and types say, as a set. A code that nobody listed still names its case by
// its words: "GoUsageLimitError", "system_busy", "token_quota_reached", "https://example.com/probs/out-of-credit".
type named uint16

const (
	namesRate     named = 1 << iota // a rate, or how many calls at once
	namesPeriod                     // an allowance for a day or longer
	namesDebt                       // money, credits, a subscription that has ended
	namesQuota                      // a quota of something, of whatever length
	namesTokens                     // a limit of tokens: of a request, of a minute or of the account, by the status
	namesBusy                       // no capacity
	namesLoading                    // not ready yet
	namesModel                      // a model that is not there
	namesRegion                     // the place that asks
	namesSize                       // larger than what is taken
	namesPlan                       // what the account does not include
	namesAPIKey                     // an API key or account that is refused
	namesKey                        // a key or token, of whatever sort
	namesScope                      // what the key may not do
	namesModelOff                   // a model that is not there now, or for good
)

// naming is a combination of words: one of each group, none of those without.
type naming struct {
	is      named
	groups  []map[string]bool
	without map[string]bool
	// only says that no other words stand beside them, save fillers.
	only bool
}

func say(is named, groups ...string) naming {
	n := naming{is: is}
	for _, g := range groups {
		n.groups = append(n.groups, codes(g))
	}
	return n
}

func (n naming) but(list string) naming {
	n.without = codes(list)
	return n
}

func (n naming) alone() naming {
	n.only = true
	return n
}

// The words that the combinations share.
const (
	spentWords = ` exceeded exceeds exceed reached exhausted depleted insufficient out no not over used limit limits cap hit empty zero none `
	notWords   = ` not no unsupported unavailable disabled denied restricted blocked forbidden prohibited disallowed missing required `
	awayWords  = ` inactive expired canceled cancelled ended unpaid lapsed suspended terminated overdue due paused `
	serving    = ` model models server servers service engine deployment endpoint replica instance worker container backend `
)

// namings is tried from the top for each code; the first that matches says what it names.
var namings = []naming{
	say(namesSize, `context`, `length window size exceeded exceeds exceed overflow overflowed limit long large`),
	say(namesSize, `prompt input message messages request payload body content text sequence audio file image document completion tokens token string`, `long large big oversize oversized overflow`),
	say(namesSize, `prompt input content payload body sequence`, `exceeded exceeds exceed limit`, `length size tokens token limit`).but(`quota rate minute min daily monthly weekly`),
	say(namesLoading, serving, `loading warming warmup starting booting initializing initialising provisioning cold`).but(`failed failure timeout file image`),
	say(namesLoading, serving, `not`, `ready`),
	say(namesLoading, `loading warming warmup starting booting cold`).alone(),
	say(namesPeriod, `daily weekly monthly yearly day week month per_day rpd tpd lifetime`, spentWords+`quota allowance usage`).but(`minute second min sec rpm tpm`),
	say(namesRate, `rate ratelimit`, `limit limits limited limiting limiter exceeded exceed quota error high`).but(`sample sampling bit frame refresh learning`),
	say(namesRate, `many`, `request requests calls queries concurrent connections attempts jobs generations`),
	say(namesRate, `throttle throttled throttling throttler rpm tpm qps rps tps ratelimit ratelimited`),
	say(namesRate, `concurrency concurrent parallel simultaneous inflight`, spentWords+`many quota`).but(`modification update write edit`),
	say(namesRate, `minute second min sec`, spentWords+`quota`),
	say(namesRate, `request requests call calls`, `limit limits`).but(`size length body`),
	say(namesDebt, `credit credits balance fund funds money wallet prepaid billing payment invoice spend spending budget cost overdue arrears arrearage unpaid delinquent`,
		spentWords+`required due low enough negative failed declined inactive disabled hard past expired error exception account issue issues problem incomplete`).but(`card thinking reasoning tokens token load data storage`),
	say(namesDebt, `usage`, `limit limits cap quota`+` exceeded reached exhausted hit`).but(`memory cpu gpu disk storage resource context`),
	say(namesDebt, `insufficient`, `quota credits allowance`).but(`storage file files disk service`),
	say(namesDebt, `subscription membership license trial`, awayWords),
	say(namesDebt, `account`, `unpaid overdue inactive delinquent due arrears`),
	say(namesDebt, `plan subscription membership package trial free`, `limit limits cap quota usage`, `exceeded exceeds reached exhausted hit over out error`),
	say(namesTokens, `token tokens`, `out insufficient`).alone(),
	say(namesTokens, `token tokens`, `limit limits max maximum`, `exceeded exceeds exceed reached over limit hit`).but(`quota`),
	say(namesBusy, `busy overload overloaded congested congestion saturated`).but(`conversation thread session run file resource`),
	say(namesBusy, `capacity`, spentWords+`full limited unavailable lack max at error shortage`),
	say(namesBusy, `queue`, `full exceeded overflow limit`),
	say(namesBusy, `high heavy`, `traffic load demand`),
	say(namesBusy, `no insufficient not`, `worker workers executor executors instances gpu gpus slot slots replicas resources nodes servers hosts`).but(`permission permissions found`),
	say(namesModel, `model models deployment engine`, `unknown invalid unsupported nonexistent deprecated retired decommissioned removed`).alone(),
	say(namesModel, `model models deployment engine`, `not no`, `found exist exists supported support such`).alone(),
	say(namesModelOff, `model models deployment engine`, `unavailable available disabled offline error exception`).alone(),
	say(namesRegion, `region regions country countries location territory territories geo geography jurisdiction`, notWords+`restriction error exception block`).but(`found exist exists missing required file job`),
	say(namesPlan, `upgrade verification subscription kyc`, `required needed missing no not`).but(`id found exist`),
	say(namesPlan, `plan tier membership`, notWords+`insufficient allowed upgrade low wrong`).but(`found exist`),
	say(namesPlan, `not no missing`, `entitled entitlement entitlements subscribed activated whitelisted allowlisted verified enabled opted onboarded`).but(`stream tools tool`),
	say(namesPlan, `free guest trial`, `user users account accounts`, `not forbidden denied blocked`),
	say(namesPlan, `unverified unentitled ungranted`),
	say(namesPlan, `feature model beta preview`, `not`, `allowed permitted included authorized`),
	say(namesPlan, `model feature`, `access permission`, `denied no not restricted required`),
	say(namesQuota, `quota quotas allowance allotment points`, spentWords+`error exception rejected enough violation`).but(`storage file files disk service found exist vector data invalid`),
	say(namesAPIKey, `api apikey access auth authentication bearer credential credentials secret virtual`,
		`key keys apikey token tokens credential credentials`, keyBad).but(keyOther),
	say(namesAPIKey, `apikey credential credentials authentication`, keyBad+`failed failure error`).but(keyOther),
	say(namesAPIKey, `account organization org workspace user project team`, `disabled deactivated suspended banned terminated locked closed deleted`).but(`found feature`),
	say(namesKey, `key keys token tokens`, keyBad).but(keyOther),
	say(namesScope, `permission permissions scope scopes role privilege privileges`, `missing insufficient no not required lacking`),
}

const (
	keyBad   = ` invalid expired disabled revoked incorrect missing deactivated unknown suspended banned blocked deleted wrong bad inactive leaked required not no `
	keyOther = `version idempotency cache encryption primary foreign json object property public duplicate page pagination continuation kms customer max min count limit stop budget`
)

// validating are words of a request that is wrong in itself, whatever else its code mentions: "invalid_quota_parameter".
var validating = codes(`param params parameter parameters field fields argument arguments value values format schema json property validation
	parse parsing syntax header enum attribute range`)

// besides are the words that may stand beside a whole combination.
var besides = codes(`error exception err fault failure the is was are has been does be this that requested specified selected name id up
	start for in on by api llm ai provider endpoint currently temporarily yet still com org http https www it at of`)

// vocabulary is every word that some combination or filler knows, by which glued ones are split.
var vocabulary = func() map[string]bool {
	all := codes(`too many request`)
	for _, n := range namings {
		for _, g := range n.groups {
			for w := range g {
				all[w] = true
			}
		}
	}
	for w := range besides {
		all[w] = true
	}
	return all
}()

// mostNamed is how many words a code has at most. A longer one is a sentence.
const mostNamed = 12

// nameOf returns what a code names by its words, 0 if nothing.
func nameOf(code string) named {
	said := codeWords(code)
	if len(said) == 0 || len(said) > mostNamed || anyOf(said, validating) {
		return 0
	}
	for i := range namings {
		if namings[i].matches(said) {
			return namings[i].is
		}
	}
	return 0
}

func (n *naming) matches(said []string) bool {
	for _, g := range n.groups {
		if !anyOf(said, g) {
			return false
		}
	}
	if anyOf(said, n.without) {
		return false
	}
	return !n.only || n.nothingElse(said)
}

func (n *naming) nothingElse(said []string) bool {
	for _, w := range said {
		known := besides[w]
		for _, g := range n.groups {
			known = known || g[w]
		}
		if !known {
			return false
		}
	}
	return true
}

func anyOf(said []string, set map[string]bool) bool {
	for _, w := range said {
		if set[w] {
			return true
		}
	}
	return false
}

// codeWords splits a code at what is no letter and where its case changes, and glued words that are all known: "quotaexceeded".
func codeWords(code string) []string {
	var said []string
	runes := []rune(cut(code, 128))
	start := 0
	end := func(i int) {
		if i > start {
			said = append(said, unglue(strings.ToLower(string(runes[start:i])))...)
		}
	}
	for i, c := range runes {
		switch {
		case !unicode.IsLetter(c):
			end(i)
			start = i + 1
		case i > start && unicode.IsUpper(c) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			end(i)
			start = i
		}
	}
	end(len(runes))
	return said
}

// shortestGlued is the length from which a word that nobody knows may be several.
const shortestGlued = 9

// unglue splits a word into known ones, or returns it alone.
func unglue(word string) []string {
	if len(word) < shortestGlued || len(word) > 40 || vocabulary[word] {
		return []string{word}
	}
	// from[i] is where the known word that ends at i begins, the longest one; 0 is a beginning too.
	from := make([]int, len(word)+1)
	for i := 1; i <= len(word); i++ {
		from[i] = -1
		for j := range i {
			if (j == 0 || from[j] >= 0) && vocabulary[word[j:i]] {
				from[i] = j
				break
			}
		}
	}
	if from[len(word)] < 0 {
		return []string{word}
	}
	var parts []string
	for i := len(word); i > 0; i = from[i] {
		parts = append(parts, word[from[i]:i])
	}
	slices.Reverse(parts)
	return parts
}

// names matches an answer one of whose codes names any of the cases.
func names(is named) match { return func(r *reply) bool { return r.named&is != 0 } }
