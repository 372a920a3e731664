package proxy

import (
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/caarlos0/env/v11"

	"outrigger/policy"
)

// DefaultConfig returns the configuration that results from no variables at all,
// without an upstream: the defaults stand in the tags and nowhere else.
func DefaultConfig() Config {
	var c Config
	if err := readDefaults(&c); err != nil {
		panic(err) //nolint:forbidigo // a default in a tag is no value of its field: every test shows it
	}
	c.Callers.Listen = "127.0.0.1:8383"
	return c
}

// DefaultUpstream returns an upstream with its defaults, without name and URL.
func DefaultUpstream() Upstream {
	var u Upstream
	if err := readDefaults(&u); err != nil {
		panic(err) //nolint:forbidigo // as above
	}
	return u
}

// defaultTimeouts are those that nobody chose.
var defaultTimeouts = sync.OnceValue(func() Timeouts { return DefaultConfig().Timeouts })

// operators returns OUTRIGGER_TIMEOUT and OUTRIGGER_STREAM_IDLE_TIMEOUT, and whether they
// give way to what callers announce.
func (t Timeouts) operators() (total, idle policy.Operator) { //nolint:nonamedreturns // the names tell them apart
	unset := defaultTimeouts()
	return policy.Operator{Timeout: t.Total, Default: !t.TotalSet && t.Total == unset.Total},
		policy.Operator{Timeout: t.StreamIdle, Default: !t.StreamIdleSet && t.StreamIdle == unset.StreamIdle}
}

func readDefaults(target any) error {
	return env.ParseWithOptions(target, env.Options{
		Environment: map[string]string{},
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[time.Duration](): func(text string) (any, error) {
				if text == "off" || text == "none" {
					return time.Duration(0), nil
				}
				return time.ParseDuration(text)
			},
			reflect.TypeFor[bool](): func(text string) (any, error) {
				switch text {
				case "on":
					return true, nil
				case "off":
					return false, nil
				}
				return strconv.ParseBool(text)
			},
		},
	})
}
