package eventstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"outrigger/internal/jsonscan"
	"outrigger/policy/endpoint"
)

const (
	code    = "stream_interrupted"
	message = "The upstream broke off after 12 events.\nSay \"when\" — ✂"
)

func TestInterruptionSpeaksTheDialect(t *testing.T) {
	tests := map[endpoint.Dialect]string{
		endpoint.Unknown:        "",
		endpoint.Chat:           `data: {"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Completions:    `data: {"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Images:         `data: {"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Transcriptions: `data: {"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Speech:         `data: {"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Responses: "event: error\n" + `data: {"type":"error","code":"c","message":"m","param":null,"sequence_number":7,` +
			`"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Messages: "event: error\n" + `data: {"type":"error","error":{"message":"m","type":"api_error","param":null,"code":"c"}}` + "\n\n",
		endpoint.Assistants: "event: error\n" + `data: {"message":"m","type":"api_connection_error","param":null,"code":"c",` +
			`"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}}` + "\n\n",
	}
	for d := endpoint.Unknown; d <= endpoint.Assistants; d++ {
		want, ok := tests[d]
		if got := string(Interruption(d, "c", "m", 7)); got != want || !ok {
			t.Errorf("%s: got  %q\nwant %q", d, got, want)
		}
	}
	if Interruption(endpoint.Unknown, "c", "m", 7) != nil || New(endpoint.Unknown).Interruption("c", "m") != nil {
		t.Error("an unknown dialect has an error event")
	}
}

func TestWhatItTakesToEndAHalfEvent(t *testing.T) {
	const plain = `data: {"error":{E}}` + "\n\n"
	half := func(rest string) string { return rest + `"error":{E}}` + "\n\n" + plain }
	tests := map[string]struct{ stream, separator, interruption string }{
		"at the start":                  {"", "", plain},
		"between events":                {"data: {}\n\n", "", plain},
		"between CR and LF":             {"data: {}\r\n\r", "\n", "\n" + plain},
		"in a comment":                  {"data: {}\n\n: keep-al", "\n", "\n" + plain},
		"after a comment":               {": keep-alive\n", "", plain},
		"in half a byte order mark":     {mark[:2], "\x80\n", "\x80\n" + plain},
		"in a comment's character":      {": caf\xc3", "\x80\n", "\x80\n" + plain},
		"in a text's character":         {"data: caf\xc3", "\x80\n\n", "\x80\n\n" + plain},
		"in a field's name":             {"da", "\n", "\n" + plain},
		"after a field's name":          {"data", "\n\n", "\n" + plain},
		"in a longer field's name":      {"data0000", "\n", "\n" + plain},
		"in a name":                     {"event: x", "\n\n", "\n" + plain},
		"after a name":                  {"event: x\n", "\n", plain},
		"before the data":               {"data: ", "\n\n", "\n" + plain},
		"after an empty data line":      {"data:\n", "\n", plain},
		"after the data":                {`data: {"a":[]}`, "\n\n", "\n\n" + plain},
		"after the data's line":         {`data: {"a":[]}` + "\n", "\n", "\n" + plain},
		"after the data's line's CR":    {`data: {"a":[]}` + "\r", "\n\n", "\n\n" + plain},
		"in a line after the data":      {`data: {"a":[]}` + "\nid: 1", "\n\n", "\n\n" + plain},
		"after an opening brace":        {`data: {`, "\n\n", half("")},
		"in the first name":             {`data: {"a`, "\n\n", half(`":null,`)},
		"after a name's backslash":      {`data: {"a\`, "\n\n", half(`n":null,`)},
		"after a colonless name":        {`data: {"a"`, "\n\n", half(`:null,`)},
		"after a colon":                 {`data: {"a": `, "\n\n", half(`null,`)},
		"in a string":                   {`data: {"a":"b`, "\n\n", half(`",`)},
		"in a string's escape":          {`data: {"a":"b\`, "\n\n", half(`n",`)},
		"after a string's escape":       {`data: {"a":"b\\`, "\n\n", half(`",`)},
		"after an escape's u":           {`data: {"a":"\u`, "\n\n", half(`0000",`)},
		"after an escape's last but 1":  {`data: {"a":"\u00e`, "\n\n", half(`0",`)},
		"after an escape's last":        {`data: {"a":"\u00e9`, "\n\n", half(`",`)},
		"after 1 of 2 bytes":            {"data: {\"a\":\"\xc3", "\x80\n\n", half("\x80\",")},
		"after 1 of 3, second A0 to BF": {"data: {\"a\":\"\xe0", "\xa0\x80\n\n", half("\xa0\x80\",")},
		"after 1 of 3, second 80 to 9F": {"data: {\"a\":\"\xed", "\x80\x80\n\n", half("\x80\x80\",")},
		"after 2 of 4":                  {"data: {\"a\":\"\xf0\x9f", "\x80\x80\n\n", half("\x80\x80\",")},
		"after 1 of 4, second 90 to BF": {"data: {\"a\":\"\xf0", "\x90\x80\x80\n\n", half("\x90\x80\x80\",")},
		"after a string":                {`data: {"a":"b"`, "\n\n", half(`,`)},
		"after a comma":                 {`data: {"a":"b",`, "\n\n", half(``)},
		"in a number":                   {`data: {"a":-`, "\n\n", half(`0,`)},
		"after a number's digit":        {`data: {"a":-12`, "\n\n", half(`,`)},
		"after a number's dot":          {`data: {"a":1.`, "\n\n", half(`0,`)},
		"after a number's e":            {`data: {"a":1e+`, "\n\n", half(`0,`)},
		"in a long number":              {`data: {"a":0.` + strings.Repeat("3", 100), "\n\n", half(`,`)},
		"in a literal":                  {`data: {"a":fa`, "\n\n", half(`lse,`)},
		"after a literal":               {`data: {"a":null`, "\n\n", half(`,`)},
		"deep down":                     {`data: {"a":[{"b":[1,{"c":`, "\n\n", half(`null}]}],`)},
		"after an inner comma":          {`data: {"a":[{"b":1,`, "\n\n", half(`"":null}],`)},
		"after a list's comma":          {`data: {"a":[1,`, "\n\n", half(`null],`)},
		"after a bracket":               {`data: {"a":[`, "\n\n", half(`],`)},
		"between the data's lines":      {"data: {\"a\":[\n", "\n", "data: " + half(`],`)},
		"between them, after a number":  {"data: {\"a\":[1\n", "\n", "data: " + half(`],`)},
		"between them, in a literal":    {"data: {\"a\":[t\n", "\n", "\n" + plain},
		"between them, in a string":     {"data: {\"a\":\"\n", "\n", "\n" + plain},
		"in another line":               {"data: {\"a\":[\r\nid: 1", "\n\n", "\ndata: " + half(`],`)},
		"in an error of the upstream's": {`data: {"error":{"message":"Rate li`, "\n\n", half(`"},`)},
		"in a list":                     {`data: [{"error":`, "\n\n", "\n\n" + plain},
		"in no JSON":                    {`data: tick`, "\n\n", "\n\n" + plain},
		"in a scalar":                   {`data: 12`, "\n\n", "\n\n" + plain},
		"in a literal that is none":     {`data: {"a":nil`, "\n\n", "\n\n" + plain},
		"deeper than can be closed":     {`data: ` + strings.Repeat(`{"a":`, jsonscan.MaxDepth+1), "\n\n", "\n\n" + plain},
		"as deep as can be closed":      {`data: ` + strings.Repeat(`{"a":`, jsonscan.MaxDepth), "\n\n", half("null" + strings.Repeat("}", jsonscan.MaxDepth-1) + ",")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			for _, cut := range []int{0, len(tc.stream) / 2, max(0, len(tc.stream)-1)} {
				w := watch(endpoint.Chat, []byte(tc.stream), cut)
				if got := string(w.Separator()); got != tc.separator {
					t.Errorf("separator %q, want %q", got, tc.separator)
				}
				got := strings.ReplaceAll(string(w.Interruption("c", "m")), `"error":{"message":"m","type":"api_connection_error","param":null,"code":"c"}`, `"error":{E}`)
				if got != tc.interruption {
					t.Errorf("got  %q\nwant %q", got, tc.interruption)
				}
			}
		})
	}
}

func TestAnEventThatLacksOnlyItsBlankLineIsNoted(t *testing.T) {
	tests := map[string]struct {
		dialect         endpoint.Dialect
		stream, missing string
		done, failure   bool
	}{
		"none":                      {endpoint.Chat, "data: {}\n\n", "", false, false},
		"an error":                  {endpoint.Chat, `data: {"error":"e"}`, "\n\n", false, true},
		"an error's line":           {endpoint.Chat, "data: {\"error\":\"e\"}\n", "\n", false, true},
		"a white space after it":    {endpoint.Chat, "data: {\"error\":\"e\"} ", "\n\n", false, true},
		"the end, after CR":         {endpoint.Messages, "event: message_stop\r\ndata: {}\r", "\n\n", true, false},
		"[DONE]":                    {endpoint.Chat, "data: [DONE]", "\n\n", true, false},
		"[DONE] after a space more": {endpoint.Chat, "data:  [DONE]", "", false, false},
		"half of it":                {endpoint.Chat, "data: [DON", "E]\n\n", true, false},
		"two bytes of it":           {endpoint.Responses, "data:[D", "ONE]\n\n", true, false},
		"one byte may be a list":    {endpoint.Chat, "data: [", "", false, false},
		"half of it and a LF":       {endpoint.Chat, "data: [DON\n", "", false, false},
		"of an unknown dialect":     {endpoint.Unknown, "data: [DON", "", false, false},
		"half an object":            {endpoint.Chat, `data: {"error":"e"`, "", false, false},
		"a broken object":           {endpoint.Chat, `data: {"error":"e"}}`, "", false, false},
		"text":                      {endpoint.Chat, `data: end`, "", false, false},
		"a name only":               {endpoint.Assistants, "event: done", "", false, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := watch(tc.dialect, []byte(tc.stream))
			pending := w.Pending()
			got := string(w.End())
			_, failed := w.Error()
			if got != tc.missing || w.Done() != tc.done || failed != tc.failure {
				t.Errorf("missing %q, done %v, failed %v", got, w.Done(), failed)
			}
			if w.Pending() != (pending && got == "") {
				t.Errorf("pending %v, was %v", w.Pending(), pending)
			}
			if again := w.End(); again != nil {
				t.Errorf("End a second time: %q", again)
			}
			if got != "" && len(w.Separator()) > 0 {
				t.Errorf("separator %q after End", w.Separator())
			}
		})
	}
}

// Each transcript, cut at every byte or few: with what End and Interruption add the caller
// must see whole events only, and an error event of the right shape at the end.
func TestACutAnywhereBecomesATypedError(t *testing.T) {
	for name, tc := range golden {
		if tc.dialect == endpoint.Unknown || tc.dialect == endpoint.Gemini {
			continue
		}
		t.Run(name, func(t *testing.T) {
			stream := transcript(t, name)
			events, _ := readEvents(stream)
			for cut := 0; cut < len(stream); cut += 1 + cut/400 {
				w := watch(tc.dialect, stream[:cut])
				out := slices.Concat(stream[:cut], w.End(), w.Interruption(code, message))
				before := 0
				for before < len(events) && events[before].End <= int64(cut) {
					before++
				}
				// What was before the event at hand is known: it is left out.
				from := int64(0)
				if before > 0 {
					from = events[before-1].End
				}
				if problem := verify(tc.dialect, out[from:], number(events[max(0, before-1):before])); problem != "" {
					t.Fatalf("cut at %d: %s\n%s", cut, problem, out[max(0, cut-100):])
				}
			}
		})
	}
}

// number returns the last sequence number of events, or -1.
func number(events []Event) float64 {
	last := -1.0
	for _, e := range events {
		var data struct {
			Number *float64 `json:"sequence_number"`
		}
		if json.Unmarshal(e.Data, &data) == nil && data.Number != nil {
			last = *data.Number
		}
	}
	return last
}

// verify returns what is wrong with the end of a stream that was interrupted in the
// event it begins with, after one of that sequence number.
func verify(d endpoint.Dialect, out []byte, last float64) string {
	events, rest := readEvents(out)
	if len(rest) > 0 || !utf8.Valid(out) {
		return fmt.Sprintf("not whole: %q", rest)
	}
	if len(events) != 1 && len(events) != 2 {
		return fmt.Sprintf("%d events", len(events))
	}
	for i, e := range events {
		if bytes.HasPrefix(e.Data, []byte("[")) && i == 0 {
			continue // [ could be the start of [DONE] or of a list: neither can be mended
		}
		var data map[string]any
		err := json.Unmarshal(e.Data, &data)
		if err != nil {
			return fmt.Sprintf("event %d: %v", i, err)
		}
		object, _ := data["error"].(map[string]any)
		mine := object["code"] == code && object["message"] == message
		if n, ok := data["sequence_number"].(float64); ok && d == endpoint.Responses {
			if mine && n != max(last, 0) {
				return fmt.Sprintf("the error has sequence number %v after %v", n, last)
			}
			last = n
		}
		if i == len(events)-1 && !mine {
			return "no error at the end"
		}
		if mine && named(d) && (e.Name != "error" || d != endpoint.Assistants && data["type"] != "error") {
			return fmt.Sprintf("error event is named %q, %q", e.Name, data["type"])
		}
	}
	return ""
}
