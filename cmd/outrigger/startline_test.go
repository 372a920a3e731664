package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"outrigger/internal/config"
)

func TestTheStartIsLoggedWithWhatMatters(t *testing.T) {
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=openai=https://api.openai.com,spare=http://127.0.0.1:1/v1,other=https://other.example",
		"OUTRIGGER_UPSTREAM_SPARE_API_KEY=sk-planted", "OUTRIGGER_UPSTREAM_OTHER_CALLER_KEY=drop", "OUTRIGGER_RPM=500", "OUTRIGGER_UPSTREAM_SPARE_TPM=9000", "OUTRIGGER_UPSTREAM_SPARE_MAX_INFLIGHT=7",
		"OUTRIGGER_MAX_CONNECTIONS=321")
	for line := range strings.Lines(p.output()) {
		if !strings.Contains(line, `"msg":"starting"`) {
			continue
		}
		for _, want := range []string{
			`"version":"outrigger `, `"max_connections":321`,
			`"openai at https://api.openai.com, with the caller's key, at most 500 requests a minute"`,
			`"spare at http://127.0.0.1:1/v1, with the configured key, at most 500 requests a minute, 9000 tokens a minute, 7 at once"`,
			`"other at https://other.example, with no key, at most 500 requests a minute"`,
		} {
			if !strings.Contains(line, want) {
				t.Errorf("the line lacks %s: %s", want, line)
			}
		}
		if strings.Contains(line, "planted") {
			t.Error("it holds the key")
		}
		return
	}
	t.Error("no line tells of the start")
}

func TestLimitsThatAreNotConfiguredAreLearned(t *testing.T) {
	cfg, err := config.Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := []string{limitsOf(&cfg, cfg.Upstreams[0]), whoseKey(&cfg, cfg.Upstreams[0])}; !slices.Equal(got, []string{"limits learned", "with the caller's key"}) {
		t.Error(fmt.Sprint(got))
	}
}
