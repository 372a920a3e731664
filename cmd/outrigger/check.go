package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"outrigger/internal/resources"
	"outrigger/proxy/idempotency/store"
)

// resolved is one variable as check and /config show it.
type resolved struct {
	Variable string `json:"variable"`
	Value    string `json:"value"`  // secrets redacted
	Source   string `json:"source"` // default, environment, or file and its path
	Meaning  string `json:"meaning"`
}

// show returns all variables as they were resolved.
func (s *settings) show() []resolved {
	all := make([]resolved, len(s.Variables))
	for i := range s.Variables {
		v := &s.Variables[i]
		all[i] = resolved{v.Name, v.String(), v.Source, v.Doc}
	}
	return all
}

// runCheck prints the configuration as a table, or all that is wrong with it.
func runCheck(ctx context.Context, c call) int {
	s, err := try(ctx, c.environ)
	if err != nil {
		return refuse(c.stderr, err)
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, r := range s.show() {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Variable, cmp.Or(r.Value, "-"), r.Source)
	}
	for _, name := range s.Ignored {
		fmt.Fprintf(table, "%s\t%s\t%s\n", name, "-", "ignored: a service link of Kubernetes")
	}
	if s.MaxConnections == 0 {
		resources.LimitHeap() // as at the start: the number follows from it
		fmt.Fprintf(table, "%s\t%d\t%s\n", "connections of callers", s.connections(), "of descriptors and memory here")
	}
	if file, when := s.caFile(); file != "" {
		fmt.Fprintf(table, "%s\t%s\t%s\n", "local CA's certificate", presentable(file), when)
	}
	if err := table.Flush(); err != nil {
		fmt.Fprintf(c.stderr, "outrigger: cannot print: %v\n", err)
		return exitError
	}
	showProviders(c.stdout, s)
	for _, told := range s.Proxies.NotUsed() {
		fmt.Fprintln(c.stdout, told)
	}
	if bytes := s.StoreBytes(); bytes < s.Store.Bytes {
		fmt.Fprintf(c.stdout, "OUTRIGGER_STORE=memory keeps %s of answers: a quarter of OUTRIGGER_MEMORY_MAX at most\n", bytes)
	}
	for _, warning := range s.Warnings {
		fmt.Fprintln(c.stdout, "warning: "+warning)
	}
	if told := store.Advice(ctx, s.Store); told != "" {
		fmt.Fprintln(c.stdout, told)
	}
	return exitOK
}

// refuse lists the mistakes that load returned, one a line.
func refuse(stderr io.Writer, err error) int {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		all = joined.Unwrap()
	}
	what := "mistakes"
	if len(all) == 1 {
		what = "mistake"
	}
	fmt.Fprintf(stderr, "outrigger: %d %s in the configuration:\n", len(all), what)
	for _, m := range all {
		fmt.Fprintf(stderr, "  %v\n", m)
	}
	return exitUsage
}
