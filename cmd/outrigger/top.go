package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"outrigger/internal/config"
	"outrigger/internal/top"
)

// runTop shows the state of the process that runs with the same environment, until a stop
// signal, or once.
func runTop(ctx context.Context, c call) int {
	var o top.Options
	flags := flag.NewFlagSet("outrigger top", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // what goes where is decided below
	flags.BoolVar(&o.Once, "once", false, "show the state one time and end")
	err := flags.Parse(c.args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(c.stdout, "Usage: outrigger top [-once]\n\nShows the state of the process that runs with the same environment, each second.\n")
		return exitOK
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "outrigger top: %v\n", err)
		return exitUsage
	}
	o.Color = isTerminal(c.stdout) && !wantsNoColor(c.environ)
	if o.Address, err = config.AdminAddress(c.environ); err == nil {
		interruptible(ctx, func(ctx context.Context) int {
			err = top.Run(ctx, c.stdout, o)
			return exitOK
		})
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "outrigger: %v\n", err)
		return exitError
	}
	return exitOK
}
