package main

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"outrigger/internal/config"
	"outrigger/test/redisserver"

	"github.com/redis/go-redis/v9"
)

func TestCheckPrintsEveryVariable(t *testing.T) {
	environ := []string{
		"OUTRIGGER_TIMEOUT=90s", "OUTRIGGER_CLIENT_TOKENS=one,two", "OUTRIGGER_UPSTREAMS=azure=https://my.openai.azure.com/openai",
		"OUTRIGGER_UPSTREAM_AZURE_API_KEY=sk-azure", "OUTRIGGER_UPSTREAM_AZURE_HEADERS=X-One=1,X-Two=2", "OUTRIGGER_UPSTREAM_AZURE_QUERY=api-version=2024-10-21",
		"OUTRIGGER_PORT=tcp://10.0.0.1:8383", "OUTRIGGER_MAX_CONNECTIONS=500", // else the machine decides
	}
	got := runWith(t, []string{"check"}, environ)
	if want := (outcome{Stdout: golden(t, "check.txt", got.Stdout)}); got != want {
		t.Errorf("got\n%s%s", got.Stdout, got.Stderr)
	}
	cfg, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range cfg.Variables {
		if !strings.Contains(got.Stdout, v.Name+" ") {
			t.Errorf("%s is not printed", v.Name)
		}
	}
}

// The memory of all bounds what is kept of answers in memory, and check says so.
func TestCheckTellsWhatIsKeptOfAnswers(t *testing.T) {
	for environ, want := range map[string]bool{
		"OUTRIGGER_MEMORY_MAX=8MiB":                                                     true,
		"OUTRIGGER_MEMORY_MAX=256MiB":                                                   false,
		"OUTRIGGER_MEMORY_MAX=8MiB OUTRIGGER_IDEMPOTENCY_BYTES=1MiB":                    false,
		"OUTRIGGER_MEMORY_MAX=8MiB OUTRIGGER_STORE=file:" + t.TempDir() + "/answers.db": false,
	} {
		got := runWith(t, []string{"check"}, append(strings.Fields(environ), "OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-key"))
		if told := strings.Contains(got.Stdout, "OUTRIGGER_STORE=memory keeps 2MiB of answers"); told != want {
			t.Errorf("%s: told is %v, want %v:\n%s%s", environ, told, want, got.Stdout, got.Stderr)
		}
	}
}

func TestConfigIsTheSameAsJSON(t *testing.T) {
	s, err := config.Load([]string{"OUTRIGGER_ADMIN_LISTEN=off", "OUTRIGGER_UPSTREAM_OPENAI_API_KEY=sk-key"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s.Variables)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, one := range all {
		got[one["variable"]] = one
	}
	if len(all) != len(s.Variables) || len(got) != len(all) {
		t.Errorf("%d entries, %d different ones, want %d", len(all), len(got), len(s.Variables))
	}
	for name, want := range map[string]map[string]string{
		"OUTRIGGER_ADMIN_LISTEN": {
			"variable": "OUTRIGGER_ADMIN_LISTEN", "value": "off", "source": "environment", "meaning": "admin listener, host:port, or off",
		},
		"OUTRIGGER_UPSTREAM_OPENAI_API_KEY": {
			"variable": "OUTRIGGER_UPSTREAM_OPENAI_API_KEY", "value": "[redacted]", "source": "environment",
			"meaning": "replaces the caller's credential towards that upstream",
		},
	} {
		if !reflect.DeepEqual(got[name], want) {
			t.Errorf("got %v, want %v", got[name], want)
		}
	}
}

// broken is a writer that is closed.
type broken struct{}

var errBroken = errors.New("broken pipe")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestCheckFailsWhenItCannotPrint(t *testing.T) {
	var stderr strings.Builder
	if code := run(t.Context(), []string{"check"}, nil, broken{}, &stderr); code != 1 || stderr.String() != "outrigger: cannot print: broken pipe\n" {
		t.Errorf("exit code %d, %q", code, stderr.String())
	}
}

// A Redis that forgets keys makes creates run twice, and nothing fails until then.
func TestCheckTellsOfARedisThatEvicts(t *testing.T) {
	server := redisserver.Start(t)
	raw := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer func() { _ = raw.Close() }()
	for policy, want := range map[string]bool{"allkeys-lru": true, "noeviction": false} {
		if err := errors.Join(raw.ConfigSet(t.Context(), "maxmemory", "100mb").Err(), raw.ConfigSet(t.Context(), "maxmemory-policy", policy).Err()); err != nil {
			t.Fatal(err)
		}
		got := runWith(t, []string{"check"}, []string{"OUTRIGGER_STORE=redis://" + server.Addr})
		if told := strings.Contains(got.Stdout, "redis://"+server.Addr+": this Redis forgets keys when it is full (maxmemory-policy "+policy+")"); told != want || got.Code != 0 {
			t.Errorf("%s: told %t, code %d", policy, told, got.Code)
		}
	}
}
