package peers

import (
	"fmt"
	"net"
	"path/filepath"

	"outrigger/test/bench/compare/process"
)

// envoy retries as its documentation of http_connection_management and retry policies has
// it: with backoff, heeding Retry-After, and with circuit breakers wide enough for the load.
func envoy(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return process.Program{}, nil, err
	}
	upHost, upPort, err := net.SplitHostPort(up[0].Addr)
	if err != nil {
		return process.Program{}, nil, err
	}
	programs, err := filepath.Glob(filepath.Join(s.Tools, "envoy", "lib", "python3*", "site-packages", "envoy", "_bin", "envoy"))
	if err != nil || len(programs) != 1 {
		return process.Program{}, nil, fmt.Errorf("%d programs named envoy: %w", len(programs), err)
	}
	config, err := s.write("envoy.yaml", `static_resources:
  listeners:
  - address: { socket_address: { address: %[1]s, port_value: %[2]s } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: app
          http_filters:
          - name: envoy.filters.http.router
            typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }
          route_config:
            virtual_hosts:
            - name: llm
              domains: ["*"]
              routes:
              - match: { safe_regex: { regex: "/v1/(chat/completions|embeddings)" } }
                route:
                  cluster: llm
                  timeout: 0s
                  retry_policy:
                    retry_on: 5xx,reset,connect-failure,retriable-status-codes
                    retriable_status_codes: [429]
                    num_retries: %[6]d
                    per_try_idle_timeout: %[5]ds
                    retry_back_off: { base_interval: 0.5s, max_interval: 8s }
                    rate_limited_retry_back_off: { reset_headers: [{ name: Retry-After, format: SECONDS }], max_interval: 60s }
              - match: { prefix: "/" }
                route:
                  cluster: llm
                  timeout: 0s
                  idle_timeout: %[5]ds
                  retry_policy: { retry_on: "connect-failure,refused-stream,retriable-status-codes", retriable_status_codes: [429], num_retries: %[6]d, retry_back_off: { base_interval: 0.5s, max_interval: 8s } }
  clusters:
  - name: llm
    type: STATIC
    connect_timeout: 5s
    circuit_breakers: { thresholds: [{ max_connections: 20000, max_pending_requests: 20000, max_requests: 20000, max_retries: 1024 }] }
    load_assignment:
      cluster_name: llm
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: %[3]s, port_value: %[4]s } } } }] }]
`, host, port, upHost, upPort, up[0].seconds(), retries)
	return process.Program{Path: programs[0], Args: []string{"-c", config, "--log-level", "error", "--use-dynamic-base-id"}}, plain(addr), err
}
