package httpfield

import (
	"fmt"
	"strings"
	"testing"
)

func TestRateLimitsAreReadInEveryForm(t *testing.T) {
	tests := map[string]struct {
		limit, policy string // lines, each under the field
		want          string
		ignored       int
	}{
		"Hugging Face": {
			`"api";r=0;t=55`, `"fixed window";"api";q=500;w=300`, "requests 0/500 in 5m0s, reset 55s", 0,
		},
		"the draft's own": {
			`"default";r=50;t=30`, `"permin";q=50;w=60,"perhr";q=1000;w=3600`,
			"requests 50/-1 in 0s, reset 30s; requests -1/50 in 1m0s, reset -1ns; requests -1/1000 in 1h0m0s, reset -1ns", 0,
		},
		"two limits, two lines": {
			"\"permin\";r=3;t=10\n\"perhr\";r=900;t=1800", "\"perhr\";q=1000;w=3600\n\"permin\";q=50;w=60",
			"requests 3/50 in 1m0s, reset 10s; requests 900/1000 in 1h0m0s, reset 30m0s", 0,
		},
		"a token for a name":         {`default;r=1;t=2`, `default;q=9;w=8`, "requests 1/9 in 8s, reset 2s", 0},
		"white space and parameters": {` "a" ; r = 1`, ``, "", 1},
		"spaces after semicolons":    {`"a"; r=1; t=5; x`, `"a"; q=4; w=60; comment="x, y;z"`, "requests 1/4 in 1m0s, reset 5s", 0},
		"a unit":                     {`"t";r=0;t=5`, `"t";q=4000;w=60;qu="tokens"`, "tokens 0/4000 in 1m0s, reset 5s", 0},
		"a unit by its name":         {`"tokens-per-minute";r=0;t=5`, ``, "tokens 0/-1 in 0s, reset 5s", 0},
		"concurrency":                {`"c";r=0`, `"c";q=4;qu="concurrent-requests"`, "concurrent-requests 0/4 in 0s, reset -1ns", 0},
		"partitions": {
			`"peruser";r=0;t=9;pk=:dTI=:`, `"peruser";q=10;w=60;pk=:dTE=:, "peruser";q=20;w=60;pk=:dTI=:`,
			"requests 0/20 in 1m0s, reset 9s; requests -1/10 in 1m0s, reset -1ns", 0,
		},
		"draft 7": {`limit=10, remaining=3, reset=50`, `10;w=60`, "requests 3/10 in 1m0s, reset 50s", 0},
		"draft 7, two policies": {
			`limit=10, remaining=0, reset=50`, `10;w=60, 1000;w=3600;comment="sliding"`,
			"requests 0/10 in 1m0s, reset 50s; requests -1/1000 in 1h0m0s, reset -1ns", 0,
		},
		"draft 7 over two lines": {"limit=10\nremaining=3, reset=50", ``, "requests 3/10 in 0s, reset 50s", 0},
		"one of each, two names": {`"default";r=0;t=5`, `"100-in-15min";q=100;w=900;pk=:MTI3:`, "requests 0/100 in 15m0s, reset 5s", 0},
		"policies alone":         {``, `"a";q=5;w=1`, "requests -1/5 in 1s, reset -1ns", 0},
		"a broken line beside a good one": {
			"\"a\";r=\n\"b\";r=0;t=1", ``, "requests 0/-1 in 0s, reset 1s", 1,
		},
		"a string without its end": {`"a;r=0;t=5`, ``, "", 1},
		"a number that is none":    {`"a";r=-1;t=5, "b";r=0;t=NaN, "c";r=0;t=7`, ``, "requests 0/-1 in 0s, reset 7s", 2},
		"an inner list":            {`("a" "b");r=0`, ``, "", 1},
		"nothing":                  {``, ``, "", 0},
		"commas alone":             {`,,,`, ``, "", 1},
		"an instant is no time":    {`"a";r=0;t=1788264030`, ``, "", 1},
		"a name without values":    {`"a"`, `"a"`, "", 0},
		"without end":              {strings.Repeat(`"a";r=0,`, 9999), ``, "", 1},
		"a window of 0":            {``, `"a";q=5;w=0`, "", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := map[string][]string{}
			for field, lines := range map[string]string{"Ratelimit": tt.limit, "Ratelimit-Policy": tt.policy} {
				if lines != "" {
					h[field] = strings.Split(lines, "\n")
				}
			}
			quotas, ignored := RateLimits(h)
			var got []string
			for _, q := range quotas {
				got = append(got, fmt.Sprintf("%s %v/%v in %v, reset %v", q.Unit, q.Remaining, q.Limit, q.Window, q.Reset))
			}
			if s := strings.Join(got, "; "); s != tt.want || ignored != tt.ignored {
				t.Errorf("got  %s (%d ignored)\nwant %s (%d)", s, ignored, tt.want, tt.ignored)
			}
		})
	}
}

// FuzzRateLimits: whatever the fields hold, the quotas are few and their numbers sensible.
func FuzzRateLimits(f *testing.F) {
	f.Add(`"api";r=0;t=55`, `"fixed window";"api";q=500;w=300`)
	f.Add(`limit=10, remaining=3, reset=50`, `10;w=60, 1000;w=3600`)
	f.Add(`"a";r=1;pk=:dXNlcg==:`, `"a\"b\\";q=1e9;qu="tokens"`)
	f.Add(`"default";r=50;t=30`+"\n"+`b;r=2`, `?1;q=5, (a b);w=1, "`)
	f.Fuzz(func(t *testing.T, limit, policy string) {
		quotas, ignored := RateLimits(map[string][]string{
			"Ratelimit": strings.Split(limit, "\n"), "Ratelimit-Policy": strings.Split(policy, "\n"),
		})
		if len(quotas) > 2*maxMembers || ignored < 0 {
			t.Fatalf("%d quotas, %d ignored", len(quotas), ignored)
		}
		for _, q := range quotas {
			told := func(n float64) bool { return n == -1 || n >= 0 && n <= maxCount }
			if !told(q.Limit) || !told(q.Remaining) || q.Limit < 0 && q.Remaining < 0 {
				t.Fatalf("numbers of %+v", q)
			}
			if q.Window < 0 || q.Window > maxTime || q.Reset < -1 || q.Reset > maxTime || q.Unit == "" && q.Limit < 0 && q.Remaining < 0 {
				t.Fatalf("times of %+v", q)
			}
		}
	})
}
