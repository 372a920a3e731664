package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestFleet_MistakesAreToldAtOnceAndWithoutThePassword(t *testing.T) {
	missing := "OUTRIGGER_FLEET_FAIL=\"closed\": want OUTRIGGER_REDIS_URL beside it: without it nothing is shared"
	for name, tt := range map[string]struct{ environ, want []string }{
		"no URL":             {[]string{"OUTRIGGER_FLEET_FAIL=open"}, nil},
		"a URL":              {[]string{"OUTRIGGER_REDIS_URL=redis://:hunter2@redis", "OUTRIGGER_FLEET_FAIL=closed"}, nil},
		"closed without one": {[]string{"OUTRIGGER_FLEET_FAIL=closed"}, []string{missing}},
		"no port": {
			[]string{"OUTRIGGER_REDIS_URL=redis://:hunter2@redis:x", "OUTRIGGER_FLEET_FAIL=closed"},
			[]string{"OUTRIGGER_REDIS_URL: not a Redis URL: want a port from 1 to 65535 behind the host"},
		},
		"an option that does not exist": {
			[]string{"OUTRIGGER_REDIS_URL=rediss://:hunter2@redis?server_nam=x", "OUTRIGGER_FLEET_FAIL=maybe", "OUTRIGGER_RPM=x"},
			[]string{
				"OUTRIGGER_RPM=\"x\": want a whole number, from 0 to 1000000000",
				"OUTRIGGER_FLEET_FAIL=\"maybe\": want one of open, closed",
				"OUTRIGGER_REDIS_URL: not a Redis URL: there is no option server_nam; the nearest is server_name",
			},
		},
		"quotes": {[]string{"OUTRIGGER_REDIS_URL=\"redis://:hunter2@redis\"", "OUTRIGGER_FLEET_FAIL=closed"}, []string{"OUTRIGGER_REDIS_URL: want it without the quotes around it"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, m := range mistakesOf(t, tt.environ...) {
				got = append(got, m.Error())
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
