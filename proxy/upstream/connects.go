package upstream

import (
	"context"
	"net"
	"net/url"
	"sync"
	"time"
)

// connectsTime is for how long the shortest time to connect is remembered: ways change.
const connectsTime = 10 * time.Minute

// connects remembers how long it takes at the least to connect to an upstream: a round
// trip. On a busy machine the time until a request is written is longer than the way
// explains, and the limiter would take the upstream for a far one. The zero value has
// seen none. Safe for concurrent use.
type connects struct {
	mu       sync.Mutex
	now, was time.Duration // the shortest since turned, and in the time before; 0 is none
	turned   time.Time
}

// measured makes dial count for c where it connects to address: to a proxy in between
// it may be nearer.
func (c *connects) measured(dial Dialer, address string) Dialer {
	return func(ctx context.Context, network, to string) (net.Conn, error) {
		begun := time.Now()
		conn, err := dial(ctx, network, to)
		if err == nil && to == address {
			c.add(time.Now(), time.Since(begun))
		}
		return conn, err
	}
}

func (c *connects) add(now time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	if c.now == 0 || took < c.now {
		c.now = max(took, 1)
	}
}

// Shortest returns the shortest time of the last minutes, 0 if there is none.
func (c *connects) Shortest(now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn(now)
	if c.now == 0 || c.was > 0 && c.was < c.now {
		return c.was
	}
	return c.now
}

// turn begins another time once this one is over. Locked.
func (c *connects) turn(now time.Time) {
	if since := now.Sub(c.turned); since >= connectsTime {
		c.was, c.now, c.turned = c.now, 0, now
		if since >= 2*connectsTime {
			c.was = 0
		}
	}
}

// endpointOf is the host and port that a transport connects to for u.
func endpointOf(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
