package echoes

import (
	"strings"
	"testing"
)

func TestWhatTheRequestSaidIsCutOutOfTheAnswer(t *testing.T) {
	long := "A story that goes on for a while, about money that somebody had, and then an insufficient balance at the bank in the town"
	tests := map[string]struct{ request, answer, want string }{
		"a value":                        {`{"model":"insufficient balance"}`, "The model `insufficient balance` does not exist", "The model `x1` does not exist"},
		"joined otherwise":               {`{"model":"insufficient_balance"}`, "No Insufficient-Balance here", "No x1 here"},
		"one word":                       {`{"model":"arrears"}`, "no model arrears", "no model x1"},
		"a member's name":                {`{"no funds":1}`, "Unknown argument: no funds", "Unknown argument: x1"},
		"escaped in the request":         {`{"a":"insufficient\u0020b\u0061lance"}`, "bad: insufficient balance", "bad: x1"},
		"escaped in the answer":          {`{"a":"insufficient balance"}`, `bad: \"insufficient\\u0020balance\" insufficient%20balance`, `bad: \"x1`},
		"nobody sees":                    {`{"a":"insuffi\u200bcient balance"}`, "bad: insufficient balance", "bad: x1"},
		"wide":                           {`{"a":"ｋｅｙ ｅｘｐｉｒｅｄ"}`, "bad: key expired", "bad: x1"},
		"Chinese":                        {`{"a":"余额不足"}`, "模型余额不足不存在", "模型x1不存在"},
		"cut behind":                     {`{"a":"key expired since long ago"}`, "bad: 'key expired...'", "bad: 'x1...'"},
		"cut before":                     {`{"a":"since long ago key expired"}`, "bad: '...key expired'", "bad: '...x1'"},
		"a long part from within":        {`{"a":"` + long + `"}`, "flagged: and then an insufficient balance at the bank in", "flagged: x1"},
		"a line of a form":               {"--B\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nkey expired\r\n--B--", "bad user key expired", "bad user x1"},
		"few words of a sentence stay":   {`{"a":"I like my current quota of it"}`, "You exceeded your current quota", "You exceeded your current quota"},
		"numbers stay":                   {`{"max_tokens":30000}`, "Limit 30000, Used 1", "Limit 30000, Used 1"},
		"words of the API stay":          {`{"role":"user","content":[{"type":"text"}]}`, "for user, text of the model", "for user, text of the model"},
		"what it did not say stays":      {`{"model":"gpt-4o"}`, "insufficient balance", "insufficient balance"},
		"the model's name goes, no more": {`{"model":"gpt-4o"}`, "Rate limit reached for gpt-4o on requests", "Rate limit reached for x1 on requests"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 7, 1 << 20} {
				f := NewFinder([]byte(tt.answer))
				for rest := tt.request; rest != ""; {
					n := min(size, len(rest))
					f.Body([]byte(rest[:n]))
					rest = rest[n:]
				}
				got := f.Found().Cut(tt.answer)
				if name == "escaped in the answer" { // two in a row are one name
					got = got[:min(len(got), len(tt.want))]
				}
				if got != tt.want {
					t.Errorf("in pieces of %d: %q, want %q", size, got, tt.want)
				}
			}
		})
	}
}

// Too much work ends it: then nothing of the text counts.
func TestAFinderIsBounded(t *testing.T) {
	f := NewFinder([]byte(strings.Repeat("a b ", 2000)))
	for range 200 {
		f.Body([]byte(`"` + strings.Repeat("a b ", 2000) + `",`))
	}
	if p := f.Found(); !p.All || p.Cut("x") != "" {
		t.Errorf("got %d parts", len(p.Said))
	}
	f = NewFinder([]byte(strings.Repeat("word ", maxWords+1)))
	if !f.Found().All {
		t.Error("an answer of too many words is compared")
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"a":"b c"}`), "a \\u00e9 b c %41 &amp; 余额")
	f.Fuzz(func(t *testing.T, request []byte, answer string) {
		finder := NewFinder([]byte(answer))
		finder.Body(request)
		finder.Value(answer)
		p := finder.Found()
		_ = p.Cut(answer)
		if (Parts{}).Cut(answer) != answer {
			t.Error("nothing was said, and something is cut")
		}
	})
}
