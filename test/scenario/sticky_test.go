package scenario

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"outrigger/internal/config"
	"outrigger/internal/sim"
	"outrigger/internal/sim/ledger"
	"outrigger/proxy/settings"
)

// homesRig is a proxy in front of two simulated upstreams, "sim" and "second".
type homesRig struct {
	*rig
	second *sim.Sim
}

func newHomesRig(t *testing.T) *homesRig {
	t.Helper()
	second := sim.New(sim.Config{Seed: 2, JobTime: time.Millisecond})
	base, err := second.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	address, err := url.Parse(strings.TrimSuffix(base, "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	g := newRig(t, sim.Config{Seed: 1, JobTime: time.Millisecond}, func(c *settings.Config) {
		other := config.UpstreamDefaults()
		other.Name, other.URL = "second", address
		c.Upstreams = append(c.Upstreams, other)
		c.Breaker.Wait = 100 * time.Millisecond
		c.Retry.Base, c.Retry.Cap = time.Millisecond, 2*time.Millisecond
	})
	return &homesRig{g, second}
}

// down refuses connections to a simulated upstream, or takes them again.
func (p *homesRig) down(s *sim.Sim, down bool) {
	p.t.Helper()
	o := sim.Outage{}
	if down {
		o.Kind = sim.OutageRefuse
	}
	if err := s.Outage(o); err != nil {
		p.t.Fatal(err)
	}
}

// got is what became of one call.
type got struct {
	status   int
	upstream string
	text     string
	id       string // of the answer's object
	output   string // its output_file_id
}

// send makes one call, whose body is JSON unless it says otherwise.
func (p *homesRig) send(method, path, contentType string, body string) got {
	p.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer sk-scenario")
	if body != "" {
		r.Header.Set("Content-Type", contentType)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var object struct {
		ID     string
		Output string `json:"output_file_id"`
	}
	_ = json.Unmarshal(text, &object) // a file's content is none
	return got{resp.StatusCode, resp.Header.Get("x-outrigger-upstream"), string(text), object.ID, object.Output}
}

func (p *homesRig) json(method, path, body string) got {
	p.t.Helper()
	return p.send(method, path, "application/json", body)
}

// upload makes a file and says where.
func (p *homesRig) upload(name string) got {
	p.t.Helper()
	contentType, body := file(name)
	return p.send(http.MethodPost, "/files", contentType, string(body))
}

// want holds an answer to a status and an upstream.
func (p *homesRig) want(what string, g got, status int, upstream string) got {
	p.t.Helper()
	if g.status != status || g.upstream != upstream {
		p.t.Errorf("%s: got %d from %q, want %d from %q: %s", what, g.status, g.upstream, status, upstream, g.text)
	}
	return g
}

func TestAFileUploadedToTheSecondUpstreamIsFoundThere(t *testing.T) {
	p := newHomesRig(t)
	p.down(p.sim, true)
	made := p.want("uploading while the first is down", p.upload("one"), 200, "second")
	p.down(p.sim, false)
	other := p.want("uploading when it is back", p.uploadToFirst(), 200, "sim")

	file := "/files/" + made.id
	p.want("GET", p.json("GET", file, ""), 200, "second")
	p.want("its content", p.json("GET", file+"/content", ""), 200, "second")
	batch := p.want("a batch of it", p.json("POST", "/batches", `{"input_file_id":"`+made.id+`","endpoint":"/v1/chat/completions","completion_window":"24h"}`), 200, "second")
	done := p.want("the batch", p.untilDone(batch.id), 200, "second")
	p.want("what the batch made", p.json("GET", "/files/"+done.output+"/content", ""), 200, "second")
	p.want("its end", p.json("POST", "/batches/"+batch.id+"/cancel", ""), 200, "second")
	p.want("DELETE", p.json("DELETE", file, ""), 200, "second")
	p.want("GET of what is no more", p.json("GET", file, ""), 404, "second")

	p.want("the first's file", p.json("GET", "/files/"+other.id, ""), 200, "sim")
	p.want("a file that nobody knows", p.json("GET", "/files/file-unknown", ""), 404, "sim")
	p.want("the list", p.json("GET", "/files", ""), 200, "sim")
	if asked := p.sim.Ledger().Entries(ledger.Filter{Path: "/v1" + file}); len(asked) > 0 {
		t.Errorf("the first upstream was asked for it: %+v", asked)
	}
}

// uploadToFirst uploads until the first upstream takes it again: its breaker may be
// open still.
func (p *homesRig) uploadToFirst() got {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if g := p.upload("other"); g.upstream == "sim" || time.Now().After(deadline) {
			return g
		}
	}
}

// untilDone asks for a batch until its output is there.
func (p *homesRig) untilDone(batch string) got {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		if g := p.json("GET", "/batches/"+batch, ""); g.output != "" || g.status != 200 || time.Now().After(deadline) {
			return g
		}
	}
}

func TestWhatLivesAtOneUpstreamIsNotLookedForAtAnother(t *testing.T) {
	p := newHomesRig(t)
	first := p.want("uploading", p.upload("one"), 200, "sim")
	p.down(p.sim, true)
	second := p.want("uploading while the first is down", p.upload("two"), 200, "second")

	for what, g := range map[string]got{
		"its file":       p.json("GET", "/files/"+first.id, ""),
		"a batch of it":  p.json("POST", "/batches", `{"input_file_id":"`+first.id+`","endpoint":"/v1/chat/completions","completion_window":"24h"}`),
		"an unknown one": p.json("GET", "/files/file-unknown", ""),
		"the list":       p.json("GET", "/files", ""),
	} {
		if g.status < 500 || g.upstream == "second" {
			t.Errorf("%s: got %d from %q: %s", what, g.status, g.upstream, g.text)
		}
	}
	p.want("the second's file", p.json("GET", "/files/"+second.id, ""), 200, "second")
	p.want("what lives nowhere", p.json("POST", "/embeddings", `{"model":"m","input":"hi"}`), 200, "second")

	p.base = strings.TrimSuffix(p.base, "/v1") + "/@second/v1"
	p.want("by name", p.json("GET", "/files", ""), 200, "second")
	p.want("by name, what it does not have", p.json("GET", "/files/"+first.id, ""), 404, "second")
}

func TestATurnFollowsTheOneBeforeIt(t *testing.T) {
	for name, stream := range map[string]string{"whole": "false", "stream": "true"} {
		t.Run(name, func(t *testing.T) {
			p := newHomesRig(t)
			p.down(p.sim, true)
			made := p.want("the first turn", p.json("POST", "/responses", `{"model":"m","input":"hi","stream":`+stream+`}`), 200, "second")
			id := made.id
			if _, after, found := strings.Cut(made.text, `"id":"resp_`); found {
				id = "resp_" + after[:strings.IndexByte(after, '"')]
			}
			p.down(p.sim, false)
			p.uploadToFirst()
			p.want("the second turn", p.json("POST", "/responses", `{"model":"m","input":"more","previous_response_id":"`+id+`"}`), 200, "second")
			p.want("the first, again", p.json("GET", "/responses/"+id, ""), 200, "second")
			p.want("a turn that refers to nothing", p.json("POST", "/responses", `{"model":"m","input":"hi"}`), 200, "sim")
			p.want("a turn after an unknown one", p.json("POST", "/responses", `{"model":"m","input":"hi","previous_response_id":"resp_unknown"}`), 200, "sim")
		})
	}
}
