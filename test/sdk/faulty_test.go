package sdk

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// calling is a way to read a stream, and the transcripts that it reads.
var calling = map[string][]string{
	"chat_stream": {
		"openai_chat", "openai_chat_tools", "openai_chat_two_choices", "azure_chat", "azure_chat_async_filter", "gemini_chat", "groq_chat",
		"mistral_chat", "deepseek_chat", "openrouter_chat", "together_chat", "fireworks_chat", "xai_chat", "vllm_chat", "llamacpp_chat", "ollama_chat",
	},
	"chat_helper":          {"openai_chat", "azure_chat"},
	"completions_stream":   {"openai_completions", "vllm_completions", "ollama_completions"},
	"responses_stream":     {"openai_responses", "openai_responses_incomplete", "openai_responses_image"},
	"responses_helper":     {"openai_responses"},
	"assistants_helper":    {"openai_assistants"},
	"images_stream":        {"openai_images"},
	"transcription_stream": {"openai_transcription", "openai_transcription_diarized"},
}

// raw are the calls that read the same streams as bytes.
var raw = map[string][]string{
	"chat_raw": calling["chat_stream"], "completions_raw": calling["completions_stream"], "responses_raw": calling["responses_stream"],
}

// each returns a call for every transcript, in order.
func each(ways map[string][]string, kind string) []string {
	var calls []string
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		for _, name := range ways[way] {
			calls = append(calls, way+"@"+order{name: name, kind: kind}.String())
		}
	}
	return calls
}

// byBase runs the check once per SDK. The way to call makes no difference to a stream.
func byBase(t *testing.T, check func(*testing.T, client)) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(clients)) {
		c := clients[name]
		c.way = byBaseURL
		t.Run(name, func(t *testing.T) { check(t, c) })
	}
}

// direct has the client call p without Outrigger.
func (c client) direct(t *testing.T, p *provider, do plan) []outcome {
	t.Helper()
	return c.call(t, []string{"OPENAI_BASE_URL=" + p.server.URL + "/v1"}, do)
}

// through starts Outrigger in front of p. Its breaker is off: with every stream cut it
// would hold the calls back, rightly.
func through(t *testing.T, p *provider, settings map[string]string) *world {
	t.Helper()
	all := map[string]string{
		"UPSTREAMS": "openai=" + p.server.URL, "BREAKER_RATIO": "1", "BREAKER_CONSECUTIVE": "1000000", "STREAM_IDLE_TIMEOUT": "1s",
	}
	maps.Copy(all, settings)
	return client{way: byBaseURL}.start(t, troubles{}, all)
}

func TestCompleteStreamsArriveByteForByte(t *testing.T) {
	byBase(t, func(t *testing.T, c client) {
		p := newProvider(t)
		w := through(t, p, nil)
		do := plan{Calls: slices.Concat(each(raw, "well"), each(calling, "well")), Workers: 4}
		direct, proxied := c.direct(t, p, do), c.run(t, w, do)
		for i, call := range do.Calls {
			if direct[i].Error != nil {
				t.Errorf("%s fails without Outrigger: %+v", call, direct[i].Error)
			}
			if way, name, _ := parts(call); strings.HasSuffix(way, "_raw") && proxied[i].Value["sha256"] != fmt.Sprintf("%x", sha256.Sum256(p.transcripts[name].Stream)) {
				t.Errorf("%s: not the bytes that were sent: %v", call, proxied[i].Value)
			}
			if proxied[i].Error != nil || !reflect.DeepEqual(proxied[i].Value, direct[i].Value) {
				t.Errorf("%s gives %v through Outrigger (error %+v), want %v", call, proxied[i].Value, proxied[i].Error, direct[i].Value)
			}
		}
	})
}

// A fifth of all streams begins with an error.
func TestStreamsThatBeginWithAnErrorAllSucceed(t *testing.T) {
	byBase(t, func(t *testing.T, c client) {
		p := newProvider(t)
		w := through(t, p, nil)
		var calls []string
		for id := range 200 {
			kind := "well"
			if id%5 == 0 {
				kind = "error_first"
			}
			names := []string{"openai_chat", "mistral_chat", "openrouter_chat", "deepseek_chat", "gemini_chat", "xai_chat", "vllm_chat"}
			way, name := "chat_stream", names[id%len(names)]
			if id%2 == 0 {
				way, name = "responses_stream", "openai_responses"
			}
			calls = append(calls, way+"@"+order{name: name, kind: kind, id: id}.String())
		}
		for i, o := range c.run(t, w, plan{Calls: calls, Workers: 8}) {
			if o.Error != nil {
				t.Errorf("%s: %+v", calls[i], o.Error)
			}
		}
		direct := 0
		for _, o := range c.direct(t, p, plan{Calls: again(calls), Workers: 8}) {
			if o.Error != nil || o.Value["finish"] == "error" || o.Value["finish"] == "insufficient_system_resource" {
				direct++
			}
		}
		t.Logf("without Outrigger %d of %d failed", direct, len(calls))
	})
}

// again makes the orders new ones to the upstream.
func again(calls []string) []string {
	var all []string
	for _, call := range calls {
		all = append(all, call+"9999")
	}
	return all
}

// faults are what befalls a stream; silence only through Outrigger, which ends it
// (OUTRIGGER_STREAM_IDLE_TIMEOUT): the SDKs wait for minutes.
// The streams that are well, or short of nothing but a [DONE], must not be taken for cut.
var faults = []string{
	"cut_reset", "cut_close", "cut_clean", "cut_clean", "cut_clean", "cut_torn", "error_late", "error_first", "silence", "well", "short",
}

// wholes are those of the faults that are none to the client.
var wholes = []string{"error_first", "well", "short"}

// dresses are how streams are labelled and encoded; half of them rightly and not.
var dresses = []string{"right", "right", "right", "right", "right", "right", "json", "text", "none", "octets", "malformed", "gzip", "gzip", "gzip_json", "gzip_none"}

// faulty draws n orders from a seed.
func (p *provider) faulty(n int, seed uint64) []string {
	random := rand.New(rand.NewPCG(seed, 0))
	ways := slices.Sorted(maps.Keys(calling))
	calls := make([]string, n)
	for id := range calls {
		way := ways[id%len(ways)]
		names := calling[way]
		o := order{name: names[random.IntN(len(names))], kind: faults[random.IntN(len(faults))], dress: dresses[random.IntN(len(dresses))], id: id}
		tr := p.transcripts[o.name]
		o.at = random.IntN(len(tr.Stream))
		if o.kind == "error_first" {
			o.at = 0 // struck once, if a retry mends it, and nobody else is paced for it
			if !tr.Retried || tr.Dialect == "assistants" || tr.Status != 500 {
				o.kind = "well"
			}
		}
		if o.kind == "error_late" { // behind some event that leaves the answer open
			o.at = tr.Ends()[tr.First+random.IntN(tr.Whole-tr.First)]
		}
		calls[id] = way + "@" + o.String()
	}
	return calls
}

// parts returns a call's function, transcript and fault.
func parts(call string) (string, string, string) {
	way, ordered, _ := strings.Cut(call, "@")
	words := strings.Fields(ordered)
	return way, words[0], words[1]
}

// told says what an application sees of a stream that something befell. It may stumble
// over an event that is not of its API's language, before it comes to an error that is.
func told(o outcome, whole map[string]any, typed string, foreign bool) string {
	switch {
	case o.Error == nil && same(o.Value, whole):
		return "complete"
	case o.Error == nil && (o.Value["last"] == "error" || o.Value["last"] == "response.failed"):
		return "error event"
	case o.Error == nil && (o.Value["finish"] == "error" || o.Value["finish"] == "insufficient_system_resource"):
		return "failing finish_reason"
	case o.Error == nil:
		return "SILENT"
	case o.Error.Class == typed, o.Error.Status != 0, o.Error.Class == "OpenAIError": // that of the Node SDK's helpers
		return "typed error"
	case foreign:
		return "foreign event"
	}
	return "untyped error"
}

// same compares answers, whatever they tell of tokens: those come behind the answer.
func same(a, b map[string]any) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, "tokens")
	delete(b, "tokens")
	return reflect.DeepEqual(a, b)
}

// How many faulty streams there are in all, over three SDKs, and how long they may take.
func faultyCount() (int, time.Duration) {
	if os.Getenv("OUTRIGGER_TEST_TIMING") != "" {
		return 10_000, 8 * time.Minute
	}
	return 450, runTimeout
}

func TestNoFaultyStreamLooksComplete(t *testing.T) {
	count, limit := faultyCount()
	p := newProvider(t)
	w := through(t, p, nil)
	var seed uint64
	byBase(t, func(t *testing.T, c client) {
		seed++
		answers := p.wholes(t, c)
		calls := p.faulty((count+len(clients)-1)/len(clients), seed)
		began := time.Now()
		proxied := c.run(t, w, plan{Calls: calls, Workers: 24, MaxRetries: once, limit: limit})
		took := time.Since(began)
		tally := map[string]map[string]int{}
		for i, o := range proxied {
			way, name, kind := parts(calls[i])
			result := told(o, answers[way+" "+name], c.streamError, kind == "error_late" && p.transcripts[name].Unseen)
			add(tally, kind, result)
			// Nothing can be added to an encoded stream: its connection is aborted.
			untyped := result == "untyped error" && !strings.Contains(calls[i], " gzip")
			cut := result != "complete" && slices.Contains(wholes, kind)
			if result == "SILENT" || untyped || cut {
				t.Errorf("%s: %s: %v %+v", calls[i], result, o.Value, o.Error)
			}
		}
		show(t, fmt.Sprintf("through Outrigger, %d streams in %s", len(calls), took.Round(time.Second)), tally)
		show(t, "without Outrigger", p.direct(t, c, calls, answers, limit))
	})
}

// direct has the same streams, but the silent ones, read without Outrigger.
func (p *provider) direct(t *testing.T, c client, calls []string, answers map[string]map[string]any, limit time.Duration) map[string]map[string]int {
	t.Helper()
	var loud []string
	for _, call := range calls {
		if !strings.Contains(call, " silence ") {
			loud = append(loud, call)
		}
	}
	tally := map[string]map[string]int{}
	for i, o := range c.direct(t, p, plan{Calls: again(loud), Workers: 24, MaxRetries: once, limit: limit}) {
		way, name, kind := parts(loud[i])
		add(tally, kind, told(o, answers[way+" "+name], c.streamError, false))
	}
	return tally
}

// wholes returns what c makes of each stream when nothing befalls it, by call and transcript.
func (p *provider) wholes(t *testing.T, c client) map[string]map[string]any {
	t.Helper()
	calls := each(calling, "well")
	whole := map[string]map[string]any{}
	for i, o := range c.direct(t, p, plan{Calls: calls, Workers: 8}) {
		if o.Error != nil {
			t.Fatalf("%s: %+v", calls[i], o.Error)
		}
		way, name, _ := parts(calls[i])
		whole[way+" "+name] = o.Value
	}
	return whole
}

func add(tally map[string]map[string]int, kind, result string) {
	if tally[kind] == nil {
		tally[kind] = map[string]int{}
	}
	tally[kind][result]++
}

func show(t *testing.T, title string, tally map[string]map[string]int) {
	t.Helper()
	t.Log(title)
	for _, kind := range slices.Sorted(maps.Keys(tally)) {
		t.Logf("  %-10s %v", kind, tally[kind])
	}
}
