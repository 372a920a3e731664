package config

import "testing"

func TestAddressesAreHostAndNumericPort(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:8383": true, ":0": true, ":65535": true, "[::]:1": true, "[fe80::1%eth0]:1": true, "localhost:1": true, "a-b.c_d.example.:1": true,
		"": false, ":": false, "8383": false, "127.0.0.1": false, "::1:8383": false, ":-1": false, ":+1": false, ":65536": false, ":http": false, "a b:1": false,
		"-a:1": false, "a-:1": false, "a..b:1": false, ".:1": false, "ä:1": false, "a/b:1": false, "u@h:1": false, "[h]:1": true,
	} {
		if got := isAddress(address); got != want {
			t.Errorf("isAddress(%q) = %v", address, got)
		}
	}
}

func TestListenersOverlapOnTheSamePort(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"127.0.0.1:1", "127.0.0.1:1"}:        true,
		{"127.0.0.1:1", "127.0.0.1:01"}:       true,
		{"127.0.0.1:1", "LOCALHOST:1"}:        true,
		{"127.0.0.1:1", ":1"}:                 true,
		{"127.0.0.1:1", "0.0.0.0:1"}:          true,
		{"10.0.0.1:1", "[::]:1"}:              true,
		{"[::ffff:10.0.0.1]:1", "10.0.0.1:1"}: true,
		{"A.example:1", "a.example:1"}:        true,
		{"127.0.0.1:1", "127.0.0.1:2"}:        false,
		{"127.0.0.1:0", "127.0.0.1:0"}:        false,
		{"127.0.0.1:1", "127.0.0.2:1"}:        false,
		{"127.0.0.1:1", "[::1]:1"}:            false,
		{"127.0.0.1:1", ""}:                   false,
	} {
		if overlap(pair[0], pair[1]) != want || overlap(pair[1], pair[0]) != want {
			t.Errorf("%q and %q: want overlap %v", pair[0], pair[1], want)
		}
	}
}

func TestOnlyLoopbackAddressesAreLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1:1": true, "127.255.0.3:1": true, "[::1]:1": true, "[::ffff:127.0.0.1]:1": true, "localhost:1": true, "LocalHost:1": true,
		":1": false, "0.0.0.0:1": false, "[::]:1": false, "10.0.0.1:1": false, "localhost.example:1": false, "app:1": false, "": false,
	} {
		if got := IsLoopback(address); got != want {
			t.Errorf("IsLoopback(%q) = %v", address, got)
		}
	}
}

func TestAdminAddress_IsWhereTheListenerCanBeReached(t *testing.T) {
	for environ, want := range map[string]string{
		"":                                       "127.0.0.1:8384",
		"OUTRIGGER_ADMIN_LISTEN=":                "127.0.0.1:8384",
		"OUTRIGGER_ADMIN_LISTEN=:9000":           "127.0.0.1:9000",
		"OUTRIGGER_ADMIN_LISTEN=0.0.0.0:9000":    "127.0.0.1:9000",
		"OUTRIGGER_ADMIN_LISTEN=[::]:9000":       "[::1]:9000",
		"OUTRIGGER_ADMIN_LISTEN=10.0.0.7:9000":   "10.0.0.7:9000",
		"OUTRIGGER_ADMIN_LISTEN=[fd00::7]:9000":  "[fd00::7]:9000",
		"OUTRIGGER_ADMIN_LISTEN=localhost:9000":  "localhost:9000",
		"OUTRIGGER_TIMEOUT=what is wrong beside": "127.0.0.1:8384",
	} {
		if got, err := AdminAddress([]string{environ}); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", environ, got, err, want)
		}
	}
}
