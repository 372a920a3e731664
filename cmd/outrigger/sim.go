package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"outrigger/internal/sim"
)

// runSim serves a simulated OpenAI-compatible upstream until ctx ends. It returns
// the exit code: 0 then and after -h, 1 when it cannot listen, 2 for bad flags.
func runSim(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cfg sim.Config
	flags := flag.NewFlagSet("outrigger sim", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what goes where is decided below
	listen := flags.String("listen", sim.DefaultListen, "`address` to listen on; the control endpoint is open to all who reach it")
	cfg.Flags(flags)
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		printSimUsage(flags, stdout)
		return 0
	}
	if err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err == nil {
		err = cfg.Validate()
	}
	if err != nil {
		fmt.Fprintf(stderr, "outrigger sim: %v\nRun outrigger sim -h for the flags.\n", err)
		return 2
	}
	s := sim.New(cfg)
	defer s.Close()
	url, err := s.Start(*listen)
	if err != nil {
		fmt.Fprintf(stderr, "outrigger sim: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "Simulated upstream. Use it with\n  OPENAI_BASE_URL=%s OPENAI_API_KEY=sk-any\nControl: %s\n", url, s.ControlURL(url))
	<-ctx.Done()
	return 0
}

// printSimUsage writes the help text.
func printSimUsage(flags *flag.FlagSet, stdout io.Writer) {
	fmt.Fprint(stdout, "Usage: outrigger sim [flags]\n\n"+
		"Serves a simulated OpenAI-compatible upstream with real limits and faults.\n\nFlags:\n")
	flags.SetOutput(stdout)
	flags.PrintDefaults()
	sim.Usage(stdout)
}
