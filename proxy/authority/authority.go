package authority

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// ErrNames is in the error about a host that the authority may not vouch for.
var ErrNames = errors.New("the certificate authority was not made for this host")

// Authority signs certificates for the hosts that it was made for. Make it with
// Open. It is safe for concurrent use.
type Authority struct {
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
	made      bool
	permitted map[string]bool // canonical names, as the certificate has them

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by their names
}

func newAuthority(cert *x509.Certificate, key *ecdsa.PrivateKey, made bool) *Authority {
	return &Authority{cert: cert, key: key, made: made, permitted: permittedBy(cert), leaves: map[string]*tls.Certificate{}}
}

// Made reports whether Open made it, or made it anew: nobody trusts it yet.
func (a *Authority) Made() bool { return a.made }

// Is reports whether another one has the same certificate.
func (a *Authority) Is(other *Authority) bool { return a.cert.Equal(other.cert) }

// Until is when it ends.
func (a *Authority) Until() time.Time { return a.cert.NotAfter }

// Leaf returns a certificate for all of names, which are host names or IP
// addresses. It is good for twelve hours at least, or to the authority's end. The
// error is ErrNames for a name that is not permitted, or tells of that end.
//
// A certificate is kept for each list of names it was asked for: callers ask for
// few, since all must be permitted.
func (a *Authority) Leaf(names ...string) (*tls.Certificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now, key := time.Now(), strings.Join(names, " ")
	if leaf := a.leaves[key]; leaf != nil && now.Before(a.renewal(leaf.Leaf)) {
		return leaf, nil
	}
	for _, name := range names {
		if !a.permitted[canonical(name)] { // every client would refuse it
			return nil, fmt.Errorf("%w: %q", ErrNames, name)
		}
	}
	if !now.Before(a.cert.NotAfter) {
		return nil, errors.New("the certificate authority ended on " + a.cert.NotAfter.Format(time.DateOnly) + ": a restart makes a new one")
	}
	leaf, err := a.sign(names, now)
	if err != nil {
		return nil, err
	}
	a.leaves[key] = leaf
	return leaf, nil
}

// renewal is when leaf is not to be used any more.
func (a *Authority) renewal(leaf *x509.Certificate) time.Time {
	if leaf.NotAfter.Equal(a.cert.NotAfter) {
		return leaf.NotAfter // no later one can be had
	}
	return leaf.NotAfter.Add(-leafLife / 2)
}
