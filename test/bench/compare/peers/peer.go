package peers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"outrigger/test/bench/compare/process"
)

// retries is how often each peer that takes a number may retry.
const retries = 3

// patience is how long a program has to listen. LiteLLM takes seconds.
const patience = 90 * time.Second

// Upstream is one API that a peer is to stand before.
type Upstream struct {
	Addr    string        // host:port
	Timeout time.Duration // of one attempt, until the answer begins; whole seconds
	Files   bool          // uploads go here, where a peer knows only one place for them
}

// url is the upstream's without /v1.
func (u Upstream) url() string { return "http://" + u.Addr }

// seconds is the timeout as most configurations have it.
func (u Upstream) seconds() int { return int(u.Timeout / time.Second) }

// Endpoint is how callers reach one upstream through a peer.
type Endpoint struct {
	URL    string            // without /v1
	Model  string            // what calls must name; "" is whatever they like
	Header map[string]string // what calls must carry
}

// Site is where programs and their files are.
type Site struct {
	Root  string // of the repository
	Tools string // .tools/peers
	Self  string // this program, which is the bare proxy too
	Files string // for configurations and logs; removed at the end
}

// Peer is one program that is compared.
type Peer struct {
	Name string
	// Install is the argument of test/prepare.sh, "" for none, and Program what is there
	// after it, under Site.Tools.
	Install, Program string
	// Version is a shell's line that prints its version, under Site.Tools.
	Version string
	// program says how to run it before one upstream, or before all where it can.
	program func(s Site, addr string, upstreams []Upstream) (process.Program, []Endpoint, error)
	// Slow reports that its calls take so much CPU that they would disturb the others'.
	Slow bool
	// many reports that one process serves several upstreams.
	many bool
}

// Run is the processes of one peer, and the way to each upstream.
type Run struct {
	Endpoints []Endpoint
	Processes []*process.Process
}

// Stop ends the processes, all at once: some take their time.
func (r *Run) Stop() {
	var all sync.WaitGroup
	for _, p := range r.Processes {
		all.Go(p.Stop)
	}
	all.Wait()
}

// Start runs the peer before the upstreams: one process for all if it serves several, or
// else one for each. On an error nothing is left running.
func (p Peer) Start(ctx context.Context, s Site, upstreams ...Upstream) (*Run, error) {
	groups := [][]Upstream{upstreams}
	if !p.many {
		groups = nil
		for _, u := range upstreams {
			groups = append(groups, []Upstream{u})
		}
	}
	run := new(Run)
	for _, group := range groups {
		if err := run.add(ctx, p, s, group); err != nil {
			run.Stop()
			return nil, err
		}
	}
	return run, nil
}

func (r *Run) add(ctx context.Context, p Peer, s Site, group []Upstream) error {
	addr, err := process.FreeAddr()
	if err != nil {
		return err
	}
	s.Files = filepath.Join(s.Files, strings.ReplaceAll(p.Name+"-"+addr, ":", "-"))
	if err := os.MkdirAll(s.Files, 0o750); err != nil {
		return err
	}
	program, endpoints, err := p.program(s, addr, group)
	if err != nil {
		return err
	}
	program.Dir, program.Addr = s.Files, addr
	process, err := process.Start(ctx, program, patience)
	if err != nil {
		return s.anonymous(err)
	}
	r.Processes = append(r.Processes, process)
	r.Endpoints = append(r.Endpoints, endpoints...)
	return nil
}

// write puts a configuration into a file and returns its path.
func (s Site) write(name, format string, args ...any) (string, error) {
	path := filepath.Join(s.Files, name)
	return path, os.WriteFile(path, []byte(fmt.Sprintf(format, args...)), 0o600)
}

// anonymous is the error without the directories of this machine: it is published.
func (s Site) anonymous(err error) error {
	return errors.New(strings.NewReplacer(s.Files+"/", "", s.Root+"/", "").Replace(err.Error()))
}

// plain is the endpoint of a program that takes calls as they are.
func plain(addr string) []Endpoint { return []Endpoint{{URL: "http://" + addr}} }

// Named is the body with the model that the endpoint wants.
func (e Endpoint) Named(body string) string {
	if e.Model == "" {
		return body
	}
	before, after, _ := strings.Cut(body, `"model":"`)
	_, after, _ = strings.Cut(after, `"`)
	return before + `"model":"` + e.Model + `"` + after
}
