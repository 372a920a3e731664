package proxy

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestAnUpstreamThatLacksTheModelDoesNotHideWhyTheFirstFailed: what the second does not have is the
// operator's concern.
func TestAnUpstreamThatLacksTheModelDoesNotHideWhyTheFirstFailed(t *testing.T) {
	const (
		deployment = `{"error":{"message":"no deployment for the model gpt-4o-mini","type":"invalid_request_error","code":null}}`
		unknown    = `{"error":{"message":"The model does not exist","type":"invalid_request_error","code":"model_not_found"}}`
		forbidden  = `{"error":{"message":"Project does not have access to model","code":"model_not_found"}}`
		wrong      = `{"error":{"message":"temperature must be at most 2 for this model","code":"wrong"}}`
	)
	tests := map[string]struct {
		first, second script
		down          bool
		want          seen
		told          bool
	}{
		"no deployment":        {answers(503, overBody), answers(400, deployment), false, seen{503, "openai", "openai=overloaded", "over", [3]int64{2, 1}}, true},
		"unknown":              {answers(503, overBody), answers(404, unknown), false, seen{503, "openai", "openai=overloaded", "over", [3]int64{2, 1}}, true},
		"forbidden":            {answers(503, overBody), answers(403, forbidden), false, seen{503, "openai", "openai=overloaded", "over", [3]int64{2, 1}}, true},
		"the first is down":    {nil, answers(404, unknown), true, seen{502, "openai", "openai=unreachable", "upstream_unreachable", [3]int64{0, 1}}, true},
		"another mistake":      {answers(503, overBody), answers(400, wrong), false, seen{400, "second", "openai=overloaded", "wrong", [3]int64{2, 1}}, false},
		"the first one's word": {answers(404, unknown), answering("second"), false, seen{404, "openai", "", "model_not_found", [3]int64{1, 0}}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSeveral(t, nil, tt.first, tt.second)
				if tt.down {
					_ = s.wires[0].Close()
				}
				if got := s.call(http.MethodPost, chatPath, chatBody); got != tt.want {
					t.Errorf("got  %+v\nwant %+v", got, tt.want)
				}
				synctest.Wait()
				if told := strings.Contains(s.log.String(), `lacks the model","id":`) && strings.Contains(s.log.String(), `"upstream":"second"`); told != tt.told {
					t.Errorf("the log tells: %v: %s", told, s.log.String())
				}
			})
		})
	}
}
