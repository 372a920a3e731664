package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// healthcheckTimeout is how long the running process may take to answer.
// Kubernetes gives an exec probe 1 s unless told otherwise, Docker 30 s.
const healthcheckTimeout = 2 * time.Second

// runHealthcheck asks the admin listener, of the process that runs with the same
// environment, whether it is ready. It is for images without a shell, and for
// probes that cannot reach a loopback listener.
func runHealthcheck(ctx context.Context, c call) int {
	address, err := adminAddress(c.environ)
	if err == nil {
		err = askReady(ctx, address)
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "outrigger: %v\n", err)
		return exitError
	}
	fmt.Fprintln(c.stdout, "ready")
	return exitOK
}

// adminAddress returns where the admin listener of a process with that environment
// can be reached. No other variable is read: a probe should not open secrets.
func adminAddress(environ []string) (string, error) {
	var c Config
	address := ""
	given := environmentOf(environ)
	for _, v := range variablesOf(&c, prefix) {
		if v.Name == prefix+"ADMIN_LISTEN" && v.find(given, &mistakes{}) && v.set() {
			address = c.AdminListen
		}
	}
	if address == "" {
		return "", errors.New(prefix + "ADMIN_LISTEN is off: there is no listener to ask")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isPort(port, false) {
		return "", fmt.Errorf("%sADMIN_LISTEN=%q: want host:port with a port over 0", prefix, presentable(address))
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "":
		host = "127.0.0.1"
	case err == nil && ip == netip.IPv4Unspecified():
		host = "127.0.0.1"
	case err == nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port), nil
}

// askReady returns nil if the process at address is ready.
func askReady(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, healthcheckTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
	if err != nil {
		return fmt.Errorf("asking %s: %w", address, err)
	}
	// Its own transport: HTTP_PROXY is for the way out, not for this.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("asking %s: %w", address, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: %s answered %s", address, response.Status)
	}
	return nil
}
