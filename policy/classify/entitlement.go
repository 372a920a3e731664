package classify

import "regexp"

// What a plan, tier or account is called, and who has one.
const (
	plan   = `(?:plan|tier|subscription|membership|package)s?\b`
	holder = `(?:` + plan + `|(?:account|organi[sz]ation|org|workspace|project|team|user|key)s?\b)`
	refuse = `(?:not|n't|no longer)(?: yet| currently)?`

	// What is had beside a plan, and how one comes by it: "need usage credits to be enabled".
	bought   = `(?:credits?|(?:extra|additional|paid|overage) usage|usage|billing|features?|access|add-?ons?|betas?|plans?|tiers?|subscriptions?)`
	switched = `(?:enabled|activated|turned on|switched on|included|purchased|bought|granted|added|unlocked|upgraded)\b`
)

// entitlementRE finds sentences that say what a caller's plan or account lacks, in
// words that nobody listed before: "requires a paid plan", "is not available on your
// plan", "your tier does not include", "only available to subscribers", "upgrade to use
// this model".
var entitlementRE = regexp.MustCompile(
	`\b(?:requires?|needs?|must have) (?:an? |the |at least )?(?:[\w$.+-]+ ){0,3}?(?:` + plan + `|upgrade|entitlement|add-?on)` +
		`|` + plan + `[^.\n]{0,20} (?:is|are) (?:required|needed)` +
		`|\b(?:upgrade|subscription) required` +
		`|` + refuse + ` (?:available|included|enabled|offered|supported|allowed|permitted|accessible|part of)\b[^.\n]{0,40}\b` + holder +
		`|` + holder + `[^.\n]{0,20} (?:does|do|is|are|has|have|can)(?: ?not|n't)(?: yet| currently)? (?:include|have|allow|cover|support|permit|access|eligible|enabled|use)` +
		`|\b(?:only|exclusively) (?:available|accessible|offered|allowed|for|to)\b[^.\n]{0,40}\b(?:paid|pro|plus|premium|enterprise|business|subscribers?|paying|` + plan + `)` +
		`|\b(?:allowed|available|reserved) (?:for|to|on|in|with)\b[^.\n]{0,30}\b` + plan +
		`|\bupgrade\b[^.\n]{0,40}\b(?:to|for) (?:access|use|unlock|enable)` +
		`|\bhas no access to\b` +
		`|\b(?:requires?|needs?|must have) (?:[\w$.+-]+ ){0,4}?` + bought + ` (?:to be |be |being )?` + switched +
		`|` + bought + ` (?:must|needs? to|has to|have to) (?:first )?be ` + switched +
		`|\b(?:enable|activate|turn on|switch on|subscribe to|purchase|buy) (?:[\w$.+-]+ ){0,4}?` + bought + ` (?:[\w-]+ ){0,5}?(?:to|before) (?:use|using|access|accessing|unlock|call|calling)\b` +
		`|\b(?:disabled|unavailable|unsupported|blocked)\b[^.\n]{0,20} (?:for|on|under|by|in) (?:your|this|the) ` + holder +
		`|\bno (?:endpoints?|models?|access)\b[^.\n]{0,40} (?:on|under|with) your[^.\n]{0,20} ` + plan,
)

// rateRE finds the words of a limit that passes. Beside them a plan is mentioned to
// sell more of it: "Need more tokens? Upgrade to Dev Tier" (Groq).
var rateRE = regexp.MustCompile(`\brate[ -]?limit|\blimits?\b|\bper[ -](?:second|sec|min|hour|day|month)|too many|quota|exceeded|throttl|\b(?:rpm|tpm|rpd|tpd)\b|capacity|try again (?:in|later|after)`)

// unentitled matches refusals of what the caller's plan does not include. The phrases that
// are known decide alone; the general pattern only where nothing speaks of a rate or a wait.
func unentitled(r *reply) bool {
	if r.has(entitlementCodes) || saysAny(r.text, entitlementPhrases...) {
		return true
	}
	return r.wait == 0 && entitlementRE.MatchString(r.text) && !rateRE.MatchString(r.text)
}
