package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"outrigger/test/chance"
	"outrigger/test/process"
)

// TestNothingIsLostOrDoubledInANetworkNamespace has the kernel do what a relay does elsewhere: the
// upstream listens in a namespace of its own, whose packets are lost, rejected and held up.
func TestNothingIsLostOrDoubledInANetworkNamespace(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	process.NeedRoot(t, "for a network namespace")
	seed := chance.Seed(t)
	n := newNamespace(t)
	up := newWitness(seed)
	defer up.close()
	for range 2 {
		l := n.listen(t)
		n.listeners = append(n.listeners, l.Addr().String())
		up.listen(l)
	}
	walk(t, seed, "memory", up, n)
}

// namespace is a network between this one and a namespace, where the upstream is.
type namespace struct {
	t         *testing.T
	name      string
	address   string // there
	listeners []string
	netem     bool // the kernel has it
	happened  map[string]int
}

// The ends of the pair of devices, and their addresses: of the range for tests between networks
// (RFC 2544).
const (
	nearDevice, farDevice   = "orchaos0", "orchaos1"
	nearAddress, farAddress = "198.18.77.1", "198.18.77.2"
)

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	for _, program := range []string{"ip", "tc", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			process.Missing(t, "needs %s on PATH (Debian: iproute2, nftables)", program)
		}
	}
	n := &namespace{t: t, name: fmt.Sprintf("orchaos%d", os.Getpid()), address: farAddress, happened: map[string]int{}}
	if out, err := n.try("ip", "netns", "add", n.name); err != nil {
		notPermitted(t, "a network namespace: %v, %s", err, out)
	}
	t.Cleanup(func() { _, _ = n.try("ip", "netns", "del", n.name) })
	if out, err := n.try("ip", "link", "add", nearDevice, "type", "veth", "peer", "name", farDevice, "netns", n.name); err != nil {
		notPermitted(t, "a pair of devices: %v, %s", err, out)
	}
	t.Cleanup(func() { _, _ = n.try("ip", "link", "del", nearDevice) })
	n.must("ip", "addr", "add", nearAddress+"/30", "dev", nearDevice)
	n.must("ip", "link", "set", nearDevice, "up")
	n.must("ip", "-n", n.name, "addr", "add", farAddress+"/30", "dev", farDevice)
	n.must("ip", "-n", n.name, "link", "set", farDevice, "up")
	if out, err := n.inside("nft", "add table inet chaos; add chain inet chaos in { type filter hook input priority 0; }; add chain inet chaos out { type filter hook output priority 0; }"); err != nil {
		notPermitted(t, "nftables: %v, %s", err, out)
	}
	_, err := n.try("tc", "-n", n.name, "qdisc", "replace", "dev", farDevice, "root", "netem", "delay", "1ms")
	n.netem = err == nil
	if !n.netem {
		t.Log("NOT HERE: netem in the kernel, so packets are neither delayed nor reordered")
	}
	n.calm()
	return n
}

// notPermitted skips a test that this kernel, or the container, does not permit: unlike a program
// that is missing, no installation helps. The relay's test runs everywhere.
func notPermitted(t *testing.T, format string, arguments ...any) {
	t.Helper()
	t.Skipf("SKIPPED: not permitted here: "+format, arguments...)
}

// listen listens inside.
func (n *namespace) listen(t *testing.T) net.Listener {
	t.Helper()
	call, known := map[string]uintptr{"amd64": 308, "arm64": 268, "riscv64": 268, "s390x": 339, "ppc64le": 350}[runtime.GOARCH] // setns(2)
	if !known {
		process.Missing(t, "the number of setns(2) on %s", runtime.GOARCH)
	}
	type result struct {
		listener net.Listener
		err      error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		file, err := os.Open("/var/run/netns/" + n.name)
		if err != nil {
			done <- result{err: err}
			return
		}
		defer file.Close()
		if _, _, errno := syscall.RawSyscall(call, file.Fd(), 0, 0); errno != 0 {
			done <- result{err: errno}
			return
		}
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", n.address+":0")
		done <- result{l, err}
	}()
	r := <-done
	if r.err != nil {
		process.Missing(t, "a listener in a namespace: %v", r.err)
	}
	return r.listener
}

func (n *namespace) addresses() []string { return n.listeners }

func (n *namespace) change(random *rand.Rand) string {
	n.calm()
	share := func(most int) string { return fmt.Sprintf("numgen random mod 1000 < %d", 1+random.IntN(most)) }
	kinds := []struct {
		name  string
		rules []string // of nft, for what comes in and what goes out
		tc    []string
	}{
		{name: "calm"},
		{name: "loss", rules: []string{"in " + share(100) + " drop", "out " + share(100) + " drop"}},
		{name: "resets", rules: []string{"in meta l4proto tcp " + share(60) + " reject with tcp reset"}},
		{name: "refused", rules: []string{"in tcp flags syn reject with tcp reset"}},
		{name: "unreachable", rules: []string{"in " + share(300) + " reject with icmpx type host-unreachable"}},
		{name: "no SYN", rules: []string{"in tcp flags syn drop"}},
		{name: "answers lost", rules: []string{"out meta length > 200 " + share(500) + " drop"}},
		{name: "black hole", rules: []string{"in drop", "out drop"}},
		{name: "slow", tc: []string{"tbf", "rate", fmt.Sprintf("%dkbit", 200+random.IntN(4000)), "burst", "10kb", "latency", "400ms"}},
	}
	if n.netem {
		kinds = append(kinds, struct {
			name  string
			rules []string
			tc    []string
		}{name: "netem", tc: strings.Fields("netem delay 30ms 25ms loss 2% duplicate 2% corrupt 0.5% reorder 10%")})
	}
	k := kinds[random.IntN(len(kinds))]
	n.happened[k.name]++
	for _, rule := range k.rules {
		if out, err := n.inside("nft", "add rule inet chaos "+rule); err != nil {
			n.t.Errorf("nft %q: %v, %s", rule, err, out)
		}
	}
	if k.tc != nil {
		n.must("tc", append([]string{"-n", n.name, "qdisc", "replace", "dev", farDevice, "root"}, k.tc...)...)
	}
	return k.name
}

func (n *namespace) calm() {
	if out, err := n.inside("nft", "flush table inet chaos"); err != nil {
		n.t.Errorf("nft: %v, %s", err, out)
	}
	_, _ = n.try("tc", "-n", n.name, "qdisc", "del", "dev", farDevice, "root") // where there is one
}

// faults tells of weather that there was: what it does to each packet only the kernel knows.
func (n *namespace) faults() map[string]int { return n.happened }

func (n *namespace) try(program string, arguments ...string) (string, error) {
	out, err := exec.CommandContext(context.Background(), program, arguments...).CombinedOutput()
	return string(out), err
}

func (n *namespace) inside(program string, arguments ...string) (string, error) {
	return n.try("ip", append([]string{"netns", "exec", n.name, program}, arguments...)...)
}

func (n *namespace) must(program string, arguments ...string) {
	n.t.Helper()
	if out, err := n.try(program, arguments...); err != nil {
		n.t.Fatalf("%s %q: %v, %s", program, arguments, err, out)
	}
}
