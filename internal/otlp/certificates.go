package otlp

import (
	"crypto/tls"
	"crypto/x509"
	"os"
)

// tls returns whom the exporter trusts and as whom it comes, from the files that the
// variables name; nil for Go's own choice.
func (e *environment) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	roots, rootsName := e.exporter("CERTIFICATE")
	if roots != "" {
		pem, err := os.ReadFile(roots)
		pool := x509.NewCertPool()
		if err != nil || !pool.AppendCertsFromPEM(pem) {
			e.mistake(rootsName, "no certificates can be read from the file")
		} else {
			c.RootCAs = pool
		}
	}
	certificate, name := e.exporter("CLIENT_CERTIFICATE")
	key, keyName := e.exporter("CLIENT_KEY")
	switch {
	case certificate == "" && key == "":
	case certificate == "" || key == "":
		e.mistake(name, "of no use without %s, and the other way round", keyName)
	default:
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			e.mistake(name, "no certificate and key that fit can be read from the files")
		} else {
			c.Certificates = []tls.Certificate{pair}
		}
	}
	return c
}
