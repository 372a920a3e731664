// Command outrigger runs beside an app and keeps its calls to OpenAI-compatible
// APIs upright: it waits for rate limits, retries what can succeed, and never does
// twice what may have been done once. See the README for what it does, and
// config.example.env for what it can be told.
//
// This package is the process only: subcommands, listeners, signals, drain.
package main

import (
	"context"
	"os"
)

func main() {
	outliveHangups() // first: until then one ends the process
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
