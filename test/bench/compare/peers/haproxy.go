package peers

import (
	"path/filepath"

	"outrigger/test/bench/compare/process"
)

// haproxy retries as configuration.txt has it under retry-on, and as it warns there not
// for requests that must not be repeated.
func haproxy(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	config, err := s.write("haproxy.cfg", `defaults
  mode http
  timeout connect 5s
  timeout client 10m
  timeout server %[3]ds
  timeout http-keep-alive 60s
  retries %[4]d
  option http-no-delay
  option redispatch
frontend app
  bind %[1]s
  default_backend llm
backend llm
  http-reuse always
  http-request disable-l7-retry unless { path /v1/chat/completions /v1/embeddings }
  retry-on all-retryable-errors
  server llm %[2]s
`, addr, up[0].Addr, up[0].seconds(), retries)
	return process.Program{Path: filepath.Join(s.Tools, "haproxy", "haproxy"), Args: []string{"-db", "-f", config}}, plain(addr), err
}
