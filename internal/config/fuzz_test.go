package config

import (
	"errors"
	"strings"
	"testing"
)

// FuzzConfig holds Load to what must be true of any environment: no panic; what is
// refused is refused with Mistakes; what is accepted can be shown; and no secret
// is in either.
func FuzzConfig(f *testing.F) {
	for _, seed := range []string{
		"OUTRIGGER_TIMEOUT=5", "OUTRIGGER_LISTN=x", "OUTRIGGER_UPSTREAMS=a=https://a.example,b=b", "OUTRIGGER_UPSTREAM_OPENAI_QUERY=a=SECRET",
		"OUTRIGGER_CLIENT_TOKENS=SECRET,,", "OUTRIGGER_UPSTREAM_OPENAI_API_KEY=SECRET\n\x00", "OUTRIGGER_UPSTREAM_OPENAI_HEADERS=X Y=SECRET",
		"OUTRIGGER_LISTEN=:8383\x1eOUTRIGGER_UPSTREAM_OPENAI_API_KEY=SECRET", "OUTRIGGER_UPSTREAMS=a=https://u:SECRET@h\x1eOUTRIGGER_UPSTREAM_A_RPM=-1",
		"OUTRIGGER_ADMIN_LISTEN=off\x1eOUTRIGGER_LEARN=no\x1eOUTRIGGER_RETRY_BUDGET=NaN", "OUTRIGGER_BODY_MAX=99999999999TiB", "OUTRIGGER_=\x1e=\x1eOUTRIGGER__X=",
		"OUTRIGGER_PORT_1_TCP=x", "OUTRIGGER_ALLOWED_ORIGINS=https://[::1%25x]:1,null", "OUTRIGGER_UPSTREAMS=a=http://[::1]:1/%2f?#",
	} {
		f.Add(seed)
	}
	const secret = "hunter2-Zq81"
	harmless := map[string]bool{} // variables whose text may be shown
	for _, v := range everyVariable() {
		name := strings.Replace(v.Name, "_NAME_", "_OPENAI_", 1)
		harmless[name] = !v.hidden()
		f.Add(name + "=SECRET")
	}
	f.Fuzz(func(t *testing.T, text string) {
		// Entries are separated by a character that is in no real value. SECRET becomes
		// the secret in what may never be shown: secrets, and what nothing reads.
		var environ []string
		for entry := range strings.SplitSeq(text, "\x1e") {
			name, value, _ := strings.Cut(entry, "=")
			if strings.HasSuffix(name, "_DIR") || strings.HasSuffix(name, fileSuffix) {
				continue // no random paths
			}
			if !harmless[name] {
				value = strings.ReplaceAll(value, "SECRET", secret)
			}
			environ = append(environ, name+"="+value)
		}
		s, err := Load(environ)
		if err != nil {
			var m Mistake
			if !errors.As(err, &m) {
				t.Fatalf("%q: %T is no mistake", environ, err)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\x1b") {
				t.Fatalf("%q: %v", environ, err)
			}
			return
		}
		for _, r := range s.Variables {
			if strings.Contains(r.Value, secret) {
				t.Fatalf("%q shows %+v", environ, r)
			}
		}
		if len(s.Upstreams) == 0 || s.Upstreams[0].URL == nil || s.Listen == "" {
			t.Fatalf("%q gives %+v", environ, s.Settings)
		}
		if again, err := Load(environ); err != nil || len(again.Variables) != len(s.Variables) {
			t.Fatalf("%q: at a second time %v", environ, err)
		}
	})
}
