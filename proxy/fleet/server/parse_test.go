package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse_ReadsEveryForm(t *testing.T) {
	type want struct {
		name, user, password, master string
		db                           int
		tls, cluster                 bool
	}
	for text, w := range map[string]want{
		"redis://localhost":                              {name: "redis://localhost:6379"},
		" redis://localhost:7000/3\n":                    {name: "redis://localhost:7000", db: 3},
		"REDIS://Host/":                                  {name: "redis://Host:6379"},
		"valkey://[::1]:7000":                            {name: "valkey://[::1]:7000"},
		"redis://[::1]":                                  {name: "redis://[::1]:6379"},
		"rediss://user:p%40s%2Fs%25@example:6380":        {name: "rediss://example:6380", user: "user", password: "p@s/s%", tls: true},
		"valkeys://:s3cret@example/0":                    {name: "valkeys://example:6379", password: "s3cret", tls: true},
		"redis://:a:b@c@example":                         {name: "redis://example:6379", password: "a:b@c"},
		"redis+sentinel://a,b:1/mymaster":                {name: "redis+sentinel://a:26379,b:1/mymaster", master: "mymaster"},
		"rediss+sentinel://u:p@a/my%20m/2":               {name: "rediss+sentinel://a:26379/my%20m", user: "u", password: "p", master: "my m", db: 2, tls: true},
		"redis+cluster://u:p@a,b:1,[::1]:2":              {name: "redis+cluster://a:6379,b:1,[::1]:2", user: "u", password: "p", cluster: true},
		"valkeys+cluster://a/0":                          {name: "valkeys+cluster://a:6379", tls: true, cluster: true},
		"rediss://a?server_name=redis.internal":          {name: "rediss://a:6379", tls: true},
		"redis+sentinel://a/m?sentinel_password=a%26b+c": {name: "redis+sentinel://a:26379/m", master: "m"},
	} {
		t.Run(text, func(t *testing.T) {
			s, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			o := s.options
			got := want{s.Name, o.Username, o.Password, o.MasterName, o.DB, o.TLSConfig != nil, s.cluster}
			if got != w {
				t.Errorf("got %+v, want %+v", got, w)
			}
			if s.URL.Reveal() != strings.TrimSpace(text) {
				t.Errorf("URL %q", s.URL.Reveal())
			}
		})
	}
	s, err := Parse("redis+sentinel://a/m?sentinel_user=x&sentinel_password=a%26b+c")
	if err != nil || s.options.SentinelUsername != "x" || s.options.SentinelPassword != "a&b+c" {
		t.Errorf("the sentinels' user and password: %+v, %v", s.options, err)
	}
	s, err = Parse("rediss://a?server_name=redis.internal")
	if err != nil || s.options.TLSConfig.ServerName != "redis.internal" {
		t.Errorf("the server's name: %v", err)
	}
}

func TestParse_SaysWhatToWriteInsteadAndQuotesNoPassword(t *testing.T) {
	for text, want := range map[string]string{
		"":                                         "want redis://host:6379",
		"s3cret":                                   "want redis://host:6379",
		"redis:s3cret@h":                           "want redis://host:6379",
		"http://:s3cret@h":                         "want redis:// or valkey://",
		"redis+tls://:s3cret@h":                    "want redis:// or valkey://",
		"redis+://h":                               "want redis:// or valkey://",
		"redis://":                                 "want a host",
		"redis://:s3cret@":                         "want a host",
		"redis://:s3cret@:6379":                    "want a host before each port",
		"redis+cluster://a,,b":                     "want a host before each port and between commas",
		"redis://:s3cret":                          "want a host before each port",
		"redis://user:s3cret":                      "want a port from 1 to 65535",
		"redis://:s3cret@h:0":                      "want a port from 1 to 65535",
		"redis://:s3cret@h:65536":                  "want a port from 1 to 65535",
		"redis://:s3cret@h:":                       "want a port from 1 to 65535",
		"redis://:s3cret@h:06379":                  "want a port from 1 to 65535",
		"redis://:s3cret@::1:6379":                 "an IPv6 address in brackets",
		"redis://:s3cret@[::1:6379":                "an IPv6 address in brackets",
		"redis://:s3cret@[h]:6379":                 "an IPv6 address in brackets",
		"redis://:s3cret@[::1]6379":                "an IPv6 address in brackets",
		"redis://:s3cret@ho st":                    "want a host of letters",
		"redis://s3cret@h":                         "write user:password@",
		"redis://user:@h":                          "write user:password@",
		"redis://:s3%cret@h":                       "% must be written as %25",
		"redis://:s3/cret@h":                       "must be written as %2F %3F %23 and %40",
		"redis://:s3?cret@h":                       "must be written as %2F %3F %23 and %40",
		"redis://:s3#cret@h":                       "must be written as %2F %3F %23 and %40",
		"redis://:s3@cret?more@h":                  "must be written as %2F %3F %23 and %40",
		"redis://h#s3cret":                         "must be written as %2F %3F %23 and %40",
		"redis://:s3cret@h/x":                      "want the number of a database",
		"redis://:s3cret@h/-1":                     "want the number of a database",
		"redis://:s3cret@h/01":                     "want the number of a database",
		"redis://:s3cret@h/1/2":                    "want the number of a database",
		"redis://a,b":                              "want one host; several are redis+sentinel",
		"redis+cluster://a/1":                      "a cluster has 0 alone",
		"redis+sentinel://a":                       "want the name of the master",
		"redis+sentinel://a/":                      "want the name of the master",
		"redis+sentinel://a/%zz":                   "want the name of the master",
		"redis+sentinel://a/m/x":                   "want the number of a database",
		"rediss://h?server_nam=x":                  "there is no option server_nam; the nearest is server_name",
		"rediss://h?servername=x":                  "the nearest is server_name",
		"rediss://h?zzzzzzzzzz=x":                  "there is no option zzzzzzzzzz; there are ca, cert,",
		"redis://h?S3cret=x":                       "an option that does not exist; there are ca, cert,",
		"redis://h?a=%zz":                          "with % written as %25",
		"rediss://h?server_name=":                  "want one value for the option server_name",
		"rediss://h?ca=/a&ca=/b":                   "want one value for the option ca",
		"redis://h?ca=/a":                          "are for TLS",
		"redis://h?sentinel_user=x":                "for redis+sentinel:// alone",
		"redis+sentinel://h/m?sentinel_user=x":     "wants sentinel_password",
		"rediss://h?ca=a.pem":                      "absolute path",
		"rediss://h?ca=/nowhere/ca.pem":            "no such file",
		"rediss://h?ca=/dev/null":                  "has no PEM certificate",
		"rediss://h?cert=/a":                       "want each other",
		"rediss://h?cert=a&key=/b":                 "want absolute paths",
		"rediss://h?cert=/dev/null&key=/nowhere/k": "no such file",

		"redis+cluster://" + strings.Repeat("h,", 64) + "h": "at most 64 hosts",
	} {
		t.Run(text, func(t *testing.T) {
			s, err := Parse(text)
			if !errors.Is(err, ErrURL) || !s.IsZero() || !s.URL.IsZero() {
				t.Fatalf("got %v, %v, want ErrURL", s, err)
			}
			if !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			for _, secret := range []string{"s3", "cret"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v tells a secret", err)
				}
			}
		})
	}
}

func TestServer_PrintsNoPassword(t *testing.T) {
	s, err := Parse("redis+sentinel://someone:s3cret@example/m?sentinel_password=s3cret")
	if err != nil {
		t.Fatal(err)
	}
	type holder struct{ inner Server }
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{
		string(text), fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%+v", &s), fmt.Sprintf("%#v", holder{s}), fmt.Sprintf("%v", holder{s}),
	} {
		if strings.Contains(shown, "s3cret") || strings.Contains(shown, "someone") {
			t.Errorf("%s tells a secret", shown)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("redis://user:s3cret@host:6379/1")
	f.Add("rediss+sentinel://:p@a,b/m?sentinel_password=x")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if (err == nil) == s.IsZero() {
			t.Fatalf("%q: %v, %v", text, s, err)
		}
		if err != nil && !errors.Is(err, ErrURL) {
			t.Fatalf("%q: %v", text, err)
		}
	})
}
