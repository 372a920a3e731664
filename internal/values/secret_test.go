package values

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

const plain = "sk-live-5f0c1d"

// holder has a secret everywhere that a printer may look for one.
type holder struct {
	Exported   Secret
	unexported Secret
	Pointer    *Secret
	List       []Secret
	Map        map[string]Secret
	Keys       map[Secret]int
	Any        any
}

type element struct{ Secret Secret }

type attribute struct {
	Secret Secret `json:",omitempty" xml:",attr"`
}

func newHolder() holder {
	s := NewSecret(plain)
	return holder{s, s, &s, []Secret{s}, map[string]Secret{"k": s}, map[Secret]int{s: 1}, s}
}

func TestSecretShowsItselfToNoPrinter(t *testing.T) {
	s := NewSecret(plain)
	printed := map[string]string{"String": s.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%40v", "%!"} {
		printed["bare "+verb] = fmt.Sprintf(verb, s)
		printed["pointer "+verb] = fmt.Sprintf(verb, &s)
		printed["struct "+verb] = fmt.Sprintf(verb, newHolder())
		printed["struct pointer "+verb] = fmt.Sprintf(verb, &holder{unexported: s})
		printed["slice "+verb] = fmt.Sprintf(verb, []holder{newHolder()})
		printed["error "+verb] = fmt.Errorf("with "+verb, newHolder()).Error()
	}
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "xml": xml.Marshal} {
		for _, v := range []any{s, &s, []Secret{s}, element{s}, attribute{s}} {
			out, err := marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			printed[name+fmt.Sprintf("%T", v)] = string(out)
		}
	}
	out, err := json.Marshal(newHolder())
	if err != nil {
		t.Fatal(err)
	}
	printed["json holder"] = string(out)

	for how, text := range printed {
		if strings.Contains(text, plain) || strings.Contains(text, plain[3:]) || strings.Contains(text, fmt.Sprintf("%x", plain)) {
			t.Errorf("%s printed the secret: %s", how, text)
		}
	}
}

func TestSecretShowsItselfToNoLogger(t *testing.T) {
	var out bytes.Buffer
	options := &slog.HandlerOptions{Level: slog.LevelDebug}
	for _, handler := range []slog.Handler{slog.NewJSONHandler(&out, options), slog.NewTextHandler(&out, options)} {
		s := NewSecret(plain)
		log := slog.New(handler).With(slog.Any("with", s)).WithGroup("group")
		log.Info("bare", slog.Any("secret", s), slog.Any("pointer", &s))
		log.Info("nested", slog.Any("holder", newHolder()), slog.Any("pointer", &holder{unexported: s}))
		log.Info("grouped", slog.Group("more", slog.Any("list", []Secret{s})))
	}
	if strings.Contains(out.String(), plain) || !strings.Contains(out.String(), redacted) {
		t.Errorf("log = %s, want only %s in it", out.String(), redacted)
	}
}

func TestSecretPrintsAsRedactedAndItsZeroValueAsNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		secret Secret
		want   string
	}{
		"a secret":          {NewSecret(plain), `[redacted] [redacted] "[redacted]"`},
		"the zero value":    {Secret{}, `  ""`},
		"an empty secret":   {NewSecret(""), `  ""`},
		"a blank is secret": {NewSecret(" "), `[redacted] [redacted] "[redacted]"`},
	} {
		t.Run(name, func(t *testing.T) {
			encoded, err := json.Marshal(tt.secret)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%v %#v %s", tt.secret, tt.secret, encoded); got != tt.want {
				t.Errorf("printed %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSecretRevealsAndComparesItsText(t *testing.T) {
	var read, empty Secret
	if err := read.UnmarshalText([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := empty.UnmarshalText(nil); err != nil {
		t.Fatal(err)
	}
	type facts struct {
		text, emptyText       string
		zero, emptyZero       bool
		equal, equalToAnother bool
	}
	got := facts{read.Reveal(), empty.Reveal(), read.IsZero(), empty.IsZero(), read == NewSecret(plain), read == NewSecret("another")}
	want := facts{text: plain, emptyZero: true, equal: true}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
