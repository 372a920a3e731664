package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func writeEnvFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outrigger.env")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEnvLine(t *testing.T) {
	for line, want := range map[string][2]string{
		"":                            {},
		"   # A=b":                    {},
		"A=b":                         {"A", "b"},
		"  A = b  ":                   {"A", "b"},
		"export A=b":                  {"A", "b"},
		"A=b\r":                       {"A", "b"},
		"A=":                          {"A", ""},
		"A=a=https://h/#x,b=c":        {"A", "a=https://h/#x,b=c"},
		"A=b # why":                   {"A", "b"},
		"A=b\t#why":                   {"A", "b"},
		"A= # nothing":                {"A", ""},
		"A=#b":                        {"A", ""},
		"A='b # c'":                   {"A", "b # c"},
		`A="b # c" # why`:             {"A", "b # c"},
		`A="b \" c \\ d \n"`:          {"A", `b " c \ d \n`},
		`A='b \n $C ${D}'`:            {"A", `b \n $C ${D}`},
		"A=''":                        {"A", ""},
		"A=b c":                       {"A", "b c"},
		"OUTRIGGER_X=it's # fine":     {"OUTRIGGER_X", "it's"},
		"OUTRIGGER_HEADERS=X-A=b c,d": {"OUTRIGGER_HEADERS", "X-A=b c,d"},
	} {
		if name, value, problem := envLine(line); name != want[0] || value != want[1] || problem != "" {
			t.Errorf("%q: got %q, %q, %s; want %q", line, name, value, problem, want)
		}
	}
	for _, line := range []string{"A", "=b", "A B=c", `"A"=b`, `A="b`, "A='b' c", "A: b", "export A"} {
		if name, _, problem := envLine(line); name != "" || problem == "" {
			t.Errorf("%q: got %q and no problem", line, name)
		}
	}
}

func TestEnvFile_IsBeneathTheEnvironment(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("of-the-secret-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := writeEnvFile(t, "\ufeffOUTRIGGER_RPM=1\nOUTRIGGER_RPM=2\nOUTRIGGER_TPM=3\nOUTRIGGER_MAX_INFLIGHT=4\nOUTRIGGER_CLIENT_TOKENS=of-the-env-file\n"+
		"OUTRIGGER_UPSTREAMS=a=https://a.example\nOUTRIGGER_UPSTREAM_A_RPM=5\nOPENAI_API_KEY=x\nPATH=/nowhere\n")
	c, err := Load([]string{"OUTRIGGER_ENV_FILE=" + path, "OUTRIGGER_TPM=30", "OUTRIGGER_MAX_INFLIGHT=", "OUTRIGGER_CLIENT_TOKENS_FILE=" + secret})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][2]string{}
	for _, v := range c.Variables {
		got[v.Name] = [2]string{v.Value, v.Source}
	}
	for name, want := range map[string][2]string{
		"OUTRIGGER_RPM":            {"2", "OUTRIGGER_ENV_FILE " + path}, // the last of two counts
		"OUTRIGGER_TPM":            {"30", "environment"},
		"OUTRIGGER_MAX_INFLIGHT":   {"0", "default"},
		"OUTRIGGER_CLIENT_TOKENS":  {"[redacted]", "file " + secret},
		"OUTRIGGER_UPSTREAM_A_RPM": {"5", "OUTRIGGER_ENV_FILE " + path},
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if c.Callers.Tokens[0].Reveal() != "of-the-secret-file" || !reflect.DeepEqual(c.SecretFiles(), []string{secret}) {
		t.Errorf("secrets are read from %q", c.SecretFiles())
	}
	if address, err := AdminAddress([]string{"OUTRIGGER_ENV_FILE=" + writeEnvFile(t, "OUTRIGGER_ADMIN_LISTEN=:9999")}); err != nil || address != "127.0.0.1:9999" {
		t.Errorf("the admin listener is at %q, %v", address, err)
	}
}

func TestEnvFile_EveryMistakeIsTold(t *testing.T) {
	path := writeEnvFile(t, "OUTRIGGER_RPM=many\nsk-hunter2\nOUTRIGGER_ENV_FILE=/other\nOUTRIGGER_RMP=1\nOUTRIGGER_CLIENT_TOKENS='hunter2\n")
	_, err := Load([]string{"OUTRIGGER_ENV_FILE=" + path})
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{`OUTRIGGER_RPM="many": want`, "line 2: want NAME=value", "line 3: want it in the environment", "OUTRIGGER_RMP: no such variable; the nearest is OUTRIGGER_RPM", "line 5: want the quote closed"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	for name, path := range map[string]string{"missing": "/nowhere/x", "a directory": t.TempDir(), "without end": "/dev/zero"} {
		if _, err := Load([]string{"OUTRIGGER_ENV_FILE=" + path}); err == nil || !strings.Contains(err.Error(), `OUTRIGGER_ENV_FILE="`+path+`": want a file`) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	_, err = Load([]string{"OUTRIGGER_ENV_FILE=" + writeEnvFile(t, strings.Repeat("x\n", 1000))})
	if lines := strings.Count(err.Error(), "\n") + 1; lines != envFileMistakes+1 {
		t.Errorf("%d lines are told of", lines)
	}
}

func TestReload_NamesWhatCannotChangeAndWhatDid(t *testing.T) {
	path := writeEnvFile(t, "OUTRIGGER_RPM=1\nOUTRIGGER_STORE=redis://h\n")
	c, err := Load([]string{"OUTRIGGER_ENV_FILE=" + path})
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("OUTRIGGER_RPM=2\nOUTRIGGER_STORE=redis://me:hunter2@h\nOUTRIGGER_LISTEN=127.0.0.1:1\nOUTRIGGER_TIMEOUT=x\nOUTRIGGER_SPOOL_MAX=lots\n")
	_, err = c.Reload()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"OUTRIGGER_STORE: cannot change", `OUTRIGGER_LISTEN="127.0.0.1:1": cannot change`, `OUTRIGGER_TIMEOUT="x": want`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	if strings.Count(err.Error(), "SPOOL_MAX") != 1 {
		t.Errorf("one mistake is told twice:\n%v", err)
	}
	if same, err := c.ReloadSecrets(); err != nil || len(c.Changed(same)) > 0 {
		t.Errorf("the file was read for a secret: %v, %v", c.Changed(same), err)
	}
	put("OUTRIGGER_STORE=redis://h\nOUTRIGGER_TIMEOUT=1m\nOUTRIGGER_UPSTREAMS=a=https://a.example\nOUTRIGGER_UPSTREAM_A_TPM=1\n")
	next, err := c.Reload()
	if err != nil || next.Timeouts.Total != time.Minute || !next.Timeouts.TotalSet {
		t.Fatalf("got %+v, %v", next.Timeouts, err)
	}
	want := []string{"OUTRIGGER_UPSTREAMS", "OUTRIGGER_TIMEOUT", "OUTRIGGER_RPM", "OUTRIGGER_UPSTREAM_A_TPM"}
	if got := c.Changed(next); !reflect.DeepEqual(counted(got), counted(want)) {
		t.Errorf("changed are %v, want %v", got, want)
	}
}

func TestReload_InterceptedHostsCannotChange(t *testing.T) {
	path := writeEnvFile(t, "OUTRIGGER_UPSTREAMS=a=https://a.example,b=https://b.example\nOUTRIGGER_FAILOVER=none\n")
	c, err := Load([]string{"OUTRIGGER_ENV_FILE=" + path, "OUTRIGGER_INTERCEPT=on"})
	if err != nil {
		t.Fatal(err)
	}
	for upstreams, allowed := range map[string]bool{
		"x=https://b.example/v1,y=https://a.example": true,
		"a=https://a.example":                        false,
		"a=https://a.example,b=https://c.example":    false,
	} {
		if err := os.WriteFile(path, []byte("OUTRIGGER_FAILOVER=none\nOUTRIGGER_UPSTREAMS="+upstreams), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Reload(); (err == nil) != allowed {
			t.Errorf("%s: %v", upstreams, err)
		}
	}
}

func counted(list []string) map[string]int {
	all := map[string]int{}
	for _, s := range list {
		all[s]++
	}
	return all
}
