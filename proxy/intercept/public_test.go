package intercept

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

func TestOnlyPublicAddressesArePublic(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "162.159.140.245": true, "9.255.255.255": true, "11.0.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"172.15.255.255": true, "172.32.0.0": true, "192.167.1.1": true, "223.255.255.255": true, "192.0.1.1": true, "198.17.1.1": true, "198.20.0.0": true,
		"2606:4700::6810:1": true, "2a00:1450:4001::1": true, "2001:200::1": true, "2001:4860:4860::8888": true,

		"127.0.0.1": false, "127.255.255.255": false, "127.1.2.3": false, "::1": false, // loopback
		"0.0.0.0": false, "0.1.2.3": false, "::": false, // this host
		"169.254.169.254": false, "169.254.0.1": false, "169.254.170.2": false, "fe80::1": false, "febf::1": false, // link-local, metadata
		"fd00:ec2::254": false, "fd20:ce::254": false, "168.63.129.16": false, "100.100.100.200": false, "192.0.0.192": false, // metadata of AWS, Google, Azure, Alibaba, Oracle
		"10.0.0.1": false, "10.255.255.255": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.0.1": false, "fc00::1": false, "fdff::1": false, "fec0::1": false, // private
		"100.64.0.1": false, "100.127.255.255": false, // carrier-grade NAT
		"192.0.2.1": false, "198.51.100.1": false, "203.0.113.1": false, "2001:db8::1": false, "3fff::1": false, // documentation
		"198.18.0.1": false, "198.19.255.255": false, "192.88.99.1": false, // benchmarks, 6to4 relays
		"224.0.0.1": false, "239.255.255.250": false, "ff02::1": false, "ff0e::1": false, // multicast
		"240.0.0.1": false, "255.255.255.255": false, // reserved, broadcast
		"100::1": false, "5f00::1": false, "2001::1": false, "2001:10::1": false, "2002:7f00:1::": false, "2002:0a00:1::1": false, "4000::1": false,

		"::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,
		"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:10.0.0.1": false, "::127.0.0.1": false, "::ffff:0:127.0.0.1": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::169.254.169.254": false, "64:ff9b::10.0.0.1": false, "64:ff9b::0.0.0.0": false, "64:ff9b:1::8.8.8.8": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("isPublic(%s) = %v", address, got)
		}
	}
}

func TestAnAddressIsCheckedWhenItIsConnectedTo(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1]:443": true,
		"127.0.0.1:443": false, "[::1]:443": false, "[fe80::1%eth0]:443": false, "[2606:4700::1%eth0]:443": false, "[::ffff:127.0.0.1]:443": false,
		"example.com:443": false, "": false, "8.8.8.8": false,
	} {
		if err := onlyPublic("tcp", address, nil); (err == nil) != want || err != nil && !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A name that passes for a public one and resolves to this machine, as in DNS
// rebinding: nothing is connected to, whatever it is called.
func TestNoNameLeadsToALoopbackAddress(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if c, err := listener.Accept(); err == nil {
			_ = c.Close()
			t.Error("it was connected to")
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	d := &dialer{timeout: 10 * time.Second, outward: straight, control: onlyPublic}
	for _, host := range []string{"localhost", "LOCALHOST", "127.0.0.1", "127.0.0.2", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		if _, err := d.dial(context.Background(), host, port); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func straight(*http.Request) (*url.URL, error) { return nil, nil }

func FuzzTheTargetOfACONNECT(f *testing.F) {
	for _, seed := range []string{"api.openai.com:443", "[::1]:443", "a:0", "a:00443", "a b:1", "127.0.0.1:65536", ":443", "[fe80::1%25eth0]:443", "[::%.]:1", "[fe80::1%ETH0.]:443", "a:443:443", "xn--bcher-kva.example.:443", "\x00:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		host, port, ok := parse(target)
		if !ok {
			return
		}
		again := net.JoinHostPort(host, port)
		if host2, port2, ok := parse(again); !ok || host2 != host || port2 != port {
			t.Errorf("%q is %q, which is %q %q %v", target, again, host2, port2, ok)
		}
	})
}

func TestTargetsHaveOneForm(t *testing.T) {
	for target, want := range map[string]string{
		"API.openai.com:443": "api.openai.com:443", "api.openai.com.:443": "api.openai.com:443", "[::1]:443": "[::1]:443", "[0:0::1]:443": "[::1]:443",
		"[::ffff:10.0.0.1]:443": "10.0.0.1:443", "10.0.0.1:80": "10.0.0.1:80",
		"": "", "a": "", "a:": "", ":443": "", "a:0": "", "a:0443": "", "a:+443": "", "a:65536": "", "a:https": "", "u@a:443": "", "http://a:443": "", "a/b:443": "",
		"a b:443": "", "ä:443": "", ".:443": "", ".a:443": "", "a..b:443": "", "a..:443": "", "[a]:443": "a:443",
		"[::%.]:1": "[::%.]:1", "[fe80::1%Eth0.]:443": "[fe80::1%Eth0.]:443", "127.0.0.1.:443": "127.0.0.1:443",
	} {
		host, port, ok := parse(target)
		got := ""
		if ok {
			got = net.JoinHostPort(host, port)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", target, got, want)
		}
	}
	for text, want := range map[string]string{
		"https://API.openai.com": "api.openai.com:443", "http://api.openai.com./v1": "api.openai.com:80", "https://[::1]:8443": "[::1]:8443", "http://10.0.0.1:443": "10.0.0.1:443",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Authority(u); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
