package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"outrigger/internal/config"
)

// healthcheckTimeout is how long the running process may take to answer.
// Kubernetes gives an exec probe 1 s unless told otherwise, Docker 30 s.
const healthcheckTimeout = 2 * time.Second

// runHealthcheck asks the admin listener, of the process that runs with the same
// environment, whether it is ready. It is for images without a shell, and for
// probes that cannot reach a loopback listener.
func runHealthcheck(ctx context.Context, c call) int {
	address, err := config.AdminAddress(c.environ)
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
