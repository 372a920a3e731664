package sdk

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"outrigger/proxy/authority"
)

// internet is what lies beyond a machine whose only way out is a proxy: servers
// with TLS, by their real names, whose certificates are of an authority that the
// machine trusts. It serves on loopback alone.
type internet struct {
	proxy string // the way out, for HTTPS_PROXY
	roots string // file of the authority that is trusted, for SSL_CERT_FILE
	trust *authority.Authority
	hosts map[string]string // address on loopback by host:port
}

// newInternet has api.openai.com be the simulated upstream at address, and
// other.example a server that says its name and no more.
func newInternet(t *testing.T, address string) *internet {
	t.Helper()
	directory := t.TempDir()
	trust, err := authority.Open(directory, "api.openai.com", "other.example")
	if err != nil {
		t.Fatal(err)
	}
	n := &internet{roots: authority.File(directory), trust: trust}
	n.hosts = map[string]string{
		"api.openai.com:443": n.serve(t, "api.openai.com", func(c net.Conn) { pipe(c, address) }),
		"other.example:443":  n.serve(t, "other.example", sayName),
	}
	out := listen(t, func(c net.Conn) { n.lead(c) })
	n.proxy = "http://" + out
	return n
}

// sayName answers one request.
func sayName(c net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nother.example")
	}
}

// serve runs answer on each connection to a server with a certificate for name.
func (n *internet) serve(t *testing.T, name string, answer func(net.Conn)) string {
	t.Helper()
	leaf, err := n.trust.Leaf(name)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: []string{"http/1.1"}}
	return listen(t, func(c net.Conn) {
		secure := tls.Server(c, config)
		answer(secure)
		_ = secure.Close()
	})
}

// lead answers one CONNECT.
func (n *internet) lead(c net.Conn) {
	head := make([]byte, 0, 4096)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		next := make([]byte, 1)
		if _, err := io.ReadFull(c, next); err != nil {
			return
		}
		head = append(head, next...)
	}
	words := strings.Fields(string(head))
	address := n.hosts[words[1]]
	if words[0] != http.MethodConnect || address == "" {
		_, _ = io.WriteString(c, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
	pipe(c, address)
}

// pipe passes bytes between c and address, and ends both as soon as one ends: what
// the simulator breaks off is broken off here.
func pipe(c net.Conn, address string) {
	far, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{far, c}, {c, far}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
	_ = far.Close()
	if secure, ok := c.(*tls.Conn); ok {
		_ = secure.NetConn().Close() // without a word: the end of TLS is not that of the answer
	}
	_ = c.Close()
	<-done
}

// listen runs answer on each connection to an address of its own, which it returns.
func listen(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				answer(c)
				_ = c.Close()
			}()
		}
	}()
	return listener.Addr().String()
}

// bundle writes the certificates of several files into one, and returns its path.
func bundle(t *testing.T, files ...string) string {
	t.Helper()
	var all []byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	path := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
