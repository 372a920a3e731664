package classify

import (
	"regexp"
	"strings"
)

// loadingRE finds sentences about a model, or the servers for it, that will be ready soon:
//
//	llama.cpp     503 "Loading model"
//	Ollama        503 "llm server loading model" (llm/server.go)
//	Hugging Face  503 "Model … is currently loading"
//	KServe        503 "Model with name … is not ready."
//	Bedrock       429 "Model is not ready for inference. Wait and try again."
//	Fireworks     503 "… is currently scaled to zero and is scaling up"
var loadingRE = regexp.MustCompile(
	`(?:^|["'] ?)loading (?:the )?model\b` +
		`|\b(?:server|engine|runner|worker|backend)[ :-]{1,3}(?:still )?loading (?:the |a |its )?(?:model|weights)\b` +
		`|^(?:the )?model (?:\S+ )?loading\b` +
		`|\b(?:model|server|engine|deployment|endpoint|replica|worker|service)s?\b[^\n]{0,160}?\b(?:` +
		`(?:is|are|still|currently|being|now) (?:still |currently |now |being )*(?:loading|loaded|warming up|starting(?: up)?|initiali[sz]ing|scaling up|booting|cold\b)` +
		`|(?:is|are) not (?:yet )?ready|not ready (?:yet|for)|loading in progress)|模型(?:正在)?加载中|模型正在加载`,
)

// coldRE finds such a sentence at the beginning of a rejection (Featherless 400 "This Model is Cold / Not Ready for Inference").
var coldRE = regexp.MustCompile(`^(?:error: ?)?(?:the |this |requested )*(?:model|deployment|endpoint)\b[^\n.]{0,80}? (?:is|are|still|currently) (?:still |currently |now |being )*(?:cold\b|loading\b|warming up|starting up|not (?:yet )?ready)`)

// loadFailedRE finds those about one that will not.
var loadFailedRE = regexp.MustCompile(`\b(?:error|fail(?:ed|ure)?|could ?n[o']t|cannot|can't|unable)\b[^\n{}'"]{0,30}\bload|\bload(?:ing)?\b[^\n]{0,20}\bfailed|\bterminated\b`)

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
