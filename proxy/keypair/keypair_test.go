package keypair

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// write puts a new pair with that serial number into the two files, in the way of
// Kubernetes: the new files are others, put in place at once.
func write(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"localhost"}, NotAfter: time.Unix(4e9, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	put(t, cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), serial)
	put(t, key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), serial)
}

// put gives each content a time of its own: tests are faster than file systems' clocks.
func put(t *testing.T, path string, content []byte, serial int64) {
	t.Helper()
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path+".new", time.Time{}, time.Unix(serial, 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func paths(t *testing.T) (string, string) {
	directory := t.TempDir()
	return filepath.Join(directory, "tls.crt"), filepath.Join(directory, "tls.key")
}

func TestARenewedCertificateIsUsedWithinTenSeconds(t *testing.T) {
	cert, key := paths(t)
	write(t, cert, key, 1)
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f, err := Load(cert, key, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		now := func() int64 { return f.Certificate().Leaf.SerialNumber.Int64() }
		write(t, cert, key, 2)
		time.Sleep(recheck - time.Second)
		if got := now(); got != 1 {
			t.Errorf("number %d before it was time to look", got)
		}
		time.Sleep(time.Second)
		if got := now(); got != 2 {
			t.Errorf("number %d after the renewal", got)
		}
		put(t, key, []byte("half of a k"), 3)
		time.Sleep(recheck)
		if got := now(); got != 2 || !strings.Contains(log.String(), "level=WARN") {
			t.Errorf("number %d with a broken key, log:\n%s", got, log.String())
		}
		_ = os.Remove(cert)
		time.Sleep(recheck)
		if got := now(); got != 2 {
			t.Errorf("number %d without a file", got)
		}
		write(t, cert, key, 4)
		time.Sleep(recheck)
		if got := now(); got != 4 {
			t.Errorf("number %d once all is well again", got)
		}
		if strings.Contains(log.String(), "half of a k") {
			t.Errorf("the log quotes the key:\n%s", log.String())
		}
	})
}

func TestUnchangedFilesAreNotReadAgain(t *testing.T) {
	cert, key := paths(t)
	write(t, cert, key, 1)
	synctest.Test(t, func(t *testing.T) {
		f, err := Load(cert, key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		before := f.Certificate()
		time.Sleep(time.Hour)
		if f.Certificate() != before {
			t.Error("read again")
		}
	})
}

func TestFilesThatAreNoPairAreRefused(t *testing.T) {
	cert, key := paths(t)
	write(t, cert, key, 1)
	otherCert, otherKey := paths(t)
	write(t, otherCert, otherKey, 1)
	for name, pair := range map[string][2]string{
		"another one's key":         {cert, otherKey},
		"no such certificate":       {cert + "x", key},
		"no such key":               {cert, key + "x"},
		"a key for the certificate": {key, key},
		"a certificate for the key": {cert, cert},
		"a directory":               {filepath.Dir(cert), key},
		"without an end":            {"/dev/zero", "/dev/zero"},
	} {
		if _, err := Load(pair[0], pair[1], slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}
