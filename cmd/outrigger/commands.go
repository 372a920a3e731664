package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// call is what a command works with.
type call struct {
	args, environ  []string
	stdout, stderr io.Writer
}

// command is one subcommand.
type command struct {
	name      string
	aliases   []string
	about     string // one line of the usage text
	takesArgs bool
	run       func(context.Context, call) int // returns the exit code
}

// commands returns the subcommands in the order of the usage text.
func commands() []command {
	return []command{
		{name: "serve", run: runServe, about: "take traffic; also what happens without a command"},
		{name: "check", run: runCheck, about: "print the resolved configuration, or every mistake in it"},
		{name: "sim", run: runWithArgs(runSim), takesArgs: true, about: "serve a simulated upstream, to try an app against trouble; -h lists its flags"},
		{name: "demo", run: runWithArgs(runDemo), takesArgs: true, about: "compare a burst of calls, straight and through Outrigger; -once ends after it"},
		{name: "top", run: runTop, takesArgs: true, about: "show the running process's state, each second; -once shows it one time"},
		{name: "healthcheck", run: runHealthcheck, about: "ask the running process whether it is ready: exit code 0 or 1"},
		{name: "version", run: runVersion, about: "print version, commit and Go version", aliases: []string{"-version", "--version"}},
		{name: "help", run: runHelp, about: "print this text", aliases: helpFlags},
	}
}

// runWithArgs makes a command's run of a function that knows arguments and writers
// only, and that returns soon after its context ends.
func runWithArgs(f func(ctx context.Context, args []string, stdout, stderr io.Writer) int) func(context.Context, call) int {
	return func(ctx context.Context, c call) int {
		return interruptible(ctx, func(ctx context.Context) int { return f(ctx, c.args, c.stdout, c.stderr) })
	}
}

var helpFlags = []string{"-h", "-help", "--help"}

func (c command) is(name string) bool { return c.name == name || slices.Contains(c.aliases, name) }

func isHelp(arg string) bool { return slices.Contains(helpFlags, arg) }

func runHelp(_ context.Context, c call) int {
	fmt.Fprint(c.stdout, usage())
	return exitOK
}

// usage returns the text of outrigger help.
func usage() string {
	var list strings.Builder
	for _, c := range commands() {
		fmt.Fprintf(&list, "  %-12s %s\n", c.name, c.about)
	}
	return `Outrigger keeps an app's calls to OpenAI-compatible APIs upright.

Usage: outrigger [command]

` + list.String() + `
Configuration is environment variables named OUTRIGGER_*, all of them optional:
config.example.env explains each, outrigger check shows what they come to.
With none set, point the app at it: OPENAI_BASE_URL=http://127.0.0.1:8383/v1

Exit codes: 0 clean stop, 1 failed at run time, 2 bad configuration or usage.
`
}
