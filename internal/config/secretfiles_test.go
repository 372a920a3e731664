package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"outrigger/internal/values"
	"outrigger/proxy/idempotency/store"
)

// secretFile makes a file with that content and returns its path.
func secretFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretsAreReadFromFiles(t *testing.T) {
	for name, tt := range map[string]struct {
		content string
		want    []string
	}{
		"without a line end":      {"one,two", []string{"one", "two"}},
		"with one":                {"one\n", []string{"one"}},
		"with several, also CRLF": {"one, two\r\n\n\r\n", []string{"one", "two"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := Load([]string{"OUTRIGGER_CLIENT_TOKENS_FILE=" + secretFile(t, tt.content)})
			if err != nil {
				t.Fatal(err)
			}
			var want []values.Secret
			for _, w := range tt.want {
				want = append(want, values.NewSecret(w))
			}
			if !reflect.DeepEqual(s.Callers.Tokens, want) {
				t.Errorf("read something else than %q", tt.want)
			}
		})
	}
}

func TestEverySecretCanComeFromAFile(t *testing.T) {
	count := 0
	for _, v := range everyVariable() {
		if !v.Secret {
			continue
		}
		count++
		text := "X-Name=value"
		if v.field.Type() == reflect.TypeFor[store.Spec]() || v.Name == Prefix+"REDIS_URL" {
			text = "redis://:hunter2@localhost"
		}
		path := secretFile(t, text+"\n")
		name := strings.Replace(v.Name, "_NAME_", "_OPENAI_", 1)
		s, err := Load([]string{name + "_FILE=" + path})
		if err != nil {
			t.Errorf("%s_FILE: %v", name, err)
			continue
		}
		for i := range s.Variables {
			if v := &s.Variables[i]; v.Name == name && (v.text != values.NewSecret(text) || v.Source != "file "+path) {
				t.Errorf("%s_FILE was not read", name)
			}
		}
	}
	if count < 3 {
		t.Errorf("%d secrets, want the tokens, the key and the headers at least", count)
	}
}

func TestBadSecretFilesAreMistakes(t *testing.T) {
	good, empty, blank := secretFile(t, "token"), secretFile(t, ""), secretFile(t, "\r\n\n")
	spaces, large := secretFile(t, "tok en\n"), secretFile(t, strings.Repeat("x", secretFileMax+1))
	directory := t.TempDir()
	const file, plain = "OUTRIGGER_CLIENT_TOKENS_FILE", "OUTRIGGER_CLIENT_TOKENS"
	for name, tt := range map[string]struct {
		environ []string
		want    Mistake
	}{
		"no such file":        {[]string{file + "=/nowhere/tokens"}, Mistake{file, "/nowhere/tokens", "want a file that can be read: no such file or directory"}},
		"a directory":         {[]string{file + "=" + directory}, Mistake{file, directory, "want a file that can be read: is a directory"}},
		"an empty file":       {[]string{file + "=" + empty}, Mistake{file, empty, "want a file that is not empty"}},
		"only line ends":      {[]string{file + "=" + blank}, Mistake{file, blank, "want a file that is not empty"}},
		"a large file":        {[]string{file + "=" + large}, Mistake{file, large, "want a file of at most 64 KiB"}},
		"a file without end":  {[]string{file + "=/dev/zero"}, Mistake{file, "/dev/zero", "want a file of at most 64 KiB"}},
		"both set":            {[]string{file + "=" + good, plain + "=token"}, Mistake{file, good, "only one of " + plain + " and this may be set"}},
		"content that is bad": {[]string{file + "=" + spaces}, Mistake{plain, "", "want tokens of visible ASCII characters"}},
		"the secret itself":   {[]string{file + "=sk-secret"}, Mistake{file, "[redacted]", "want a file that can be read: no such file or directory"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mistakesOf(t, tt.environ...); !reflect.DeepEqual(got, []Mistake{tt.want}) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestATokenFileThatCannotBeReadIsTheOnlyMistake(t *testing.T) {
	got := mistakesOf(t, "OUTRIGGER_LISTEN=:8383", "OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-k", "OUTRIGGER_CLIENT_TOKENS_FILE=/nowhere")
	want := []Mistake{{"OUTRIGGER_CLIENT_TOKENS_FILE", "/nowhere", "want a file that can be read: no such file or directory"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
