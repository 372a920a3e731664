package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outrigger/internal/config"
)

func TestNoOutputHoldsASecret(t *testing.T) {
	const secret = "hunter2-Zq81"
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte(secret+"\x01\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var right, wrong []string
	all, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range all.Variables {
		name := v.Name
		switch {
		case strings.HasSuffix(name, "_QUERY"), strings.HasSuffix(name, "_HEADERS"):
			right = append(right, name+"=X-One="+secret+",X-Two="+secret)
			wrong = append(wrong, name+"="+secret, name+"=X Y="+secret+"\n", name+"=X-Y="+secret+",", name+"=X-Y="+secret+",,"+secret)
		case v.Secret:
			right = append(right, name+"="+secret)
			wrong = append(wrong, name+"="+secret+"\n", name+"="+secret+",,", name+"_FILE="+secretFile)
		default: // here it may be, by a slip, with what gives it away
			wrong = append(wrong, name+"=Bearer "+secret, name+"=sk-"+secret, name+"=https://u:"+secret+"@h", name+"=a=https://u:"+secret+"@h:x", name+"=a=https://u:"+secret)
		}
	}
	check := func(commands []string, environ ...string) {
		for _, command := range commands {
			if out := runOutput(t, []string{command}, environ); strings.Contains(out, secret) {
				t.Fatalf("%s with %q shows the secret:\n%s", command, environ, out)
			}
		}
	}
	check([]string{"check", "healthcheck"}, right...)
	check([]string{"check", "healthcheck", "serve"}, wrong...)
	for _, entry := range wrong {
		check([]string{"check", "healthcheck"}, entry)
	}
}
