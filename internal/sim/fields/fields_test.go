package fields

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

type colour string

type sample struct {
	Name   string            `json:"name" doc:"what it is called"`
	Count  int               `json:"count"`
	Share  float64           `json:"share"`
	On     bool              `json:"on"`
	Wait   time.Duration     `json:"wait,omitempty" doc:"how long"`
	Colour colour            `json:"colour"`
	Extra  map[string]string `json:"extra"`
	Hidden string            `json:"-"`
	plain  string
}

func TestTextAndJSONReadTheSame(t *testing.T) {
	tests := map[string]struct {
		text string
		want sample
	}{
		"text":             {"name=a b,count=3,share=0.5,on=true,wait=1m30s,colour=red", sample{Name: "a b", Count: 3, Share: 0.5, On: true, Wait: 90 * time.Second, Colour: "red"}},
		"text with spaces": {" name=a , count=3 ", sample{Name: "a", Count: 3}},
		"a value with =":   {"name=a=b", sample{Name: "a=b"}},
		"JSON":             {` {"name":"a","count":3,"share":0.5,"on":true,"wait":"1m30s","colour":"red","extra":{"k":"v"}}`, sample{Name: "a", Count: 3, Share: 0.5, On: true, Wait: 90 * time.Second, Colour: "red", Extra: map[string]string{"k": "v"}}},
		"empty object":     {`{}`, sample{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got sample
			if err := Parse(&got, test.text); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestWhatIsNotAFieldIsAnError(t *testing.T) {
	tests := map[string]struct{ text, says string }{
		"no equals sign":      {"name", "name=value"},
		"unknown name":        {"colr=red", "colour, count"},
		"unknown JSON name":   {`{"colr":"red"}`, "colour, count"},
		"hidden field":        {"-=x", "unknown"},
		"unexported field":    {"plain=x", "unknown"},
		"not a number":        {"count=many", "count"},
		"not a share":         {"share=half", "share"},
		"not a bool":          {"on=perhaps", "on"},
		"not a duration":      {"wait=5", "wait"},
		"negative duration":   {"wait=-5s", "negative"},
		"JSON duration":       {`{"wait":5}`, `"1.5s"`},
		"wrong JSON type":     {`{"count":"3"}`, "count"},
		"a map in text":       {"extra=k", "JSON only"},
		"not JSON":            {`{"name":`, "JSON"},
		"null for a duration": {`{"wait":[]}`, "wait"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var into sample
			err := Parse(&into, test.text)
			if !errors.Is(err, ErrField) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want one that says %q", err, test.says)
			}
		})
	}
}

func TestWhatIsWrittenCanBeRead(t *testing.T) {
	want := sample{Name: "a", Count: 3, Share: 0.25, On: true, Wait: time.Minute, Colour: "red", Extra: map[string]string{"k": "v"}}
	data, err := ToJSON(want)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"colour":"red","count":3,"extra":{"k":"v"},"name":"a","on":true,"share":0.25,"wait":"1m0s"}`
	if string(data) != text {
		t.Errorf("wrote %s, want %s", data, text)
	}
	var got sample
	if err := FromJSON(&got, data); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v, %v", got, err)
	}
	if empty, err := ToJSON(sample{}); err != nil || string(empty) != "{}" {
		t.Errorf("the zero value is %s, %v", empty, err)
	}
}

func TestFieldsAreListedInOrderWithTheirDocs(t *testing.T) {
	got := List(sample{plain: ""})[:2]
	if want := []Field{{"name", "what it is called"}, {"count", ""}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if n := len(List(sample{})); n != 7 {
		t.Errorf("%d fields are listed, want 7", n)
	}
}

func FuzzParseNeverPanics(f *testing.F) {
	for _, seed := range []string{"name=a,count=3", `{"wait":"1s"}`, "=,=", `{"extra":null}`, "wait=99999999999h"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got sample
		if err := Parse(&got, text); err != nil {
			if !errors.Is(err, ErrField) {
				t.Errorf("error %v does not wrap ErrField", err)
			}
			return
		}
		if got.Wait < 0 {
			t.Errorf("%q gave the negative duration %v", text, got.Wait)
		}
		if _, err := ToJSON(got); err != nil {
			t.Errorf("%q gave what cannot be written: %v", text, err)
		}
	})
}
