package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"outrigger/test/bench/compare/cost"
	"outrigger/test/bench/compare/peers"
	"outrigger/test/bench/compare/report"
	"outrigger/test/bench/compare/storms"
)

// The storms are the first third of a whole run.
const stormsShare = 0.35

// compare installs the peers, measures, and writes what it found.
func compare(ctx context.Context, o options) error {
	files, err := os.MkdirTemp("", "compare")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(files) }()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	site := peers.Site{Root: o.root, Tools: filepath.Join(o.root, ".tools", "peers"), Self: self, Files: files}
	p := newProgress()
	defer p.end()
	all := &report.All{Date: time.Now(), Version: map[string]string{}, Skipped: map[string]string{}}
	all.Machine, all.Cores, all.Load = machine()
	here := prepare(ctx, site, o.chosen(), all, p)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	began := time.Now() // what is installed stays: only the first run takes the time
	from := 0.0
	if o.storm {
		from = stormsShare
		if !o.cost {
			from = 1
		}
		all.Storms, err = storms.Run(ctx, site, here, o.names, func(what string, done float64) { p.show(what, done*from) })
		if err != nil {
			return err
		}
	}
	if o.cost {
		all.Cost, err = cost.Run(ctx, site, here, func(what string, done float64) { p.show(what, from+done*(1-from)) })
		if err != nil {
			return err
		}
	}
	all.Took = time.Since(began)
	p.show("done", 1)
	p.end()
	show(os.Stdout, all, o)
	if o.write {
		return all.Write(o.root)
	}
	return nil
}

// prepare installs the peers at once, and notes what was skipped.
func prepare(ctx context.Context, site peers.Site, list []peers.Peer, all *report.All, p *progress) []peers.Peer {
	p.show(fmt.Sprintf("install what is missing (the first time this takes minutes): %d peers", len(list)), 0)
	versions, errs := make([]string, len(list)), make([]error, len(list))
	var installing sync.WaitGroup
	for i, peer := range list {
		installing.Go(func() { versions[i], errs[i] = peer.Prepare(ctx, site) })
	}
	installing.Wait()
	var here []peers.Peer
	for i, peer := range list {
		if errs[i] != nil {
			all.Skipped[peer.Name] = errs[i].Error()
			continue
		}
		here = append(here, peer)
		all.Order = append(all.Order, peer.Name)
		all.Version[peer.Name] = versions[i]
	}
	return here
}

// show writes the tables.
func show(w io.Writer, all *report.All, o options) {
	_, _ = fmt.Fprintln(w, all.Stamp()+"\n")
	if all.Storms != nil {
		_, _ = fmt.Fprintln(w, all.StormTables())
		if !o.write {
			_, _ = fmt.Fprintln(w, all.Failures())
		}
	}
	if all.Cost != nil {
		_, _ = fmt.Fprintln(w, all.CostTables())
	}
	_, _ = fmt.Fprint(w, all.Notes())
}
