package sim

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/fields"
	"outrigger/internal/sim/limits"
	"outrigger/internal/sim/meter"
)

// DefaultListen is where the simulator listens unless told otherwise. Loopback:
// its control endpoint has no credentials.
const DefaultListen = "127.0.0.1:9393"

// Flags defines the flags that fill the configuration. Wrong values of limits,
// faults and accounts are errors of fs.Parse.
func (c *Config) Flags(fs *flag.FlagSet) {
	fs.Uint64Var(&c.Seed, "seed", 0, "decides every random choice; the same `number` gives the same faults")
	c.timing(fs)
	fs.IntVar(&c.Tokens, "tokens", 16, "length of an answer, unless the request allows fewer; as in -tokens 200")
	fs.Func("models", "the models that exist, the others get 404; as in -models gpt-4o,gpt-4o-mini (default all)", list(&c.Models))
	fs.Func("keys", "the API keys that exist, the others get 401; as in -keys sk-a,sk-b (default all)", list(&c.Keys))
	fs.StringVar(&c.Organization, "organization", "org-simulated", "the `name` in refusals")
	fs.Func("limit", "a rate limit, repeatable, the first that matches applies; as in -limit rpm=60,tpm=10000 or "+
		"-limit 'model=gpt-4o*,rpm=1200,enforce=quanta'; fields below", repeated(&c.Limits, validateLimit))
	fs.Func("account", "a dead credential, repeatable; as in -account credential=sk-b,row=openai/429_credit_balance_exhausted",
		repeated(&c.Accounts, Account.Validate))
	fs.StringVar((*string)(&c.Style), "style", "openai", "rate-limit headers and texts: openai, azure, groq, anthropic or none")
	fs.StringVar((*string)(&c.Charge), "charge", "max", "token cost of a request: max or sum of the input estimate and max_tokens")
	fs.IntVar(&c.Capacity, "capacity", 0, "most requests at once, those above get -capacity-row; as in -capacity 8 (default no bound)")
	fs.StringVar(&c.CapacityRow, "capacity-row", limits.DefaultCapacityRow, "the `answer` when at capacity")
	fs.Float64Var(&c.RefusalCost, "refusal-cost", 0, "what a refusal at capacity takes of the time that one place needs for an answer; as in -refusal-cost 0.1")
	fs.Func("concurrency", "a limit of requests in progress, repeatable, the first that matches applies; as in "+
		"-concurrency 'credential=sk-a,places=4,row=anthropic/429_concurrent_connections'; fields below", repeated(&c.Concurrency, Concurrency.Validate))
	fs.Func("fault", "a fault rule, repeatable, the first that strikes applies; as in -fault kind=status,status=503,probability=0.1 or "+
		"-fault 'kind=cut_reset,events=5,every=3'; kinds and fields below", repeated(&c.Faults, fault.Rule.Validate))
}

// timing defines the flags about time.
func (c *Config) timing(fs *flag.FlagSet) {
	fs.DurationVar(&c.Latency, "latency", 0, "time to the first byte of a good answer; as in -latency 300ms")
	fs.DurationVar(&c.TokenDelay, "token-delay", 0, "time for each token; as in -token-delay 20ms")
	fs.DurationVar(&c.Network, "network", 0, "one-way network delay; as in -network 25ms")
	fs.DurationVar(&c.JobTime, "job-time", 2*time.Second, "how long a batch or a background response takes")
}

// Usage writes what the flags' own texts leave out: the fields of limits, accounts and
// fault rules, the kinds of faults, and the control endpoint.
func Usage(w io.Writer) {
	section := func(title string, all []fields.Field) {
		fmt.Fprintf(w, "\n%s\n", title)
		for _, f := range all {
			fmt.Fprintf(w, "  %-15s %s\n", f.Name, f.Doc)
		}
	}
	section("Fields of -limit (name=value,… or a JSON object):", fields.List(meter.Limit{}))
	section("Fields of -concurrency:", fields.List(Concurrency{}))
	section("Fields of capacity, for the control endpoint:", fields.List(Capacity{}))
	section("Fields of -account:", fields.List(Account{}))
	section("Fields of -fault:", fields.List(fault.Rule{}))
	var kinds []fields.Field
	for _, k := range fault.Kinds() {
		kinds = append(kinds, fields.Field{Name: string(k.Kind), Doc: k.Doc})
	}
	section("Kinds of faults:", kinds)
	fmt.Fprintf(w, "\nControl, while it runs:\n")
	for _, line := range controlDocs {
		fmt.Fprintf(w, "  %s\n", line)
	}
}

// list is a flag of names separated by commas.
func list(into *[]string) func(string) error {
	return func(text string) error {
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				*into = append(*into, name)
			}
		}
		return nil
	}
}

// repeated is a flag that adds one T each time.
func repeated[T any](into *[]T, validate func(T) error) func(string) error {
	return func(text string) error {
		var v T
		if err := fields.Parse(&v, text); err != nil {
			return err
		}
		if err := validate(v); err != nil {
			return err
		}
		*into = append(*into, v)
		return nil
	}
}
