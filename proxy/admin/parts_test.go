package admin

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestReadyz_VerboseTellsTheParts(t *testing.T) {
	ready := false
	h := New(Options{
		Listen: local, Ready: func() bool { return ready }, Metrics: prometheus.NewRegistry(),
		Parts: func() []Part {
			return []Part{{"configuration", false, "a reload was refused"}, {"store", true, "memory"}}
		},
	})
	const parts = "\n[-]configuration: a reload was refused\n[+]store: memory\n"
	for _, want := range []reply{{503, text, "draining" + parts}, {200, text, "ok" + parts}} {
		if got, _ := ask(t, h, "GET", "http://"+local+"/readyz?verbose", nil); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		ready = true
	}
	if got, _ := ask(t, h, "GET", "http://"+local+"/readyz", nil); got.Body != "ok\n" {
		t.Errorf("without verbose: %+v", got)
	}
}
