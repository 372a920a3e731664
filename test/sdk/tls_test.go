package sdk

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"outrigger/proxy/authority"
	"outrigger/test/process"
)

// Newer clients refuse to send a key to an http:// URL.
func TestClientsCallTheListenerByHTTPS(t *testing.T) {
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.way = byBaseURL
			w := c.start(t, troubles{}, nil)
			p := plan{Calls: []string{"chat", "chat_stream", "files"}}
			direct := c.call(t, []string{"OPENAI_BASE_URL=" + w.upstream + "/v1"}, p)
			secure := "OPENAI_BASE_URL=" + strings.Replace(w.base(), "http://", "https://", 1)
			for i, o := range c.call(t, append(c.trusting(t, w.authority), secure), p) {
				if o.Error != nil || !reflect.DeepEqual(o.Value, direct[i].Value) {
					t.Errorf("%s gives %v (error %+v), want %v", p.Calls[i], o.Value, o.Error, direct[i].Value)
				}
			}
			for _, o := range c.call(t, []string{secure}, plan{Calls: []string{"chat"}, MaxRetries: once}) {
				if o.Error == nil {
					t.Error("a client that does not trust the authority sent its key")
				}
			}
		})
	}
}

func TestOtherHostsAreTunnelledUntouched(t *testing.T) {
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.way = byProxy
			w := c.start(t, troubles{}, nil)
			// Outrigger's authority cannot vouch for other.example, so that this is its own.
			both := bundle(t, w.authority, w.outside.roots)
			environment := append(c.trusting(t, both), "HTTPS_PROXY="+w.traffic)
			for i, o := range c.call(t, environment, plan{Calls: []string{"elsewhere", "chat", "elsewhere"}}) {
				if o.Error != nil || i != 1 && o.Value["text"] != "other.example" {
					t.Errorf("call %d: %v, %+v", i+1, o.Value, o.Error)
				}
			}
			for _, o := range c.call(t, append(c.trusting(t, w.authority), "HTTPS_PROXY="+w.traffic), plan{Calls: []string{"elsewhere"}}) {
				if o.Error == nil {
					t.Errorf("Outrigger passed for another host: %v", o.Value)
				}
			}
			if got := w.called(t); got.outrigger != 1 || got.upstream != 1 {
				t.Errorf("%+v, want the one chat", got)
			}
		})
	}
}

func TestNodesRealtimeGetsTheTLSThatItInsistsOn(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"type":"session.created"}`))
		for {
			_, text, err := c.Read(r.Context())
			var event struct{ Type string }
			if err != nil || json.Unmarshal(text, &event) != nil {
				return
			}
			_ = c.Write(r.Context(), websocket.MessageText, []byte(`{"type":"`+event.Type+`ted"}`))
		}
	}))
	defer upstream.Close()
	traffic, admin, directory := process.FreeAddress(t), process.FreeAddress(t), t.TempDir()
	outrigger := process.Start(t, []string{
		"OUTRIGGER_UPSTREAMS=openai=" + upstream.URL, "OUTRIGGER_LISTEN=" + traffic, "OUTRIGGER_ADMIN_LISTEN=" + admin, "OUTRIGGER_CA_DIR=" + directory,
	}, process.Binary(t))
	outrigger.Ready(t, "http://"+admin+"/readyz")

	environment := append(extraCerts(t, authority.File(directory)), "OPENAI_BASE_URL=http://"+traffic+"/v1")
	got := clients["node"].call(t, environment, plan{Calls: []string{"realtime"}})[0]
	want := map[string]any{"events": []any{"session.created", "input_audio_buffer.committed"}, "url": "wss:"}
	if got.Error != nil || !reflect.DeepEqual(got.Value, want) {
		t.Errorf("got %v, %+v", got.Value, got.Error)
	}
}
