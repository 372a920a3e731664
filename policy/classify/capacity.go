package classify

import (
	"net/http"
	"strings"

	"outrigger/internal/lazyregexp"
)

// loadingRE finds sentences about a model, or the servers for it, that will be ready soon:
//
//	llama.cpp     503 "Loading model"
//	Ollama        503 "llm server loading model" (llm/server.go)
//	Hugging Face  503 "Model … is currently loading"
//	KServe        503 "Model with name … is not ready."
//	Bedrock       429 "Model is not ready for inference. Wait and try again."
//	Fireworks     503 "… is currently scaled to zero and is scaling up"
var loadingRE = lazyregexp.New(
	`(?:^|["'] ?)loading (?:the )?model\b` +
		`|\b(?:server|engine|runner|worker|backend)[ :-]{1,3}(?:still )?loading (?:the |a |its )?(?:model|weights)\b` +
		`|^(?:the )?model (?:\S+ )?loading\b` +
		`|\b(?:model|server|engine|deployment|endpoint|replica|worker|service)s?\b[^\n]{0,160}?\b(?:` +
		`(?:is|are|still|currently|being|now) (?:still |currently |now |being )*(?:loading|loaded|warming up|starting(?: up)?|initiali[sz]ing|scaling up|booting|cold\b)` +
		`|(?:is|are) not (?:yet )?ready|not ready (?:yet|for)|loading in progress)|模型(?:正在)?加载中|模型正在加载`,
)

// coldRE finds such a sentence at the beginning of a rejection (Featherless 400 "This Model is Cold / Not Ready for Inference").
var coldRE = lazyregexp.New(`^(?:error: ?)?(?:the |this |requested )*(?:model|deployment|endpoint)\b[^\n.]{0,80}? (?:is|are|still|currently) (?:still |currently |now |being )*(?:cold\b|loading\b|warming up|starting up|not (?:yet )?ready)`)

// loadFailedRE finds those about one that will not.
var loadFailedRE = lazyregexp.New(`\b(?:error|fail(?:ed|ure)?|could ?n[o']t|cannot|can't|unable)\b[^\n{}'"]{0,30}\bload|\bload(?:ing)?\b[^\n]{0,20}\bfailed|\bterminated\b`)

// isLoading matches refusals of a model that is being made ready.
func isLoading(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 404, 422:
		return r.named&namesLoading != 0 || r.opens(coldRE)
	case 409, 425, 429, 500, 502, 503, 504:
	default:
		return false
	}
	if r.has(loadingCodes) || r.named&namesLoading != 0 {
		return true
	}
	if loadFailedRE.MatchString(r.text) {
		return false
	}
	if r.estimated > 0 && r.status == 503 {
		return true
	}
	// Together and OpenAI say "The server is overloaded or not ready yet." of any overload:
	// one that lasts would be asked every second to the deadline.
	return loadingRE.MatchString(r.text) && !strings.Contains(r.text, "overload")
}

// burstRE finds words about a rate that rose too fast: DashScope's limit_burst_rate, Volcengine's RequestBurstTooFast.
var burstRE = lazyregexp.New(`\brequest (?:rate|burst|traffic)[^.\n]{0,30}\b(?:increas|ris|ros|grow|grew|burst|spik)|\bincreased too (?:quickly|fast)|\bslow down (?:the |your )?(?:traffic|request)|\bscale requests more smoothly|\bramp up\b[^.\n]{0,30}\b(?:slow|gradual)|\btriggered by request burst`)

// burst matches refusals of a rate that rose too fast.
func burst(r *reply) bool {
	return codePart("burst")(r) || burstRE.MatchString(r.text)
}

// crowdRE finds sentences about servers that have no room, whoever asks.
var crowdRE = lazyregexp.New(`\boverload(?:ed)?\b|\btoo busy\b|\b(?:is|are|currently|server|service|system) busy\b|\bunable to handle\b[^.\n]{0,30}\brequests|\b(?:system|server|insufficient|limited|lack of) capacity\b|\bcapacity limits?\b` +
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
var crowdModelRE = lazyregexp.New(`(?:^|\bthe |\bthis |\byour )model (?:\S+ )?(?:is|are|service|busy|temporarily)\b|\bworker\b|\bmore data ?centers|该模型`)

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
var behindRE = lazyregexp.New(`\b(?:rate[- ]?limited|throttled|limited) by (?:the |our |its |an? )?(?:upstream|provider)|\b(?:upstream|provider)(?:'s)? (?:rate[- ]?limit|is rate|has rate|quota)|\berror from (?:the )?(?:upstream|provider)\b[^\n]{0,80}\b(?:limit|429|too many)`)

// behind matches a provider's limit that a gateway passes on as its own.
func behind(r *reply) bool {
	return !r.byok && (r.status == 429 || r.status == 503) && behindRE.MatchString(r.text)
}

// namedBusy matches codes about a lack of capacity, under the statuses that say nothing better.
func namedBusy(r *reply) bool {
	switch r.status {
	case 400, 401, 403, 422, 429, 498, 500, 502, 503, 504, 529:
		return r.named&namesBusy != 0
	}
	return false
}

// hurryRE finds a rate in the text of an answer that failed by its status.
var hurryRE = lazyregexp.New(`\brate[- ]?limited\b|\brate[- ]?limits?\b[^.\n]{0,40}?\b(?:exceed|reach|hit\b)|\b(?:exceed(?:ed|s|ing)?|reached|hit|over) (?:[\w-]+ ){0,4}?rate[- ]?limit|^(?:error: ?)?rate limit(?:ing)?$|\btoo many (?:concurrent |simultaneous |parallel )?(?:requests|calls|queries|connections)\b|\bthrottl(?:ed|ing)\b` +
	`|\bconcurren\w+[^.\n]{0,30}\b(?:limit|quota|exceed\w*|reached)\b|\bexceed\w*[^.\n]{0,30}\bconcurren|请求过于频繁|频率限制|速率限制|并发`)

func hurries(text string) bool {
	return saysAny(text, "rate", "too many", "throttl", "concurren", "频", "速率", "并发") && hurryRE.MatchString(text)
}

// hurried matches such texts under 5xx and 403.
func hurried(r *reply) bool {
	switch r.status {
	case 500, 502, 503:
		return hurries(cut(r.text, crowdMax))
	case 403:
		return hurries(cut(r.text, crowdMax)) && r.opens(hurryRE) || rateWords(r) && r.opens(overRE)
	}
	return false
}
