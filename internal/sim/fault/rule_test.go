package fault

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestARuleIsReadFromTextAndJSON(t *testing.T) {
	tests := map[string]struct {
		text string
		want Rule
	}{
		"text": {
			"kind=status,status=503,path=/v1/chat,probability=0.25",
			Rule{Kind: KindStatus, Status: 503, Path: "/v1/chat", Probability: 0.25},
		},
		"JSON": {
			`{"kind":"hang","for":"5s","every":3,"model":"gpt*","unread":false}`,
			Rule{Kind: KindHang, For: 5 * time.Second, Every: 3, Model: "gpt*"},
		},
		"headers": {
			`{"kind":"status","status":429,"headers":{"retry-after":"7"},"body":"{}"}`,
			Rule{Kind: KindStatus, Status: 429, Headers: map[string]string{"retry-after": "7"}, Body: "{}"},
		},
		"row":   {"kind=row,row=openai/429_rpm,attempts=1", Rule{Kind: KindRow, Row: "openai/429_rpm", Attempts: 1}},
		"shape": {"kind=error_event,shape=failed,events=2", Rule{Kind: KindErrorEvent, Shape: ShapeFailed, Events: 2}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ParseRule(test.text)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Fatalf("got %+v, %v; want %+v", got, err, test.want)
			}
			data, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var again Rule
			if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, test.want) {
				t.Errorf("after %s: %+v, %v", data, again, err)
			}
		})
	}
}

func TestARuleThatMakesNoSenseIsRefused(t *testing.T) {
	tests := map[string]struct {
		rule Rule
		says string
	}{
		"no kind":                    {Rule{}, "cut_reset"},
		"unknown kind":               {Rule{Kind: "melt"}, "melt"},
		"status without status":      {Rule{Kind: KindStatus}, "needs status"},
		"informational status":       {Rule{Kind: KindStatus, Status: 100}, "200 to 999"},
		"impossible status":          {Rule{Kind: KindStatus, Status: 1000}, "200 to 999"},
		"row without row":            {Rule{Kind: KindRow}, "needs row"},
		"unknown row":                {Rule{Kind: KindRow, Row: "openai/999"}, "openai/429_rpm"},
		"unknown provider":           {Rule{Kind: KindErrorEvent, Row: "nobody/1"}, "none of the"},
		"chance over one":            {Rule{Kind: KindReset, Probability: 1.5}, "0 to 1"},
		"negative chance":            {Rule{Kind: KindReset, Probability: -0.1}, "0 to 1"},
		"no number":                  {Rule{Kind: KindReset, Probability: math.NaN()}, "0 to 1"},
		"negative count":             {Rule{Kind: KindReset, First: -1}, "first"},
		"stop before start":          {Rule{Kind: KindReset, Start: 2, Stop: 1}, "not after"},
		"negative time":              {Rule{Kind: KindHang, For: -1}, "negative"},
		"spoiling is always after":   {Rule{Kind: KindSlowBody, After: true}, "neither"},
		"spoiling reads the body":    {Rule{Kind: KindCutReset, Unread: true}, "neither"},
		"both before and after":      {Rule{Kind: KindReset, After: true, Unread: true}, "exclude"},
		"unread with a model":        {Rule{Kind: KindReset, Unread: true, Model: "m"}, "neither model"},
		"unread with attempts":       {Rule{Kind: KindReset, Unread: true, Attempts: 1}, "neither model"},
		"a stream's row after":       {Rule{Kind: KindRow, Row: "openai/stream_chat_error_frame", After: true}, "part of a stream"},
		"unknown shape":              {Rule{Kind: KindErrorEvent, Shape: "round"}, "nested, flat or failed"},
		"header with a line break":   {Rule{Kind: KindStatus, Status: 500, Headers: map[string]string{"a": "b\r\nc: d"}}, "header"},
		"header name with a space":   {Rule{Kind: KindStatus, Status: 500, Headers: map[string]string{"a b": "c"}}, "header"},
		"header without a name":      {Rule{Kind: KindStatus, Status: 500, Headers: map[string]string{"": "c"}}, "header"},
		"status out of range (html)": {Rule{Kind: KindHTML, Status: 99}, "200 to 999"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := test.rule.Validate()
			if !errors.Is(err, ErrRule) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("Validate() = %v, want an error that says %q", err, test.says)
			}
		})
	}
}

func TestBadTextIsAnErrorOfTheRule(t *testing.T) {
	for _, text := range []string{"", "kind", "kind=reset,strength=9", `{"kind":7}`, `{"kind":"reset"`, "kind=reset,for=1"} {
		if _, err := ParseRule(text); !errors.Is(err, ErrRule) {
			t.Errorf("ParseRule(%q): error %v, want ErrRule", text, err)
		}
	}
}

func TestEveryKindIsDescribedOnceAndValid(t *testing.T) {
	seen := map[Kind]bool{}
	for _, info := range Kinds() {
		if seen[info.Kind] || info.Doc == "" {
			t.Errorf("kind %q is described twice or not at all", info.Kind)
		}
		seen[info.Kind] = true
		r := Rule{Kind: info.Kind, Status: 503, Row: "openai/429_rpm"}
		if err := r.Validate(); err != nil {
			t.Errorf("%s: %v", info.Kind, err)
		}
		if info.Instead && info.Stream {
			t.Errorf("%s cannot both replace the answer and be part of it", info.Kind)
		}
	}
	if _, ok := Kind("melt").Info(); ok {
		t.Error("melt is a kind")
	}
}

func TestARuleIsNamedByWhatItDoes(t *testing.T) {
	tests := map[string]Rule{
		"row openai/429_rpm": {Kind: KindRow, Row: "openai/429_rpm"},
		"status 503":         {Kind: KindStatus, Status: 503},
		"reset":              {Kind: KindReset, After: true},
	}
	for want, rule := range tests {
		if got := rule.Name(); got != want {
			t.Errorf("Name() = %q, want %q", got, want)
		}
	}
}

func TestTheStatusOfAKindIsItsOwn(t *testing.T) {
	tests := map[string]struct {
		rule Rule
		want int
	}{
		"given":   {Rule{Kind: KindHTML, Status: 504}, 504},
		"html":    {Rule{Kind: KindHTML}, 502},
		"endless": {Rule{Kind: KindEndlessBody}, 500},
	}
	for name, test := range tests {
		if got := test.rule.DefaultStatus(); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
