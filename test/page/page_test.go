package page

import (
	"net/http"
	"syscall"
	"testing"
	"time"
)

const (
	chat   = `{"model":"gpt-4o","messages":[{"role":"user","content":"a secret prompt"}]}`
	stream = `{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"a secret prompt"}]}`
	embed  = `{"model":"text-embedding-3-small","input":"a secret prompt"}`
)

func TestPage_Idle(t *testing.T) {
	w := start(t)
	browse(t, plan{Name: "idle", URL: w.admin, Says: "^ready; no request has come yet$"})
}

func TestPage_Storm(t *testing.T) {
	w := start(t, "OUTRIGGER_CALLER_HEADER=on")
	w.tell(t, http.MethodPut, "limits", `[{"model":"gpt-4o","rpm":600,"enforce":"refill","burst":"500ms"}]`)
	w.tell(t, http.MethodPut, "faults", `[{"kind":"status","status":500,"path":"/v1/embeddings"},
		{"kind":"cut_reset","events":20,"model":"gpt-4o-mini","probability":0.1},{"kind":"status","status":503,"probability":0.15},{"kind":"reset","probability":0.05}]`)
	w.load(t, 20, "chat/completions", "sk-first", chat)
	w.load(t, 4, "chat/completions", "sk-second", stream)
	w.load(t, 1, "embeddings", "sk-second", embed)
	for _, v := range browse(t, plan{Name: "storm", URL: w.admin, Says: "wait|fail|answers", Requests: 30, Use: true}).Views {
		t.Logf("%s: %s", v.Name, v.Headline)
	}
}

func TestPage_QuotaExhausted(t *testing.T) {
	w := start(t)
	w.tell(t, http.MethodPost, "accounts", `{"credential":"sk-poor","row":"openai/429_credit_balance_exhausted"}`)
	for range 4 {
		w.call(t.Context(), "chat/completions", "sk-rich", chat)
		w.call(t.Context(), "chat/completions", "sk-poor", chat)
	}
	browse(t, plan{
		Name: "quota", URL: w.admin, Requests: 8, Kill: w.outrigger.PID(),
		Says: `^openai: quota exhausted for credential [0-9a-f]{4}…, since \d\d:\d\d; next probe (in \d+ s|with the next request)$`,
	})
}

func TestPage_Draining(t *testing.T) {
	w := start(t, "OUTRIGGER_DRAIN_TIMEOUT=10m")
	w.tell(t, http.MethodPut, "faults", `[{"kind":"silence","events":5,"for":"10m","model":"gpt-4o-mini"}]`)
	w.call(t.Context(), "chat/completions", "sk-first", chat)
	w.load(t, 3, "chat/completions", "sk-first", stream)
	time.Sleep(time.Second) // until the streams have begun
	w.outrigger.Signal(t, syscall.SIGTERM)
	browse(t, plan{Name: "draining", URL: w.admin, Says: `^draining: new requests are refused, 3 are still under way, since \d\d:\d\d; what is left is ended in 9 min( \d+ s)?$`, Requests: 1})
	w.outrigger.Signal(t, syscall.SIGKILL) // nobody waits for ten minutes of silence
	w.outrigger.Wait(t)
}
