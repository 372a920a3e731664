package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"outrigger/test/process"
	"outrigger/test/redisserver"
)

// certificates are files of an authority and of a certificate for redis.internal.
type certificates struct{ ca, cert, key string }

func newCertificates(t *testing.T) certificates {
	t.Helper()
	directory := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	// One certificate is authority, server and client.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "redis.internal"}, DNSNames: []string{"redis.internal"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	files := certificates{
		ca: filepath.Join(directory, "ca.pem"), cert: filepath.Join(directory, "cert.pem"), key: filepath.Join(directory, "key.pem"),
	}
	for path, block := range map[string]*pem.Block{
		files.ca: {Type: "CERTIFICATE", Bytes: cert}, files.cert: {Type: "CERTIFICATE", Bytes: cert}, files.key: {Type: "PRIVATE KEY", Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestCheck_SpeaksTLS(t *testing.T) {
	onEveryKind(t, func(t *testing.T, kind redisserver.Kind) {
		files := newCertificates(t)
		address := process.FreeAddress(t)
		_, port, _ := net.SplitHostPort(address)
		plain := redisserver.StartKind(t, kind, "--tls-port", port, "--tls-cert-file", files.cert, "--tls-key-file", files.key,
			"--tls-ca-cert-file", files.ca, "--tls-auth-clients", "optional", "--requirepass", "s3cret")
		base := "rediss://:s3cret@" + address
		trusting := base + "?ca=" + files.ca
		if err := check(t, trusting+"&server_name=redis.internal"); err != nil {
			t.Errorf("with the authority and the name: %v", err)
		}
		expect(t, check(t, trusting), TLS, "server_name")
		expect(t, check(t, base+"?server_name=redis.internal"), TLS, "ca")
		expect(t, check(t, "rediss://:s3cret@"+plain.Addr+"?ca="+files.ca), Slow, "does that port speak TLS?")
		expect(t, check(t, "redis://:s3cret@"+address), Other, "if it wants TLS")

		admin := "rediss://:s3cret@" + address + "?server_name=redis.internal&ca=" + files.ca
		_, client := open(t, admin)
		if err := client.ConfigSet(t.Context(), "tls-auth-clients", "yes").Err(); err != nil {
			t.Fatal(err)
		}
		// With TLS 1.3 the server says so after the handshake, and closes: what is seen first is
		// a matter of luck.
		if reason := ReasonOf(check(t, admin)); reason != TLS && reason != Unreachable {
			t.Errorf("without a client certificate: %q", reason)
		}
		if err := check(t, admin+"&cert="+files.cert+"&key="+files.key); err != nil {
			t.Errorf("with a client certificate: %v", err)
		}
	})
}
