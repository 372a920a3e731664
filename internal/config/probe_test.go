package config

import "testing"

func TestSemicolonsThatMayBeMeantAreWarnedOf(t *testing.T) {
	for entry, want := range map[string]bool{
		"CLIENT_TOKENS=one;two": true, "UPSTREAM_OPENAI_HEADERS=X-A=1;X-B=2": true, "UPSTREAM_OPENAI_QUERY=a=1;b=2": true,
		"CLIENT_TOKENS=one,two": false, "UPSTREAM_OPENAI_HEADERS=Accept=text/html;q=0.9,X-B=1": false,
		"UPSTREAM_OPENAI_HEADERS=Cookie=a=b; my-id=c": false, "UPSTREAM_OPENAI_QUERY=a=1;": false, "SPOOL_MAX=1GiB": false,
	} {
		l := read([]string{Prefix + entry})
		l.warnOfDoubts()
		if len(l.found.all) > 0 || (len(l.Warnings) > 0) != want {
			t.Errorf("%s: warnings %q, mistakes %v", entry, l.Warnings, l.found.all)
		}
	}
}
