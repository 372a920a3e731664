package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"outrigger/internal/config"
	"outrigger/internal/resources"
	"outrigger/proxy/idempotency/store"
)

// runCheck prints the configuration as a table, or all that is wrong with it.
func runCheck(ctx context.Context, c call) int {
	cfg, err := config.LoadAndProbe(ctx, c.environ)
	if err != nil {
		return refuse(c.stderr, err)
	}
	table := tabwriter.NewWriter(c.stdout, 0, 0, 2, ' ', 0)
	for _, r := range cfg.Variables {
		fmt.Fprintf(table, "%s\t%s\t%s\n", r.Name, cmp.Or(r.Value, "-"), r.Source)
	}
	for _, name := range cfg.Ignored {
		fmt.Fprintf(table, "%s\t%s\t%s\n", name, "-", "ignored: a service link of Kubernetes")
	}
	if cfg.MaxConnections == 0 {
		resources.LimitHeap() // as at the start: the number follows from it
		fmt.Fprintf(table, "%s\t%d\t%s\n", "connections of callers", maxConnections(&cfg), "of descriptors and memory here")
	}
	if file, when := caFile(&cfg); file != "" {
		fmt.Fprintf(table, "%s\t%s\t%s\n", "local CA's certificate", config.Presentable(file), when)
	}
	if err := table.Flush(); err != nil {
		fmt.Fprintf(c.stderr, "outrigger: cannot print: %v\n", err)
		return exitError
	}
	showProviders(c.stdout, &cfg)
	for _, told := range cfg.Proxies.NotUsed() {
		fmt.Fprintln(c.stdout, told)
	}
	if bytes := cfg.StoreBytes(); bytes < cfg.Store.Bytes {
		fmt.Fprintf(c.stdout, "OUTRIGGER_STORE=memory keeps %s of answers: a quarter of OUTRIGGER_MEMORY_MAX at most\n", bytes)
	}
	for _, warning := range cfg.Warnings {
		fmt.Fprintln(c.stdout, "warning: "+warning)
	}
	showTraces(c.stdout, c.environ)
	if told := store.Advice(ctx, cfg.Store); told != "" {
		fmt.Fprintln(c.stdout, told)
	}
	return exitOK
}

// refuse lists the mistakes that loading the configuration returned, one a line.
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
