package classify

import (
	"net/http"
	"regexp"
)

// burstRE finds words about a rate that rose too fast: DashScope's limit_burst_rate, Volcengine's RequestBurstTooFast.
var burstRE = regexp.MustCompile(`\brequest (?:rate|burst|traffic)[^.\n]{0,30}\b(?:increas|ris|ros|grow|grew|burst|spik)|\bincreased too (?:quickly|fast)|\bslow down (?:the |your )?(?:traffic|request)|\bscale requests more smoothly|\bramp up\b[^.\n]{0,30}\b(?:slow|gradual)|\btriggered by request burst`)

// burst matches refusals of a rate that rose too fast.
func burst(r *reply) bool {
	return codePart("burst")(r) || burstRE.MatchString(r.text)
}

// crowdRE finds sentences about servers that have no room, whoever asks.
var crowdRE = regexp.MustCompile(`\boverload(?:ed)?\b|\btoo busy\b|\b(?:is|are|currently|server|service|system) busy\b|\bunable to handle\b[^.\n]{0,30}\brequests|\b(?:system|server|insufficient|limited|lack of) capacity\b|\bcapacity limits?\b` +
	`|\bno more (?:data ?centers|capacity|workers|slots|resources)|\bno (?:available|free|idle|healthy|valid) (?:[\w-]+ )?(?:capacity|workers?|executors?|slots?|instances?|replicas?|gpus?)|\bout of capacity|\bat (?:maximum|max|full) capacity|\bno (?:[\w-]+ )?(?:slots?|workers?|instances?|replicas?|gpus?|executors?|nodes?|capacity) (?:is |are )?(?:currently )?available|\bslots? (?:is|are) busy|\bqueue (?:is )?full|\b(?:too many|maximum|max) (?:pending|queued|waiting) requests|\bresource (?:cluster|pool)\b|\bpreemptible\b` +
	`|\bworker\b[^.\n]{0,40}\b(?:limit|queue)[^.\n]{0,20}\b(?:reached|full)|\bmodel (?:is )?(?:currently |temporarily )?(?:unavailable|busy)|\bservice (?:is not|isn't|isn’t) currently available|\bheavy load\b|\bexperiencing (?:a )?(?:very |unusually )?high (?:load|traffic|volume|demand)\b|\bunder high load\b|\bresou\w+ cluster|访问量过大|繁忙|负载(?:已饱和|过高)`)

// crowdParts are parts of codes that say so.
var crowdParts = []string{"overload", "too_busy", "toobusy", "no_capacity", "out_of_capacity", "preemptible_", "cluster_", "modelunavailable", "model_unavailable", "queue_exceeded", "queue_full", "queuefull"}

// crowdMax is how much of a text is searched for it: a failure may bring pages of text, and many may come at once.
const crowdMax = 1 << 10

// crowded matches refusals for want of capacity in words that nobody listed.
func crowded(r *reply) bool {
	switch r.status {
	case 429, 498, 500, 502, 503, 529:
		return codePart(crowdParts...)(r) || crowdRE.MatchString(cut(r.all, crowdMax))
	}
	return false
}

// crowdModelRE finds a crowd at one model.
var crowdModelRE = regexp.MustCompile(`(?:^|\bthe |\bthis |\byour )model (?:\S+ )?(?:is|are|service|busy|temporarily)\b|\bworker\b|\bmore data ?centers|该模型`)

// crowdScope returns whom a lack of capacity concerns.
func crowdScope(r *reply) Scope {
	if r.status == http.StatusBadGateway {
		return gatewayScope(r)
	}
	if r.named&namesBusy != 0 && r.hasPart("model") || codePart("modelunavailable", "model_unavailable", "serveroverloaded", "queue")(r) || crowdModelRE.MatchString(r.text) {
		return Model
	}
	return Upstream
}

// behindRE finds what a gateway says of the limit of its own provider, which the caller cannot pace.
var behindRE = regexp.MustCompile(`\b(?:rate[- ]?limited|throttled|limited) by (?:the |our |its |an? )?(?:upstream|provider)|\b(?:upstream|provider)(?:'s)? (?:rate[- ]?limit|is rate|has rate|quota)|\berror from (?:the )?(?:upstream|provider)\b[^\n]{0,80}\b(?:limit|429|too many)`)

// behind matches a provider's limit that a gateway passes on as its own.
func behind(r *reply) bool {
	return !r.byok && (r.status == 429 || r.status == 503) && behindRE.MatchString(r.text)
}
