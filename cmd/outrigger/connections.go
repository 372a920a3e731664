package main

import (
	"log/slog"
	"sync"
	"time"

	"outrigger/internal/config"
	"outrigger/internal/resources"
)

// Bounds of the connections that callers may have open.
const (
	// maxTrafficConnections is where nothing that is known bounds them.
	maxTrafficConnections = 16 << 10
	// minTrafficConnections is where all is scarce: fewer serve no app.
	minTrafficConnections = 16
	maxAdminConnections   = 128
	// connectionGrace is how long a connection is idle before it may be closed for another one:
	// longer than a caller takes from connecting to asking, even on a busy machine.
	connectionGrace = time.Second / 2
	// ownDescriptors are those of the process itself: listeners, log, store, epoll.
	ownDescriptors = 32
	// ownMemory is that of the process itself, measured idle and rounded up.
	ownMemory = 32 << 20
	// connectionMemory is what a caller's connection takes with a stream on it, and the one to
	// the upstream: measured with 1,000 streams, and rounded up.
	connectionMemory = 96 << 10
)

// maxConnections is how many connections callers may have open: what the operator says, or what
// is there.
func maxConnections(c *config.Config) int {
	if c.MaxConnections > 0 {
		return c.MaxConnections
	}
	return connectionsFor(resources.Descriptors(), resources.Memory(), int64(c.Bodies.MemoryMax))
}

// connectionsFor returns how many connections so many descriptors and so much memory allow,
// of which 0 is no bound; bodies is what is kept free for them. A request takes two
// descriptors, since each has a connection to its upstream.
func connectionsFor(descriptors int, memory, bodies int64) int {
	most := maxTrafficConnections
	if descriptors > 0 {
		most = min(most, (descriptors-ownDescriptors-adminConnectionsFor(descriptors))/2)
	}
	if memory > 0 {
		// Where bodies may take all, a quarter: not all of them are large at once.
		most = min(most, int(max(memory-bodies-ownMemory, memory/4)/connectionMemory))
	}
	return max(most, minTrafficConnections)
}

func adminConnections() int { return adminConnectionsFor(resources.Descriptors()) }

func adminConnectionsFor(descriptors int) int {
	if descriptors == 0 {
		return maxAdminConnections
	}
	return min(maxAdminConnections, resources.Reserve(descriptors))
}

// lackEvery is how often the log is told that connections cannot be taken.
const lackEvery = 10 * time.Second

// lackOf tells the log that the listener called name lacks descriptors or memory, now and then.
func lackOf(name string, log *slog.Logger) func(error) {
	var mu sync.Mutex
	var told time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if now := time.Now(); now.Sub(told) >= lackEvery {
			told = now
			log.Warn("cannot take a connection", slog.String("listener", name), slog.String("reason", resources.Shortage(err)))
		}
	}
}
