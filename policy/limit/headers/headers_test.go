package headers

import (
	"reflect"
	"testing"
	"time"
)

// origin is when the answers come, a whole minute of the clock.
var origin = time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)

func header(pairs ...string) map[string][]string {
	h := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

func TestHeadersOfManyProvidersAreRead(t *testing.T) {
	const s, m = time.Second, time.Minute
	tests := map[string]struct {
		header map[string][]string
		want   Headers
	}{
		"none": {header("Content-Type", "application/json"), Headers{}},
		"OpenAI's sample": {
			header("X-Ratelimit-Limit-Requests", "60", "X-Ratelimit-Limit-Tokens", "150000",
				"X-Ratelimit-Remaining-Requests", "59", "X-Ratelimit-Remaining-Tokens", "149984",
				"X-Ratelimit-Reset-Requests", "1s", "X-Ratelimit-Reset-Tokens", "6m0s"),
			Headers{Readings: []Reading{
				{Dimension: "requests", Limit: 60, Remaining: 59, Reset: s, Resolution: s},
				{Dimension: "tokens", Limit: 150000, Remaining: 149984, Reset: 6 * m, Resolution: s},
			}},
		},
		"OpenAI's project bucket": {
			header("X-Ratelimit-Limit-Project-Tokens", "60000", "X-Ratelimit-Remaining-Project-Tokens", "57000", "X-Ratelimit-Reset-Project-Tokens", "3s"),
			Headers{Readings: []Reading{{Dimension: "project_tokens", Limit: 60000, Remaining: 57000, Reset: 3 * s, Resolution: s}}},
		},
		"Groq": {
			header("X-Ratelimit-Limit-Requests", "14400", "X-Ratelimit-Remaining-Requests", "14370", "X-Ratelimit-Reset-Requests", "2m59.56s",
				"X-Ratelimit-Limit-Tokens", "12000", "X-Ratelimit-Remaining-Tokens", "0", "X-Ratelimit-Reset-Tokens", "7.66s"),
			Headers{Readings: []Reading{
				{Dimension: "requests", Limit: 14400, Remaining: 14370, Reset: 179560 * time.Millisecond, Resolution: 10 * time.Millisecond},
				{Dimension: "tokens", Limit: 12000, Remaining: 0, Reset: 7660 * time.Millisecond, Resolution: 10 * time.Millisecond},
			}},
		},
		"Anthropic": {
			header("Anthropic-Ratelimit-Requests-Limit", "5", "Anthropic-Ratelimit-Requests-Remaining", "0",
				"Anthropic-Ratelimit-Requests-Reset", "2026-09-01T12:00:30Z", "Anthropic-Ratelimit-Input-Tokens-Limit", "20000",
				"Anthropic-Ratelimit-Output-Tokens-Remaining", "8000", "Anthropic-Ratelimit-Tokens-Reset", "2026-09-01T11:59:00Z"),
			Headers{Readings: []Reading{
				{Dimension: "input_tokens", Limit: 20000, Remaining: -1, Reset: -1},
				{Dimension: "output_tokens", Limit: -1, Remaining: 8000, Reset: -1},
				{Dimension: "requests", Limit: 5, Remaining: 0, Reset: 30 * s, Resolution: s},
				{Dimension: "tokens", Limit: -1, Remaining: -1, Reset: 0, Resolution: s},
			}},
		},
		"Mistral": {
			header("X-Ratelimit-Limit-Req-Minute", "50", "X-Ratelimit-Remaining-Req-Minute", "49", "X-Ratelimit-Limit-Tokens-Minute", "50000",
				"X-Ratelimit-Remaining-Tokens-Minute", "47300", "X-Ratelimit-Tokens-Query-Cost", "1300"),
			Headers{Readings: []Reading{
				{Dimension: "requests", Window: m, Limit: 50, Remaining: 49, Reset: -1},
				{Dimension: "tokens", Window: m, Limit: 50000, Remaining: 47300, Reset: -1},
			}},
		},
		"Together, per second": {
			header("X-Ratelimit-Limit", "10", "X-Ratelimit-Remaining", "9", "X-Ratelimit-Reset", "1", "X-Tokenlimit-Limit", "3000",
				"X-Tokenlimit-Remaining", "2900", "X-Ratelimit-Limit-Dynamic", "5", "X-Tokenlimit-Limit-Dynamic", "7"),
			Headers{Readings: []Reading{
				{Dimension: "requests", Window: s, Limit: 10, Remaining: 9, Reset: s, Resolution: s},
				{Dimension: "tokens", Window: s, Limit: 3000, Remaining: 2900, Reset: -1},
			}, Reset: s},
		},
		"both a bare and a named second": {
			header("X-Ratelimit-Limit", "10", "X-Ratelimit-Limit-Requests-Second", "20", "X-Tokenlimit-Limit", "-1"),
			Headers{Readings: []Reading{
				{Dimension: "requests", Limit: 10, Remaining: -1, Reset: -1},
				{Dimension: "requests", Window: s, Limit: 20, Remaining: -1, Reset: -1},
			}, Ignored: 1},
		},
		"Azure, whole seconds": {
			header("X-Ratelimit-Limit-Requests", "120", "X-Ratelimit-Remaining-Requests", "100", "X-Ratelimit-Reset-Requests", "10"),
			Headers{Readings: []Reading{{Dimension: "requests", Limit: 120, Remaining: 100, Reset: 10 * s, Resolution: s}}},
		},
		"Azure, misspelt": {
			header("X-Rate-Limit-Reset-Tokens", "55"),
			Headers{Readings: []Reading{{Dimension: "tokens", Limit: -1, Remaining: -1, Reset: 55 * s, Resolution: s}}},
		},
		"Azure, unknown": {
			header("X-Ratelimit-Limit-Tokens", "-1", "X-Ratelimit-Remaining-Tokens", "-1", "X-Ratelimit-Reset-Tokens", "0"),
			Headers{Ignored: 2, Readings: []Reading{{Dimension: "tokens", Limit: -1, Remaining: -1, Reset: 0, Resolution: s}}},
		},
		"Cerebras": {
			header("X-Ratelimit-Limit-Requests-Day", "14400", "X-Ratelimit-Limit-Tokens-Minute", "60000",
				"X-Ratelimit-Remaining-Tokens-Minute", "500", "X-Ratelimit-Reset-Tokens-Minute", "30.5"),
			Headers{Readings: []Reading{
				{Dimension: "requests", Window: 24 * time.Hour, Limit: 14400, Remaining: -1, Reset: -1},
				{Dimension: "tokens", Window: m, Limit: 60000, Remaining: 500, Reset: 30500 * time.Millisecond, Resolution: 100 * time.Millisecond},
			}},
		},
		"Together": {
			header("X-Ratelimit-Reset", "7"),
			Headers{Reset: 7 * s, Readings: []Reading{{Dimension: "requests", Limit: -1, Remaining: -1, Reset: 7 * s, Resolution: s}}},
		},
		"OpenRouter, milliseconds of the epoch": {
			header("X-Ratelimit-Limit", "20", "X-Ratelimit-Remaining", "0", "X-Ratelimit-Reset", "1788264030000"),
			Headers{Reset: 30 * s, Readings: []Reading{{Dimension: "requests", Limit: 20, Remaining: 0, Reset: 30 * s, Resolution: time.Millisecond}}},
		},
		"the draft's names and list": {
			header("Ratelimit-Limit", "100, 100;w=60", "Ratelimit-Remaining", "50", "Ratelimit-Reset", "30"),
			Headers{Reset: 30 * s, Readings: []Reading{{Dimension: "requests", Limit: 100, Remaining: 50, Reset: 30 * s, Resolution: s, Quota: true}}},
		},
		"Hugging Face": {
			header("Ratelimit", `"api";r=0;t=55`, "Ratelimit-Policy", `"fixed window";"api";q=500;w=300`),
			Headers{Readings: []Reading{{Dimension: "requests", Window: 5 * m, Limit: 500, Remaining: 0, Reset: 55 * s, Resolution: s, Quota: true}}},
		},
		"several limits, several lines": {
			header("Ratelimit", `"permin";r=3;t=10`, "Ratelimit", `"tpm";r=0;t=20`, "Ratelimit-Policy", `"permin";q=50;w=60, "tpm";q=4000;w=60;qu="tokens"`,
				"Ratelimit-Policy", `"perday";q=1000;w=86400`),
			Headers{Readings: []Reading{
				{Dimension: "requests", Window: m, Limit: 50, Remaining: 3, Reset: 10 * s, Resolution: s, Quota: true},
				{Dimension: "requests", Window: 24 * time.Hour, Limit: 1000, Remaining: -1, Reset: -1, Quota: true},
				{Dimension: "tokens", Window: m, Limit: 4000, Remaining: 0, Reset: 20 * s, Resolution: s, Quota: true},
			}},
		},
		"partitions of one limit: the tightest counts": {
			header("Ratelimit", `"a";r=9;t=10;pk=:MQ==:, "a";r=2;t=30;pk=:Mg==:, "a";r=5;t=20;pk=:Mw==:`, "Ratelimit-Policy", `"a";q=10;w=60`),
			Headers{Readings: []Reading{{Dimension: "requests", Window: m, Limit: 10, Remaining: 2, Reset: 30 * s, Resolution: s, Quota: true}}},
		},
		"draft 7": {
			header("Ratelimit", "limit=10, remaining=3, reset=50", "Ratelimit-Policy", "10;w=60"),
			Headers{Readings: []Reading{{Dimension: "requests", Window: m, Limit: 10, Remaining: 3, Reset: 50 * s, Resolution: s, Quota: true}}},
		},
		"draft 3 with its policy": {
			header("Ratelimit-Limit", "10", "Ratelimit-Remaining", "3", "Ratelimit-Reset", "50", "Ratelimit-Policy", "10;w=60, 500;w=3600"),
			Headers{Reset: 50 * s, Readings: []Reading{
				{Dimension: "requests", Window: m, Limit: 10, Remaining: 3, Reset: 50 * s, Resolution: s, Quota: true},
				{Dimension: "requests", Window: time.Hour, Limit: 500, Remaining: -1, Reset: -1, Quota: true},
			}},
		},
		"units that are not counted here": {
			header("Ratelimit-Policy", `"c";q=4;qu="concurrent-requests", "b";q=100000;w=60;qu="content-bytes", "files";q=20;w=60;qu="files"`),
			Headers{},
		},
		"beyond all sizes": {
			header("Ratelimit", `"a";r=9000000000000;t=5, "b";r=1;t=7000000`), Headers{Ignored: 2},
		},
		"malformed lines": {
			header("Ratelimit", `"a;r=1`, "Ratelimit", `"b";r=1;t=2`, "Ratelimit-Policy", `"b";q=;w=60`),
			Headers{Ignored: 2, Readings: []Reading{{Dimension: "requests", Limit: -1, Remaining: 1, Reset: 2 * s, Resolution: s, Quota: true}}},
		},
		"instants by the answer's own clock, 10 min ahead": {
			header("Date", "Tue, 01 Sep 2026 12:10:00 GMT", "X-Ratelimit-Remaining-Requests", "0", "X-Ratelimit-Reset-Requests", "1788264630",
				"Anthropic-Ratelimit-Tokens-Reset", "2026-09-01T12:10:05Z", "X-Ratelimit-Reset-Images", "40"),
			Headers{Readings: []Reading{
				{Dimension: "images", Limit: -1, Remaining: -1, Reset: 40 * s, Resolution: s},
				{Dimension: "requests", Limit: -1, Remaining: 0, Reset: 30 * s, Resolution: s},
				{Dimension: "tokens", Limit: -1, Remaining: -1, Reset: 5 * s, Resolution: s},
			}},
		},
		"absurd": {
			header("X-Ratelimit-Limit-Requests", "NaN", "X-Ratelimit-Remaining-Requests", "1e400", "X-Ratelimit-Reset-Requests", "soon",
				"X-Ratelimit-Limit-Tokens", "9999999999999999", "X-Ratelimit-Remaining-Tokens", "", "X-Ratelimit-Reset-Tokens", "-5s",
				"X-Ratelimit-Reset", "99999h", "X-Ratelimit-Limit-Bananas", "3", "X-Ratelimit-", "1"),
			Headers{Ignored: 8},
		},
		"no values": {map[string][]string{"X-Ratelimit-Limit-Requests": nil}, Headers{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := Parse(tt.header, origin); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestTooManyReadingsAreNotKept(t *testing.T) {
	h := map[string][]string{}
	for _, what := range []string{"Requests", "Tokens", "Input-Tokens", "Output-Tokens", "Images"} {
		for _, window := range []string{"", "-Second", "-Minute", "-Hour", "-Day"} {
			h["X-Ratelimit-Limit-"+what+window] = []string{"5"}
		}
	}
	got := Parse(h, origin)
	if len(got.Readings) != maxReadings || got.Ignored != 25-maxReadings {
		t.Errorf("%d kept and %d ignored, want %d and %d", len(got.Readings), got.Ignored, maxReadings, 25-maxReadings)
	}
}

func TestResetsAreReadWithTheirSmallestStep(t *testing.T) {
	const day = 24 * time.Hour
	type reset struct {
		d, step time.Duration
		ok      bool
	}
	tests := map[string]reset{
		"1s":                        {time.Second, time.Second, true},
		"6m0s":                      {6 * time.Minute, time.Second, true},
		"120ms":                     {120 * time.Millisecond, time.Millisecond, true},
		"1.5ms":                     {1500 * time.Microsecond, 100 * time.Microsecond, true},
		"17µs":                      {17 * time.Microsecond, time.Microsecond, true},
		"9ns":                       {9, 1, true},
		"2m59.56s":                  {179560 * time.Millisecond, 10 * time.Millisecond, true},
		"1.984999999s":              {1984999999, 1, true},
		"4h30m15s":                  {4*time.Hour + 30*time.Minute + 15*time.Second, time.Second, true},
		"1d":                        {day, time.Second, true},
		"1d2h3.5s":                  {day + 2*time.Hour + 3500*time.Millisecond, 100 * time.Millisecond, true},
		"0":                         {0, time.Second, true},
		" 12 ":                      {12 * time.Second, time.Second, true},
		"7.25":                      {7250 * time.Millisecond, 10 * time.Millisecond, true},
		"2678400":                   {MaxReset, time.Second, true},
		"1788264060":                {time.Minute, time.Second, true},
		"1788264060123":             {60123 * time.Millisecond, time.Millisecond, true},
		"1000000000":                {0, time.Second, true}, // long past
		"2026-09-01T12:01:00Z":      {time.Minute, time.Second, true},
		"2026-09-01T12:00:01.25Z":   {1250 * time.Millisecond, 10 * time.Millisecond, true},
		"2026-09-01T14:00:10+02:00": {10 * time.Second, time.Second, true},
		"2027-09-01T12:01:00Z":      {},
		"2678401":                   {},
		"32d":                       {},
		"-1":                        {},
		"-1s":                       {},
		"NaN":                       {},
		"Inf":                       {},
		"d":                         {},
		"0d":                        {},
		"-1d":                       {},
		"":                          {},
		"later":                     {},
	}
	for s, want := range tests {
		d, step, ok := parseReset(s, clock{at: origin})
		if !ok {
			d, step = 0, 0
		}
		if got := (reset{d, step, ok}); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

func TestOnlyNumbersAreCounts(t *testing.T) {
	tests := map[string]float64{
		"0": 0, "1200": 1200, "1200.0": 1200, " 60 ": 60, "100;w=60": 100, "100, 100;w=60, 5000;w=3600": 100, "60, 60": 60,
		"1,2": -1, "1,200": -1, "5e0": -1, "0x10": -1, "1_000": -1, "+5": -1, "-5": -1, "Inf": -1, "NaN": -1, "": -1, ".": -1, "1.2.3": -1, ",": -1, "0.5": -1,
	}
	for text, want := range tests {
		got, ok := parseCount(text)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, ok, want)
		}
	}
}

func TestTheTimeThatAnUpstreamWorkedIsRead(t *testing.T) {
	tests := map[string]time.Duration{"523": 523 * time.Millisecond, "0": 0, "-5": 0, "1e3": 0, "": 0, "9999999": 0, "99999999999999": 0}
	for text, want := range tests {
		if got := Parse(map[string][]string{"Openai-Processing-Ms": {text}}, origin).Worked; got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}
