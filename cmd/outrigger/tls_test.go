package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outrigger/proxy/authority"
)

// givenPair writes a certificate for localhost and its key, and returns their paths
// and what trusts it.
func givenPair(t *testing.T) (string, string, *x509.CertPool) {
	t.Helper()
	directory := t.TempDir()
	a, err := authority.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Leaf("localhost", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	cert, key := writePair(t, leaf)
	return cert, key, trusting(t, authority.File(directory))
}

// trusting returns a pool of the certificates in file alone.
func trusting(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		t.Fatalf("no certificate in %s", file)
	}
	return pool
}

// secureGet asks over a connection of its own, with TLS, in the version of HTTP
// that set picks.
func secureGet(t *testing.T, url string, pool *x509.CertPool, set func(*http.Protocols, bool)) (string, string, error) {
	t.Helper()
	transport := &http.Transport{Protocols: &http.Protocols{}, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool}}
	set(transport.Protocols, true)
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: patience}).Get(url)
	if err != nil {
		return "", "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.Proto, string(body), err
}

func TestAGivenCertificateIsServedBesideCleartext(t *testing.T) {
	cert, key, pool := givenPair(t)
	upstream, _ := newStreams(t)
	home := t.TempDir()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "OUTRIGGER_TLS_CERT_FILE="+cert, "OUTRIGGER_TLS_KEY_FILE="+key, "HOME="+home)
	for want, set := range map[string]func(*http.Protocols, bool){"HTTP/1.1": http1, "HTTP/2.0": (*http.Protocols).SetHTTP2} {
		if proto, body, err := secureGet(t, "https://"+p.traffic+"/v1/models", pool, set); proto != want || body != "upstream says hello" {
			t.Errorf("%s: got %s %q, %v", want, proto, body, err)
		}
	}
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 || body != "upstream says hello" {
		t.Errorf("in cleartext: %d %s", code, body)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("an authority was made: %v, %v", left, err)
	}
}

func TestOldVersionsOfTLSAreRefused(t *testing.T) {
	cert, key, pool := givenPair(t)
	p := startProcess(t, "OUTRIGGER_TLS_CERT_FILE="+cert, "OUTRIGGER_TLS_KEY_FILE="+key)
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", p.traffic, &tls.Config{RootCAs: pool, MinVersion: version, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

func TestALoopbackListenerMakesAnAuthorityOnlyWhenACallerSpeaksTLS(t *testing.T) {
	upstream, _ := newStreams(t)
	home := t.TempDir()
	p := startProcess(t, "OUTRIGGER_UPSTREAMS=test="+upstream, "HOME="+home)
	if code, body := get(t, "http://"+p.traffic+"/v1/models"); code != 200 {
		t.Errorf("%d %s", code, body)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("made without need: %v, %v", left, err)
	}
	url := "https://" + p.traffic + "/v1/models"
	unknown := x509.UnknownAuthorityError{}
	if _, _, err := secureGet(t, url, x509.NewCertPool(), http1); !errors.As(err, &unknown) {
		t.Errorf("a caller that does not trust it: %v", err)
	}
	file := filepath.Join(home, ".config/outrigger/ca.pem")
	if line := p.awaitLog("local certificate authority made: have the apps trust it"); line["file"] != file {
		t.Errorf("the log says %v, want %s", line, file)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		url := strings.Replace(url, "127.0.0.1", host, 1)
		if _, body, err := secureGet(t, url, trusting(t, file), (*http.Protocols).SetHTTP2); body != "upstream says hello" {
			t.Errorf("%s: %q, %v", host, body, err)
		}
	}
}

func TestADirectoryForTheAuthorityIsFilledAtTheStart(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "ca")
	for _, want := range []string{"local certificate authority made: have the apps trust it", "local certificate authority found"} {
		p := startProcess(t, "OUTRIGGER_CA_DIR="+directory)
		if !strings.Contains(p.output(), want) {
			t.Errorf("the log lacks %q:\n%s", want, p.output())
		}
		trusting(t, authority.File(directory))
	}
	if err := os.Chmod(filepath.Join(directory, "private/ca-key.pem"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := runWith(t, nil, []string{"OUTRIGGER_CA_DIR=" + directory, "OUTRIGGER_LISTEN=127.0.0.1:0", "OUTRIGGER_ADMIN_LISTEN=off"})
	if got.Code != 1 || !strings.Contains(got.Stderr, "ca-key.pem must be its owner's alone") {
		t.Errorf("with a key that others can read: %+v", got)
	}
}

// A pod without a writable file, or a machine without a home, must still serve.
func TestWithoutAPlaceForTheAuthorityCleartextIsServed(t *testing.T) {
	upstream, _ := newStreams(t)
	home := t.TempDir()
	for name, environ := range map[string][]string{
		"a home that cannot be written to": {"HOME=/proc"},
		"no home":                          nil,
		"all addresses, no certificate":    {"OUTRIGGER_LISTEN=0.0.0.0:0", "HOME=" + home},
	} {
		t.Run(name, func(t *testing.T) {
			p := startProcess(t, append(environ, "OUTRIGGER_UPSTREAMS=test="+upstream)...)
			address := strings.Replace(p.traffic, "[::]", "127.0.0.1", 1)
			for range 2 {
				if _, _, err := secureGet(t, "https://"+address, nil, http1); err == nil {
					t.Error("a handshake succeeded without a certificate")
				}
			}
			if code, body := get(t, "http://"+address+"/v1/models"); code != 200 || body != "upstream says hello" {
				t.Errorf("in cleartext: %d %s", code, body)
			}
			if n := strings.Count(p.output(), `"level":"WARN"`); n > 1 {
				t.Errorf("%d warnings, want at most one:\n%s", n, p.output())
			}
			if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
				t.Errorf("an authority was made for a listener that is open to others: %v, %v", left, err)
			}
		})
	}
}

func TestCheckTellsWhereTheAuthorityIs(t *testing.T) {
	home, made := t.TempDir(), t.TempDir()
	if _, err := authority.Open(made); err != nil {
		t.Fatal(err)
	}
	cert, key, _ := givenPair(t)
	for name, tt := range map[string]struct {
		environ []string
		want    string
	}{
		"the default":        {[]string{"HOME=" + home}, home + "/.config/outrigger/ca.pem made on first need"},
		"by XDG":             {[]string{"HOME=/x", "XDG_CONFIG_HOME=" + home}, home + "/outrigger/ca.pem made on first need"},
		"set":                {[]string{"OUTRIGGER_CA_DIR=" + home, "HOME=/x"}, home + "/ca.pem made at the start"},
		"for interception":   {[]string{"HOME=" + home, "OUTRIGGER_INTERCEPT=on"}, home + "/.config/outrigger/ca.pem made at the start"},
		"there":              {[]string{"OUTRIGGER_CA_DIR=" + made}, made + "/ca.pem made before"},
		"no home":            {nil, ""},
		"a given one":        {[]string{"HOME=" + home, "OUTRIGGER_TLS_CERT_FILE=" + cert, "OUTRIGGER_TLS_KEY_FILE=" + key}, ""},
		"a listener for all": {[]string{"HOME=" + home, "OUTRIGGER_LISTEN=:8383"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out := runWith(t, []string{"check"}, tt.environ)
			_, after, found := strings.Cut(out.Stdout, "local CA's certificate")
			line, _, _ := strings.Cut(after, "\n")
			if got := strings.Join(strings.Fields(line), " "); got != tt.want || found != (tt.want != "") {
				t.Errorf("got %q, want %q\n%s%s", got, tt.want, out.Stdout, out.Stderr)
			}
		})
	}
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("check made something: %v, %v", left, err)
	}
}
