package verdict

import (
	"reflect"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 30, 14, 5, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// headers are limits that headers told, with this many left.
func headers(limit, left float64) []Bucket {
	return []Bucket{{Dimension: "requests", Limit: limit, Window: time.Minute, Source: "header", Remaining: left}}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		facts Facts
		level Level
		words []string
	}{
		"nothing has happened yet": {
			Facts{Upstreams: []Upstream{{Name: "openai"}}}, OK, []string{"ready; no request has come yet"},
		},
		"one upstream answers": {
			Facts{Requests: 3, Upstreams: []Upstream{{Name: "openai"}}}, OK, []string{"openai: answers"},
		},
		"all upstreams answer": {
			Facts{Inflight: 1, Upstreams: []Upstream{{Name: "openai"}, {Name: "groq"}}}, OK, []string{"all upstreams answer"},
		},
		"quota exhausted, seen by two callers": {
			Facts{Upstreams: []Upstream{{Name: "openai", Refusals: []Refusal{
				{Credential: "3f2a9c01", Outcome: "quota", Since: ago(time.Minute), Probe: now.Add(50 * time.Second)},
				{Credential: "3f2a9c01", Outcome: "quota", Since: ago(3 * time.Minute), Probe: now.Add(41 * time.Second)},
			}}}},
			Trouble,
			[]string{"openai: quota exhausted for credential 3f2a…, since 14:02; next probe in 41 s"},
		},
		"refusals of each kind": {
			Facts{Upstreams: []Upstream{{Name: "a", Refusals: []Refusal{
				{Credential: "3f2a9c01", Outcome: "credential", Since: ago(48 * time.Hour), Probe: ago(time.Second)},
				{Credential: "3f2a9c01", Outcome: "model", Model: "gpt-x"},
				{Credential: "77", Outcome: "rate_limited", Streak: true, Since: ago(time.Minute)},
				{Credential: "78", Outcome: "region", Since: ago(time.Minute)},
				{Credential: "79", Outcome: "entitlement", Since: ago(time.Minute)},
			}}}},
			Trouble,
			[]string{
				"a: key refused for credential 3f2a…, since 2026-11-28 14:05; next probe with the next request",
				"a: model refused for credential 3f2a… and model gpt-x; next probe with the next request",
				"a: refusals do not clear for credential 77, since 14:04; next probe with the next request",
				"a: refused for credential 78, since 14:04; next probe with the next request",
				"a: plan does not include it for credential 79, since 14:04; next probe with the next request",
			},
		},
		"pacing": {
			Facts{Upstreams: []Upstream{{Name: "openai", Limits: []Limit{{Queue: 35, Buckets: headers(1200, 0)}}}}},
			Busy,
			[]string{"openai: pacing at 1200 requests per minute (told by headers), 35 wait"},
		},
		"pacing by the tightest of the longest queue": {
			Facts{Upstreams: []Upstream{{Name: "openai", Limits: []Limit{
				{Queue: 1},
				{Queue: 2, Buckets: append(headers(1200, 600), Bucket{Dimension: "input_tokens", Limit: 500, Window: time.Second, Source: "refusal text", Remaining: -4})},
				{Buckets: headers(1, 0)},
			}}}},
			Busy,
			[]string{"openai: pacing at 30000 input tokens per minute (told by a refusal), 3 wait in 2 queues"},
		},
		"pacing by the day": {
			Facts{Upstreams: []Upstream{{Name: "a", Limits: []Limit{{Queue: 1, Buckets: []Bucket{{Dimension: "requests_long", Limit: 50, Window: 24 * time.Hour, Source: "configured"}}}}}}},
			Busy,
			[]string{"a: pacing at 50 requests per day (configured), 1 waits"},
		},
		"pacing without a known limit": {
			Facts{Upstreams: []Upstream{{Name: "a", Limits: []Limit{{Queue: 4, Paused: ago(time.Second)}}}}},
			Busy,
			[]string{"a: pacing, 4 wait"},
		},
		"a pause": {
			Facts{Upstreams: []Upstream{{Name: "a", Limits: []Limit{{Queue: 4, Paused: now.Add(200 * time.Second), Buckets: headers(60, 3)}}}}},
			Busy,
			[]string{"a: paused, as a refusal or a header asked, 4 wait; goes on in 3 min 20 s"},
		},
		"a limit on calls in flight": {
			Facts{Upstreams: []Upstream{{Name: "a", Limits: []Limit{{Slots: Slots{Limit: 8, Running: 8, Queue: 3, Source: "overloaded refusals"}}}}}},
			Busy,
			[]string{"a: 8 of 8 calls at once (learned from overloaded refusals), 3 wait for a slot"},
		},
		"the configured bound of calls in flight": {
			Facts{Upstreams: []Upstream{{Name: "a", Slots: Slots{Running: 100, Queue: 1}}}},
			Busy,
			[]string{"a: all slots are taken, 1 waits for a slot"},
		},
		"an upstream is down": {
			Facts{Upstreams: []Upstream{
				{Name: "a", Limits: []Limit{{Queue: 1}}, Breaker: Breaker{Open: true, Since: ago(90 * time.Second), Probe: now.Add(500 * time.Millisecond), Waiting: 2}, Spent: true},
				{Name: "b"},
			}},
			Down,
			[]string{
				"a: does not answer, 2 wait, since 14:03; next probe in 1 s",
				"a: the retry budget is spent: failures are passed on without a retry until calls succeed again",
				"a: pacing, 1 waits",
			},
		},
		"a probe is under way": {
			Facts{Upstreams: []Upstream{{Name: "a", Breaker: Breaker{Probing: true, Since: ago(time.Minute), Probe: now.Add(time.Hour)}}}},
			Down,
			[]string{"a: does not answer; a probe is under way, since 14:04"},
		},
		"one model fails": {
			Facts{Upstreams: []Upstream{{Name: "a", Scopes: []Breaker{
				{Scope: "chat.completions gpt-4o", Open: true, Since: ago(time.Minute), Probe: now.Add(2 * time.Hour)}, {Scope: "embeddings"},
			}}}},
			Trouble,
			[]string{"a: chat.completions gpt-4o fails, while the rest answers, since 14:04; next probe in 2 h"},
		},
		"draining, with the store away": {
			Facts{Draining: true, Inflight: 2, StoreAway: "redis://r:6379"},
			Trouble,
			[]string{
				"draining: new requests are refused, 2 are still under way",
				"the store redis://r:6379 does not answer: answers to an Idempotency-Key are not stored, and creates with one are refused",
			},
		},
		"the fleet's server is away": {
			Facts{FleetAway: "no connection", FleetSince: ago(time.Minute)},
			Trouble,
			[]string{"limits are not shared with the fleet (no connection), since 14:04"},
		},
		"draining for a while": {
			Facts{Draining: true, Inflight: 3, DrainSince: ago(time.Minute), DrainEnd: now.Add(20 * time.Second)},
			Trouble,
			[]string{"draining: new requests are refused, 3 are still under way, since 14:04; what is left is ended in 20 s"},
		},
		"drained, before the time is up": {
			Facts{Draining: true, DrainSince: ago(time.Minute), DrainEnd: now.Add(20 * time.Second)},
			Trouble,
			[]string{"draining: new requests are refused, none is still under way, since 14:04"},
		},
		"requests fail": {
			Facts{Upstreams: []Upstream{
				{Name: "a", Failing: Failing{10, 200, "interrupted"}, Limits: []Limit{{Queue: 1}}, Refusals: []Refusal{{Credential: "3f2a9c01", Outcome: "quota"}}},
				{Name: "b", Failing: Failing{9, 200, "failed"}},
				{Name: "c", Failing: Failing{1, 2, "failed"}},
			}},
			Trouble,
			[]string{
				"a: quota exhausted for credential 3f2a…; next probe with the next request",
				"a: 10 of the last 200 requests failed, mostly with the outcome interrupted",
				"a: pacing, 1 waits",
			},
		},
		"drained": {
			Facts{Draining: true}, Trouble, []string{"draining: new requests are refused, none is still under way"},
		},
		"the worst first": {
			Facts{Upstreams: []Upstream{
				{Name: "a", Limits: []Limit{{Queue: 1}}},
				{Name: "b", Breaker: Breaker{Open: true, Probe: now.Add(26 * time.Hour)}},
			}},
			Down,
			[]string{"b: does not answer; next probe in 1 d 2 h", "a: pacing, 1 waits"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := Judge(tt.facts, now)
			var words []string
			for _, l := range v.Lines {
				words = append(words, l.Words(now))
			}
			if v.Level != tt.level || !reflect.DeepEqual(words, tt.words) {
				t.Errorf("got %s\n%q\nwant %s\n%q", v.Level, words, tt.level, tt.words)
			}
		})
	}
}

func TestWords_TimesAreInTheReadersZone(t *testing.T) {
	t.Parallel()
	l := Line{Text: "x", Since: ago(time.Minute)}
	if got := l.Words(now.In(time.FixedZone("", 2*3600))); got != "x, since 16:04" {
		t.Error(got)
	}
}
