package classify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"outrigger/policy/echoes"
	"outrigger/policy/endpoint"
	answers "outrigger/test/corpus"
)

// knownPhrases are all phrases and codes that the package lists, and what the corpora's refusals say.
func knownPhrases(t *testing.T) []string {
	t.Helper()
	all := map[string]bool{quotaPhrase: true, "try again in 3600s": true, "limit: 0": true, "server busy": true, "loading model": true}
	for _, list := range [][]string{billingPhrases, credentialPhrases, scopePhrases, oversizePhrases, regionPhrases, entitlementPhrases, tierPhrases, modelOverloadPhrases, overloadPhrases, debtParts, deniedParts, goneParts, storeParts, crowdParts} {
		for _, p := range list {
			all[p] = true
		}
	}
	for _, set := range []codeSet{billingCodes, credentialCodes, oversizeCodes, modelCodes, entitlementCodes, loadingCodes, tierCodes, modelOverloadCodes, overloadCodes, providerCodes, rejectedCodes, modelLimitCodes, bedrockCodes, zaiModelCodes} {
		maps.Copy(all, set)
	}
	for _, row := range corpus(t) {
		all[messageOf(row.Body)] = true
	}
	rows, err := answers.Answers("b")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		all[messageOf(row.Body)] = true
	}
	delete(all, "")
	delete(all, "model_not_found") // an answer says it of itself
	delete(all, "images")          // a word of the API
	return slices.Sorted(maps.Keys(all))
}

// messageOf returns what an answer of the usual shape says.
func messageOf(body string) string {
	var in struct{ Error struct{ Message string } }
	_ = json.Unmarshal([]byte(body), &in)
	return in.Error.Message
}

func quotedText(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

// quotations are how answers quote a name.
var quotations = map[string]func(name string) string{
	"quoted": func(n string) string {
		return `{"error":{"message":` + quotedText("The model `"+n+"` does not exist") + `,"code":"model_not_found"}}`
	},
	"bare": func(n string) string {
		return `{"error":{"message":` + quotedText("Unknown: "+n+" was asked for") + `}}`
	},
	"first":       func(n string) string { return `{"error":{"message":` + quotedText(n+" is not available here") + `}}` },
	"the code":    func(n string) string { return `{"error":{"message":"No.","code":` + quotedText(n) + `}}` },
	"in the code": func(n string) string { return `{"error":{"message":"No.","code":` + quotedText("unknown: "+n) + `}}` },
	"the type": func(n string) string {
		return `{"error":{"message":"No.","type":` + quotedText(n) + `,"param":` + quotedText(n) + `}}`
	},
	"in an event": func(n string) string { return "data: {\"error\":{\"message\":" + quotedText("No "+n) + "}}\n\n" },
	"error within": func(n string) string {
		return `{"error":{"message":` + quotedText(`{"error":{"message":`+quotedText("No `"+n+"`")+`}}`) + `}}`
	},
	"a page": func(n string) string { return "<html><p>No " + n + "</p></html>" },
	"text":   func(n string) string { return "no model " + n },
	"raw": func(n string) string {
		return `{"error":{"message":"No.","metadata":{"raw":` + quotedText(n) + `,"note":` + quotedText(n) + `}}}`
	},
}

// judged is what Classify says when a request names that model.
func judged(a Attempt, quote func(string) string, name string) Verdict {
	a.Body = []byte(quote(name))
	f := echoes.NewFinder(a.Body)
	f.Body([]byte(`{"model":` + quotedText(name) + `}`))
	a.Echo = f.Found()
	v := Classify(a)
	v.Error, v.Rule = ErrorFields{}, ""
	return v
}

// TestAModelsNameIsJudgedAsAnyOther: whatever phrase it is, quoted in whatever way, under whatever status.
func TestAModelsNameIsJudgedAsAnyOther(t *testing.T) {
	const harmless = "some-model-9"
	names := knownPhrases(t)
	if len(names) < 300 {
		t.Fatalf("%d names", len(names))
	}
	wrong, asked := 0, 0
	for manner, quote := range quotations {
		for _, status := range []int{200, 400, 403, 404, 429} {
			in := Attempt{Status: status, Effect: endpoint.Compute, Now: corpusNow}
			want := judged(in, quote, harmless)
			for _, name := range names {
				asked++
				if got := judged(in, quote, name); got != want {
					if wrong++; wrong <= 20 {
						t.Errorf("%s under %d: %q: got\n%+v, want\n%+v", manner, status, name, got, want)
					}
				}
			}
		}
	}
	t.Logf("%d of %d are judged otherwise", wrong, asked)
}

// TestAPhraseAloneDecidesForNobodyElse: where what the request said is not known, or a phrase comes under a status that says nothing of
// who asks, it ends its own call at most.
func TestAPhraseAloneDecidesForNobodyElse(t *testing.T) {
	for _, name := range knownPhrases(t) {
		body := []byte(`{"error":{"message":` + quotedText("No: "+name) + `}}`)
		for _, status := range []int{200, 400, 404, 409, 412, 422} {
			v := Classify(Attempt{Status: status, Body: body, Effect: endpoint.Compute, Now: corpusNow})
			if v.Trip || v.Limiter != LimiterNone || status >= 400 && v.Breaker == Fault {
				t.Errorf("%d: %q: rule %s: remembered %t, limiter %v, breaker %v", status, name, v.Rule, v.Trip, v.Limiter, v.Breaker)
			}
		}
		if v := Classify(answer(404, `{"error":{"message":"x","code":`+quotedText(name)+`}}`)); v.Trip {
			t.Errorf("a 404 with code %q is remembered", name)
		}
		for _, status := range []int{403, 429} {
			in := Attempt{Status: status, Body: body, Echo: echoes.Parts{All: true}, Effect: endpoint.Compute, Now: corpusNow}
			if v := Classify(in); v.Trip || v.Wait != 0 || v.Limit != (Limits{}) {
				t.Errorf("%d, of a request that nobody read: %q: rule %s: remembered %t, %v, %v", status, name, v.Rule, v.Trip, v.Wait, v.Limit)
			}
		}
	}
}

// TestACodeDecidesForOthers holds the false friends: codes count under any status, phrases under those that refuse who asks.
func TestACodeDecidesForOthers(t *testing.T) {
	for _, in := range []Attempt{
		answer(400, `{"error":{"message":"x","code":"insufficient_quota"}}`), answer(412, `{"error":{"message":"x","type":"billing_not_active"}}`),
		answer(400, `{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}`),
		answer(403, `{"error":{"message":"insufficient balance"}}`), answer(429, `{"error":{"message":"You exceeded your current quota"}}`),
		answer(401, ``), answer(402, ``), answer(200, `{"error":{"message":"x","code":"invalid_api_key"}}`), event("error", `{"error":{"code":"insufficient_quota"}}`),
		event("error", `{"error":{"code":402,"message":"x"}}`), answer(500, `{"code":"Invalid API Key","message":"x"}`),
	} {
		if v := Classify(in); !v.Trip {
			t.Errorf("%d %s: rule %s: %v is not remembered", in.Status, in.Body, v.Rule, v.Outcome)
		}
	}
}

func TestWhatIsReadDecidesNothing(t *testing.T) {
	for _, body := range []string{
		`{"error":{"code":"insufficient_quota","message":"x"}}`, `{"error":{"code":"invalid_api_key","message":"x"}}`, `{"error":{"code":429,"message":"rate limited"}}`,
	} {
		in := answer(200, body)
		in.Effect = endpoint.Read
		if v := Classify(in); v.Trip || v.Limiter != LimiterNone || v.Breaker != Ignore {
			t.Errorf("%s: %s", body, fmt.Sprintf("%+v", v))
		}
	}
}
