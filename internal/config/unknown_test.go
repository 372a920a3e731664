package config

import (
	"reflect"
	"testing"
)

func TestNamesThatOnlyResembleServiceLinksAreUnknown(t *testing.T) {
	for _, name := range []string{
		"OUTRIGGER_PORTS", "OUTRIGGER_PORT_X_TCP", "OUTRIGGER_PORT_8383", "OUTRIGGER_PORT_8383_TCP_HOST", "OUTRIGGER_SERVICE", "OUTRIGGER_SERVICE_NAME",
		"OUTRIGGER_service_host", "OUTRIGGER__TCP", "OUTRIGGERS_PORT_8383_TCP_X", "OUTRIGGER_SERVICE_PORTX",
	} {
		l := read([]string{name + "=tcp://10.0.0.1:8383"})
		if known := name == "OUTRIGGERS_PORT_8383_TCP_X"; (len(l.found.all) == 0) != known || l.Ignored != nil {
			t.Errorf("%s: %v, ignored %q", name, l.found.all, l.Ignored)
		}
	}
}

func TestUpstreamOfAVariableIsTold(t *testing.T) {
	s, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{
		"OUTRIGGER_UPSTREAM_AZURE_API_KEY", "OUTRIGGER_UPSTREAM_OPENAI_API_KEY", "OUTRIGGER_UPSTREAM_OPENAI_NONSENSE", "OUTRIGGER_UPSTREAM_API_KEY",
		"OUTRIGGER_UPSTREAM_1A_RPM", "OUTRIGGER_UPSTREAM_OPENAI", "OUTRIGGER_UPSTREAMS", "OUTRIGGER_UPSTREAM__RPM", "OUTRIGGER_RPM",
	} {
		if u := foreignUpstream(name, s.Upstreams); u != "" {
			got[name] = u
		}
	}
	want := map[string]string{"OUTRIGGER_UPSTREAM_AZURE_API_KEY": "azure", "OUTRIGGER_UPSTREAM_API_KEY": "api"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
