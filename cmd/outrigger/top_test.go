package main

import (
	"strings"
	"testing"
)

func TestTop_ShowsARealProcess(t *testing.T) {
	p := startProcess(t)
	got := runWith(t, []string{"top", "-once"}, []string{"OUTRIGGER_ADMIN_LISTEN=" + p.admin})
	for _, part := range []string{"Outrigger at " + p.admin, "OK       ready; no request has come yet", "requests 0, in flight 0", "store memory answers", "breaker closed"} {
		if !strings.Contains(got.Stdout, part) {
			t.Errorf("%q is not in the frame: %+v", part, got)
		}
	}
	if got.Code != exitOK || got.Stderr != "" {
		t.Errorf("got %+v", got)
	}
}

func TestTop_RefusesWhatItDoesNotKnow(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want outcome
	}{
		"an argument":   {[]string{"top", "x"}, outcome{2, "", "outrigger top: unexpected argument \"x\"\n"}},
		"a flag":        {[]string{"top", "-x"}, outcome{2, "", "outrigger top: flag provided but not defined: -x\n"}},
		"no listener":   {[]string{"top"}, outcome{1, "", "outrigger: OUTRIGGER_ADMIN_LISTEN is off: there is no listener to ask\n"}},
		"how it is run": {[]string{"top", "-h"}, outcome{0, "Usage: outrigger top [-once]\n\nShows the state of the process that runs with the same environment, each second.\n", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := runWith(t, tt.args, []string{"OUTRIGGER_ADMIN_LISTEN=off"}); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
