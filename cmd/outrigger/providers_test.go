package main

import (
	"strings"
	"testing"
)

func TestCheckTellsWhatBecomesOfACallAtEachUpstream(t *testing.T) {
	for _, tt := range []struct {
		environ []string
		want    string
	}{
		{nil, "upstream openai, preset openai: POST /v1/chat/completions goes to https://api.openai.com/v1/chat/completions, with the caller's credential"},
		{
			[]string{"OUTRIGGER_UPSTREAMS=g=https://api.groq.com", "OUTRIGGER_UPSTREAM_G_API_KEY=gsk-1"},
			"upstream g, preset groq: POST /v1/chat/completions goes to https://api.groq.com/openai/v1/chat/completions, the key in Authorization",
		},
		{
			[]string{"OUTRIGGER_UPSTREAMS=az=https://n.openai.azure.com/openai/deployments/four", "OUTRIGGER_UPSTREAM_AZ_API_KEY=k"},
			"upstream az, preset azure: POST /v1/chat/completions goes to https://n.openai.azure.com/openai/deployments/four/chat/completions?api-version=2024-10-21, the key in Api-Key",
		},
		{
			[]string{"OUTRIGGER_UPSTREAMS=az=https://n.openai.azure.com", "OUTRIGGER_UPSTREAM_AZ_QUERY=api-version=2024-06-01", "OUTRIGGER_UPSTREAM_AZ_API_KEY=k", "OUTRIGGER_UPSTREAM_AZ_AUTH_HEADER=Ocp-Apim-Subscription-Key"},
			"upstream az, preset azure: POST /v1/chat/completions goes to https://n.openai.azure.com/openai/deployments/MODEL/chat/completions, the key in Ocp-Apim-Subscription-Key",
		},
		{
			[]string{"OUTRIGGER_UPSTREAMS=vllm=http://10.0.0.7:8000/v1"},
			"upstream vllm, preset none: POST /v1/chat/completions goes to http://10.0.0.7:8000/v1/chat/completions, with the caller's credential",
		},
		{
			[]string{"OUTRIGGER_UPSTREAMS=openai=https://api.openai.com,local=http://localhost:11434"},
			"upstream local, preset none: POST /v1/chat/completions goes to http://localhost:11434/v1/chat/completions, with no credential",
		},
		{
			[]string{"OUTRIGGER_UPSTREAMS=openai=https://api.openai.com,gw=https://gw.example", "OUTRIGGER_UPSTREAM_GW_HEADERS=Authorization=Basic x"},
			"upstream gw, preset none: POST /v1/chat/completions goes to https://gw.example/v1/chat/completions, with the credential that is configured",
		},
		{
			[]string{"OUTRIGGER_UPSTREAMS=openai=https://api.openai.com,gw=https://gw.example", "OUTRIGGER_UPSTREAM_GW_CALLER_KEY=send"},
			"upstream gw, preset none: POST /v1/chat/completions goes to https://gw.example/v1/chat/completions, with the caller's credential",
		},
	} {
		got := runWith(t, []string{"check"}, tt.environ)
		lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
		if last := lines[len(lines)-1]; got.Code != 0 || last != tt.want {
			t.Errorf("%v:\ngot  %s\nwant %s\n%s", tt.environ, last, tt.want, got.Stderr)
		}
	}
}
