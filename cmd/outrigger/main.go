// Command outrigger is a sidecar proxy for OpenAI-compatible APIs: it queues for rate limits,
// retries what can succeed, and never executes a non-idempotent call twice. See README.md for
// its commands and settings, and config.example.env for their units and ranges.
//
// This package is the process only: subcommands, listeners, signals, drain. Package
// internal/config reads the environment, and package proxy serves requests.
package main

import (
	"context"
	"os"
)

func main() {
	outliveHangups() // first: until then one ends the process
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
