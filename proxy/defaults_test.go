package proxy

import (
	"reflect"
	"strconv"
	"time"

	"github.com/caarlos0/env/v11"

	"outrigger/proxy/settings"
)

// DefaultConfig returns the configuration that results from no variables at all, without an
// upstream. Package config has the same for programs; this package's tests cannot import it.
func DefaultConfig() settings.Config {
	var c settings.Config
	if err := readDefaults(&c); err != nil {
		panic(err)
	}
	c.Callers.Listen = "127.0.0.1:8383"
	return c
}

// DefaultUpstream returns an upstream with its defaults, without name and URL.
func DefaultUpstream() settings.Upstream {
	var u settings.Upstream
	if err := readDefaults(&u); err != nil {
		panic(err)
	}
	return u
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
