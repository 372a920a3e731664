package main

import (
	"flag"
	"path/filepath"
	"slices"
	"strings"

	"outrigger/test/bench/compare/peers"
)

// options are those of the command line.
type options struct {
	root  string
	only  []string // lower case; nil: all peers
	names []string // of storms; nil: all
	cost  bool
	storm bool
	write bool
}

func parse(args []string) (options, error) {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	root := flags.String("root", "../../..", "the repository")
	only := flags.String("only", "", "compare only with these peers, by name, separated by commas")
	names := flags.String("storms", "", "play only these storms, by name, separated by commas")
	part := flags.String("part", "all", "cost, storms or all")
	write := flags.Bool("write", true, "write the tables and plots; off: only print")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	o := options{cost: *part != "storms", storm: *part != "cost", write: *write && *part == "all" && *only == "" && *names == ""}
	if *only != "" {
		o.only = strings.Split(strings.ToLower(*only), ",")
	}
	if *names != "" {
		o.names = strings.Split(*names, ",")
	}
	var err error
	o.root, err = filepath.Abs(*root)
	return o, err
}

// chosen are the peers that are wanted. The two that every ratio takes always are.
func (o options) chosen() []peers.Peer {
	return slices.DeleteFunc(peers.All(), func(p peers.Peer) bool {
		return o.only != nil && p.Name != peers.Bare && p.Name != peers.Outrigger && !slices.Contains(o.only, strings.ToLower(p.Name))
	})
}
