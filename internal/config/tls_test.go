package config

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"outrigger/proxy/authority"
)

func TestInterceptionIsForLoopbackListenersOnly(t *testing.T) {
	want := []Mistake{{
		"OUTRIGGER_INTERCEPT", "on", "want off: OUTRIGGER_LISTEN, which is :8383, is not a loopback address, and whoever reaches it could use it as a proxy",
	}}
	if got := mistakesOf(t, "OUTRIGGER_INTERCEPT=on", "OUTRIGGER_LISTEN=:8383"); len(got) != 1 || got[0] != want[0] {
		t.Errorf("got %+v", got)
	}
}

func TestTheAuthoritysDirectoryIsAbsolute(t *testing.T) {
	want := []Mistake{{"OUTRIGGER_CA_DIR", "ca", "want an absolute path"}}
	if got := mistakesOf(t, "OUTRIGGER_CA_DIR=ca"); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestFilesThatAreNoCertificateAreMistakes(t *testing.T) {
	cert, key := writePair(t)
	otherCert, otherKey := writePair(t)
	const variable, ofKey = "OUTRIGGER_TLS_CERT_FILE", "OUTRIGGER_TLS_KEY_FILE"
	const wanted = "want a certificate and, in OUTRIGGER_TLS_KEY_FILE, its key: "
	for name, tt := range map[string]struct {
		cert, key string
		want      Mistake
	}{
		"no key":             {cert, "", Mistake{ofKey, "", "want the key of OUTRIGGER_TLS_CERT_FILE, which is set"}},
		"no certificate":     {"", key, Mistake{variable, "", "want the certificate of OUTRIGGER_TLS_KEY_FILE, which is set"}},
		"not there":          {"/nowhere", key, Mistake{variable, "/nowhere", wanted + "/nowhere: no such file or directory"}},
		"key not there":      {cert, "/nowhere", Mistake{variable, cert, wanted + "/nowhere: no such file or directory"}},
		"another one's key":  {cert, otherKey, Mistake{variable, cert, wanted + "tls: private key does not match public key"}},
		"one for the other":  {key, cert, Mistake{variable, key, wanted + "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched"}},
		"a directory":        {"/", key, Mistake{variable, "/", wanted + "/: not a regular file of at most 1 MiB"}},
		"and one that is ok": {otherCert, otherKey, Mistake{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := mistakesOf(t, variable+"="+tt.cert, ofKey+"="+tt.key)
			switch {
			case tt.want == (Mistake{}) && len(got) == 0:
			case len(got) != 1 || got[0] != tt.want:
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// writePair writes a certificate for localhost and its key in PEM, and returns their paths.
func writePair(t *testing.T) (string, string) {
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
	secret, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key := filepath.Join(directory, "tls.crt"), filepath.Join(directory, "tls.key")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]},
		key:  {Type: "PRIVATE KEY", Bytes: secret},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}
