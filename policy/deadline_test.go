package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

func TestDeadline(t *testing.T) {
	t.Parallel()
	type result struct {
		In        time.Duration // from now; 0 is none
		Announced bool
	}
	header := func(pairs ...string) map[string][]string {
		h := map[string][]string{}
		for i := 0; i < len(pairs); i += 2 {
			h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
		}
		return h
	}
	const total = 10 * time.Minute
	tests := map[string]struct {
		total  time.Duration
		header map[string][]string
		want   result
	}{
		"the total alone":                {total, nil, result{599 * time.Second, false}},
		"a short total leaves a tenth":   {2 * time.Second, nil, result{1800 * time.Millisecond, false}},
		"a total of 10 s leaves 1 s":     {10 * time.Second, nil, result{9 * time.Second, false}},
		"nothing at all":                 {0, nil, result{}},
		"a negative total is none":       {-time.Second, nil, result{}},
		"announced without a total":      {0, header("X-Stainless-Timeout", "30"), result{29 * time.Second, true}},
		"Python announces its silence":   {total, header("X-Stainless-Read-Timeout", "60"), result{59 * time.Second, true}},
		"Python's default ties":          {total, header("X-Stainless-Read-Timeout", "600"), result{599 * time.Second, true}},
		"a float":                        {total, header("X-Stainless-Read-Timeout", "2.5"), result{2250 * time.Millisecond, true}},
		"space around it":                {total, header("X-Stainless-Timeout", " 20 "), result{19 * time.Second, true}},
		"an exponent":                    {total, header("X-Stainless-Timeout", "1e2"), result{99 * time.Second, true}},
		"the smaller of both":            {total, header("X-Stainless-Timeout", "90", "X-Stainless-Read-Timeout", "40"), result{39 * time.Second, true}},
		"the smaller of both, reversed":  {total, header("X-Stainless-Timeout", "40", "X-Stainless-Read-Timeout", "90"), result{39 * time.Second, true}},
		"the smallest of several lines":  {total, header("X-Stainless-Timeout", "90", "X-Stainless-Timeout", "50"), result{49 * time.Second, true}},
		"longer than the total":          {time.Minute, header("X-Stainless-Timeout", "600"), result{59 * time.Second, false}},
		"zero":                           {total, header("X-Stainless-Timeout", "0"), result{599 * time.Second, false}},
		"negative":                       {total, header("X-Stainless-Timeout", "-5"), result{599 * time.Second, false}},
		"too small to be meant":          {total, header("X-Stainless-Timeout", "1e-9"), result{599 * time.Second, false}},
		"not a number":                   {total, header("X-Stainless-Timeout", "NaN"), result{599 * time.Second, false}},
		"endless":                        {0, header("X-Stainless-Read-Timeout", "inf"), result{}},
		"more than a day":                {0, header("X-Stainless-Timeout", "86401"), result{}},
		"out of every range":             {0, header("X-Stainless-Timeout", "1e999"), result{}},
		"words":                          {total, header("X-Stainless-Timeout", "soon"), result{599 * time.Second, false}},
		"empty":                          {total, header("X-Stainless-Timeout", ""), result{599 * time.Second, false}},
		"a unit is not part of it":       {total, header("X-Stainless-Timeout", "30s"), result{599 * time.Second, false}},
		"the bad one of two is ignored":  {total, header("X-Stainless-Timeout", "x", "X-Stainless-Read-Timeout", "40"), result{39 * time.Second, true}},
		"Node's fetch":                   {total, header("User-Agent", "OpenAI/JS 7.5.0", "X-Stainless-Runtime", "node"), result{299 * time.Second, false}},
		"Node's fetch, runtime unnamed":  {total, header("User-Agent", "AzureOpenAI/JS 5.0.1"), result{299 * time.Second, false}},
		"Node before it used fetch":      {total, header("User-Agent", "OpenAI/JS 4.104.0", "X-Stainless-Runtime", "node"), result{599 * time.Second, false}},
		"JS that is not on Node":         {total, header("User-Agent", "OpenAI/JS 7.5.0", "X-Stainless-Runtime", "deno"), result{599 * time.Second, false}},
		"JS of no version":               {total, header("User-Agent", "OpenAI/JS dev"), result{599 * time.Second, false}},
		"Node that announces less":       {total, header("User-Agent", "OpenAI/JS 7.5.0", "X-Stainless-Timeout", "30"), result{29 * time.Second, true}},
		"Node that announces more":       {total, header("User-Agent", "OpenAI/JS 7.5.0", "X-Stainless-Timeout", "600"), result{299 * time.Second, false}},
		"the AI SDK on Node":             {total, header("User-Agent", "ai/7.0.173 ai-sdk-provider-utils/5.0.81 node.js/22"), result{299 * time.Second, false}},
		"the AI SDK elsewhere":           {total, header("User-Agent", "ai/7.0.173 ai-sdk-provider-utils/5.0.81 runtime/vercel-edge"), result{599 * time.Second, false}},
		".NET":                           {total, header("User-Agent", "OpenAI/2.1.0 (.NET 8.0.10; Linux 6.1)"), result{99 * time.Second, false}},
		".NET for Azure":                 {total, header("User-Agent", "azsdk-net-AI.OpenAI/2.1.0 (.NET 8.0.8; Linux)"), result{99 * time.Second, false}},
		".NET with a smaller total":      {5 * time.Second, header("User-Agent", "OpenAI/2.1.0 (.NET 8.0.10)"), result{4500 * time.Millisecond, false}},
		"Python is not known to hurry":   {total, header("User-Agent", "OpenAI/Python 2.52.1"), result{599 * time.Second, false}},
		"a header without values":        {total, map[string][]string{"User-Agent": {}, "X-Stainless-Timeout": nil}, result{599 * time.Second, false}},
		"another spelling of the header": {total, header("x-stainless-timeout", "30"), result{599 * time.Second, false}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deadline, announced := policy.Deadline(tt.total, tt.header, start)
			got := result{Announced: announced}
			if !deadline.IsZero() {
				got.In = deadline.Sub(start)
			}
			equal(t, "deadline", got, tt.want)
		})
	}
}

// FuzzDeadline holds what must be true whatever a caller sends: no panic, a
// deadline that is after now and not after the total's, and none invented.
func FuzzDeadline(f *testing.F) {
	for _, value := range []string{"600", "2.5", "1e2", "0", "-1", "NaN", "+Inf", "0x1p-3", "1_0", "", "86400", "1e-320", "٣"} {
		f.Add(value, "30", "OpenAI/JS 7.5.0", int64(10*time.Minute))
		f.Add("40", value, "OpenAI/2.1.0 (.NET 8.0.10)", int64(0))
		f.Add(value, value, value, int64(-1))
	}
	f.Fuzz(func(t *testing.T, read, timeout, agent string, total int64) {
		h := map[string][]string{"X-Stainless-Read-Timeout": {read}, "X-Stainless-Timeout": {timeout}, "User-Agent": {agent}}
		limit := min(time.Duration(total), 1000*time.Hour)
		deadline, announced := policy.Deadline(limit, h, start)
		plain, _ := policy.Deadline(limit, nil, start)
		switch {
		case deadline.IsZero() && (announced || limit > 0):
			t.Fatalf("no deadline for a total of %v", limit)
		case deadline.IsZero():
		case !deadline.After(start):
			t.Fatalf("the deadline is %v from now", deadline.Sub(start))
		case !plain.IsZero() && deadline.After(plain):
			t.Fatalf("the deadline is %v after the total's", deadline.Sub(plain))
		case plain.IsZero() && deadline.Sub(start) > 24*time.Hour:
			t.Fatalf("an announced deadline in %v", deadline.Sub(start))
		}
	})
}
