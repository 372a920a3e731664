package main

import (
	"strings"
	"testing"
)

// An upstream that is the traffic or the admin listener itself stops the real program.
func TestAProxyToItselfDoesNotStart(t *testing.T) {
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "0.0.0.0"} {
		for port, name := range map[string]string{"8383": "OUTRIGGER_LISTEN,", "8384": "OUTRIGGER_ADMIN_LISTEN\n"} {
			for _, command := range []string{"check", "serve"} {
				code, got := runReal(t, command, "OUTRIGGER_UPSTREAMS=a=http://"+host+":"+port+"/v1")
				if code != exitUsage || !strings.Contains(got, "OUTRIGGER_UPSTREAMS=\"a=…\": want the API's own URL: this one is "+name) {
					t.Errorf("%s with %s:%s: exit code %d\n%s", command, host, port, code, got)
				}
			}
		}
	}
}
