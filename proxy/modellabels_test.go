package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestMetrics_OnlyModelsThatExistTakeLabels has more made-up models than there are labels, before
// one that exists.
func TestMetrics_OnlyModelsThatExistTakeLabels(t *testing.T) {
	const made = 2 * 50 // twice observe.maxModels
	const hi = `{"model":%q,"messages":[{"role":"user","content":"hi"}]}`
	synctest.Test(t, func(t *testing.T) {
		g := newBubble(t, func(w http.ResponseWriter, r *http.Request, call int) {
			w.Header().Set("X-Ratelimit-Limit-Requests", "600")
			w.Header().Set("X-Ratelimit-Remaining-Requests", "599")
			if call <= made {
				answers(404, `{"error":{"message":"The model does not exist.","type":"invalid_request_error","code":"model_not_found"}}`)(w, r, call)
				return
			}
			fine(w, r, call)
		})
		ask := func(model string) {
			g.do(g.request(http.MethodPost, "/v1/chat/completions", fmt.Sprintf(hi, model)))
			g.metricsText() // a scrape is what gives labels
		}
		for i := range made {
			ask(fmt.Sprint("made-up-", i))
		}
		ask("there")
		text := g.metricsText()
		if strings.Contains(text, "made-up") {
			t.Error("a model has a label that no answer has shown to exist")
		}
		if !strings.Contains(text, `model="there"`) {
			t.Errorf("the model that exists has no label:\n%s", strings.Join(g.limitLines(), "\n"))
		}
	})
}
