package authority

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"net"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// open opens the authority in directory.
func open(t *testing.T, directory string, names ...string) *Authority {
	t.Helper()
	a, err := Open(directory, names...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// trusting is a pool of the authority alone.
func (a *Authority) trusting() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

func (a *Authority) accepts(leaf *x509.Certificate, name string) error {
	_, err := leaf.Verify(x509.VerifyOptions{Roots: a.trusting(), DNSName: name, CurrentTime: time.Now()})
	return err
}

func TestTheAuthorityCanDoNoMoreThanItMust(t *testing.T) {
	cert := open(t, t.TempDir(), "API.openai.com.", "10.0.0.7", "fd00::7", "[::1]", "my_vllm").cert
	type powers struct {
		CA, NoOthersBelow, Critical bool
		Usage                       x509.KeyUsage
		Extended                    []x509.ExtKeyUsage
		DNS                         []string
		IP                          []string
	}
	got := powers{
		cert.IsCA && cert.BasicConstraintsValid, cert.MaxPathLenZero, cert.PermittedDNSDomainsCritical,
		cert.KeyUsage, cert.ExtKeyUsage, cert.PermittedDNSDomains, nil,
	}
	for _, network := range cert.PermittedIPRanges {
		got.IP = append(got.IP, network.String())
	}
	want := powers{
		true, true, true, x509.KeyUsageCertSign,
		[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		[]string{"api.openai.com", "localhost", "my_vllm"},
		[]string{"10.0.0.7/32", "127.0.0.1/32", "::1/128", "fd00::7/128"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if life := cert.NotAfter.Sub(cert.NotBefore); life != 365*24*time.Hour+time.Hour {
		t.Errorf("it lives for %v", life)
	}
}

func TestLeavesAreAcceptedForTheirNamesAndNoOthers(t *testing.T) {
	a := open(t, t.TempDir(), "api.openai.com", "10.0.0.7")
	for _, tt := range []struct{ names, others []string }{
		{[]string{"api.openai.com"}, []string{"localhost", "openai.com", "x.api.openai.com", "127.0.0.1"}},
		{[]string{"10.0.0.7"}, []string{"10.0.0.8", "localhost"}},
		{[]string{"localhost", "127.0.0.1", "::1"}, []string{"api.openai.com", "127.0.0.2"}},
	} {
		leaf, err := a.Leaf(tt.names...)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range tt.names {
			if err := a.accepts(leaf.Leaf, name); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, name := range tt.others {
			if a.accepts(leaf.Leaf, name) == nil {
				t.Errorf("the leaf of %q passes for %s", tt.names, name)
			}
		}
	}
}

func TestNoLeafIsSignedForAHostThatIsNotPermitted(t *testing.T) {
	a := open(t, t.TempDir(), "api.openai.com", "10.0.0.7")
	for _, name := range []string{"", "example.com", "openai.com", "x.api.openai.com", "api.openai.com.evil.example", "10.0.0.8", "127.0.0.2", "*"} {
		if _, err := a.Leaf("localhost", name); !errors.Is(err, ErrNames) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// What the key can sign all the same, by whoever gets hold of it, clients refuse.
func TestClientsRefuseWhatTheKeySignsForOthers(t *testing.T) {
	a := open(t, t.TempDir(), "api.openai.com")
	for _, name := range []string{"example.com", "openai.com", "10.0.0.7"} {
		leaf, err := a.sign([]string{name}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		invalid := x509.CertificateInvalidError{}
		if err := a.accepts(leaf.Leaf, name); !errors.As(err, &invalid) || invalid.Reason != x509.CANotAuthorizedForThisName {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALeafIsKeptUntilHalfOfItsLifeIsOver(t *testing.T) {
	directory := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := open(t, directory, "api.openai.com")
		leaf := func() *tls.Certificate {
			t.Helper()
			c, err := a.Leaf("api.openai.com")
			if err != nil {
				t.Fatal(err)
			}
			if err := a.accepts(c.Leaf, "api.openai.com"); err != nil {
				t.Error(err)
			}
			return c
		}
		first := leaf()
		if life := time.Until(first.Leaf.NotAfter); life != 24*time.Hour {
			t.Errorf("it lives for %v", life)
		}
		time.Sleep(12*time.Hour - time.Second)
		if leaf() != first {
			t.Error("renewed early")
		}
		time.Sleep(time.Second)
		if leaf() == first {
			t.Error("not renewed")
		}
		time.Sleep(time.Until(a.Until()) - time.Hour)
		last := leaf()
		if !last.Leaf.NotAfter.Equal(a.Until()) || leaf() != last {
			t.Errorf("the last one ends on %v, the authority on %v", last.Leaf.NotAfter, a.Until())
		}
		time.Sleep(time.Hour)
		if _, err := a.Leaf("api.openai.com"); err == nil {
			t.Error("signed after its end")
		}
	})
}

func TestAHandshakeWithALeafSucceeds(t *testing.T) {
	a := open(t, t.TempDir(), "api.openai.com")
	ours, theirs := net.Pipe()
	server := tls.Server(theirs, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return a.Leaf(hello.ServerName) }})
	client := tls.Client(ours, &tls.Config{RootCAs: a.trusting(), ServerName: "api.openai.com"})
	go func() {
		_, _ = io.WriteString(server, "hello")
		_ = server.Close()
	}()
	if text, err := io.ReadAll(client); string(text) != "hello" || err != nil {
		t.Errorf("read %q, %v", text, err)
	}
}

func TestTwoAuthoritiesAreTwo(t *testing.T) {
	one, two := open(t, t.TempDir()), open(t, t.TempDir())
	name := func(n pkix.Name) string { return n.String() }
	if name(one.cert.Subject) == name(two.cert.Subject) || one.key.Equal(two.key) || slices.Equal(one.cert.SubjectKeyId, two.cert.SubjectKeyId) {
		t.Errorf("both are %v", one.cert.Subject)
	}
}
