package sim

import (
	"bytes"
	"flag"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/fields"
	"outrigger/internal/sim/meter"
)

func parse(args ...string) (Config, error) {
	var c Config
	fs := flag.NewFlagSet("sim", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	c.Flags(fs)
	return c, fs.Parse(args)
}

func TestFlagsFillTheConfiguration(t *testing.T) {
	defaults := Config{
		Tokens: 16, Organization: "org-simulated", Style: OpenAI, Charge: Max,
		CapacityRow: "openai/503_server_is_overloaded", JobTime: 2 * time.Second,
	}
	tests := map[string]struct {
		args   []string
		change func(*Config)
	}{
		"none": {nil, func(*Config) {}},
		"time and length": {
			strings.Fields("-latency 300ms -token-delay 20ms -network 25ms -job-time 1m -tokens 200 -seed 7"),
			func(c *Config) {
				c.Latency, c.TokenDelay, c.Network, c.JobTime = 300*time.Millisecond, 20*time.Millisecond, 25*time.Millisecond, time.Minute
				c.Tokens, c.Seed = 200, 7
			},
		},
		"lists": {
			strings.Fields("-models gpt-4o,gpt-4o-mini, -keys sk-a -keys sk-b"),
			func(c *Config) { c.Models, c.Keys = []string{"gpt-4o", "gpt-4o-mini"}, []string{"sk-a", "sk-b"} },
		},
		"limits": {
			strings.Fields("-limit rpm=60,tpm=10000 -limit model=gpt-4o*,rpm=1200,enforce=quanta -style groq -charge sum -organization o"),
			func(c *Config) {
				c.Limits = []meter.Limit{{RPM: 60, TPM: 10000}, {Model: "gpt-4o*", RPM: 1200, Enforce: meter.Quanta}}
				c.Style, c.Charge, c.Organization = Groq, Sum, "o"
			},
		},
		"faults": {
			strings.Fields(`-fault kind=status,status=503,probability=0.1 -fault {"kind":"hang","for":"1s"}`),
			func(c *Config) {
				c.Faults = []fault.Rule{{Kind: fault.KindStatus, Status: 503, Probability: 0.1}, {Kind: fault.KindHang, For: time.Second}}
			},
		},
		"accounts and capacity": {
			strings.Fields("-account credential=sk-b,row=openai/429_credit_balance_exhausted -capacity 8 -capacity-row openai/429_overloaded_legacy"),
			func(c *Config) {
				c.Accounts = []Account{{Credential: "sk-b", Row: "openai/429_credit_balance_exhausted"}}
				c.Capacity, c.CapacityRow = 8, "openai/429_overloaded_legacy"
			},
		},
		"requests at once": {
			strings.Fields("-concurrency credential=sk-a,places=4,row=zhipu/429_1302_concurrency -concurrency places=8,shared=true -refusal-cost 0.1"),
			func(c *Config) {
				c.Concurrency = []Concurrency{{Credential: "sk-a", Places: 4, Row: "zhipu/429_1302_concurrency"}, {Places: 8, Shared: true}}
				c.RefusalCost = 0.1
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := defaults
			test.change(&want)
			got, err := parse(test.args...)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, want)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestBadFlagsAreErrors(t *testing.T) {
	for _, args := range [][]string{
		{"-limit", "rpm=-1"},
		{"-limit", "rpm"},
		{"-limit", "rpm=1,row=nobody/nothing"},
		{"-limit", "rpm=1,row=openrouter/stream_comment"},
		{"-concurrency", "places=-1"},
		{"-concurrency", "places=1,row=nobody/nothing"},
		{"-fault", "kind=reset,period=5s"},
		{"-fault", "kind=reset,period=5s,stop=6s"},
		{"-fault", "kind=melt"},
		{"-fault", "{"},
		{"-account", "row=x/y"},
		{"-latency", "5"},
		{"-tokens", "many"},
		{"-nonsense"},
	} {
		if _, err := parse(args...); err == nil {
			t.Errorf("%v was accepted", args)
		}
	}
}

func TestTheHelpAndTheReadmeNameEverything(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var usage bytes.Buffer
	var c Config
	fs := flag.NewFlagSet("sim", flag.ContinueOnError)
	fs.SetOutput(&usage)
	c.Flags(fs)
	fs.PrintDefaults()
	Usage(&usage)
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
	for _, list := range [][]fields.Field{fields.List(meter.Limit{}), fields.List(fault.Rule{}), fields.List(Account{}), fields.List(Outage{}), fields.List(Concurrency{}), fields.List(Capacity{})} {
		for _, f := range list {
			names = append(names, f.Name)
		}
	}
	for _, k := range fault.Kinds() {
		names = append(names, string(k.Kind))
	}
	for name := range New(Config{}).controls() {
		if _, path, _ := strings.Cut(name, " "); path != "" {
			names = append(names, "/_sim/"+path)
		}
	}
	for _, name := range names {
		if !strings.Contains(usage.String(), name) {
			t.Errorf("the help does not name %s", name)
		}
		if !strings.Contains(string(readme), "`"+name) && !strings.Contains(string(readme), name+"`") {
			t.Errorf("README.md does not name %s", name)
		}
	}
}
