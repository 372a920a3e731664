package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSpecReadsStores(t *testing.T) {
	for text, want := range map[string]string{
		"memory":                            "memory",
		" memory ":                          "memory",
		"file:/var/lib/outrigger.db":        "file:/var/lib/outrigger.db",
		"file:///var/lib/../lib/o.db":       "file:/var/lib/o.db",
		"redis://localhost":                 "redis://localhost:6379",
		"redis://[::1]:7000/3":              "redis://[::1]:7000",
		"rediss://user:s3cret@example:6380": "rediss://example:6380",
		"redis://:s3cret@example/0":         "redis://example:6379",
	} {
		t.Run(text, func(t *testing.T) {
			var got Spec
			if err := got.UnmarshalText([]byte(text)); err != nil || got.String() != want {
				t.Errorf("got %v, %v, want %s", got, err, want)
			}
		})
	}
}

func TestSpecRefusesWhatIsNoStoreAndDoesNotRepeatIt(t *testing.T) {
	for _, text := range []string{
		"", "s3cret", "file", "file:", "file:relative.db", "file:/dir/", "file:/a\x00b", "Memory2", "redis", "redis:",
		"redis://", "redis://:s3cret@", "redis://:s3cret@h:0", "redis://:s3cret@h:65536", "redis://:s3cret@h:port",
		"redis://:s3cret@h/x", "redis://:s3cret@h/-1", "redis://:s3cret@h/01", "redis://:s3cret@h/1/2", "redis://h?password=s3cret",
		"redis://h#s3cret", "redis://:s3%zzcret@h", "http://:s3cret@h", "redis://:s3cret/x@h", "redis://h?",
	} {
		t.Run(text, func(t *testing.T) {
			got := Spec{shown: "untouched"}
			err := got.UnmarshalText([]byte(text))
			if !errors.Is(err, ErrSpec) || got.shown != "untouched" {
				t.Fatalf("got %v, %v, want ErrSpec", got, err)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v tells a secret", err)
			}
			if err := Check(text); !errors.Is(err, ErrSpec) {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

func TestSpecPrintsNoPassword(t *testing.T) {
	var c Config
	if err := c.Spec.UnmarshalText([]byte("redis://someone:s3cret@example")); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{string(text), fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q", &c)} {
		if strings.Contains(shown, "s3cret") || strings.Contains(shown, "someone") {
			t.Errorf("%s tells a secret", shown)
		}
	}
}
