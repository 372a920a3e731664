package peers

import (
	"encoding/json"
	"net"
	"path/filepath"

	"outrigger/test/bench/compare/process"
)

const portkeyServer = "portkey/node_modules/@portkey-ai/gateway/build/start-server.js"

// portkey takes its configuration from each call: five attempts, as its documentation of
// automatic retries has it.
func portkey(s Site, addr string, upstreams []Upstream) (process.Program, []Endpoint, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return process.Program{}, nil, err
	}
	var all []Endpoint
	for _, up := range upstreams {
		config, err := json.Marshal(map[string]any{
			"provider": "openai", "api_key": "sk-bench", "custom_host": up.url() + "/v1",
			"request_timeout": up.Timeout.Milliseconds(),
			"retry":           map[string]any{"attempts": 5, "on_status_codes": []int{429, 500, 502, 503, 504}, "use_retry_after_header": true},
		})
		if err != nil {
			return process.Program{}, nil, err
		}
		all = append(all, Endpoint{URL: "http://" + addr, Header: map[string]string{
			"X-Portkey-Config": string(config), "X-Portkey-Forward-Headers": "x-sim-request",
		}})
	}
	return process.Program{
		Path: "/usr/bin/env",
		Args: []string{"node", filepath.Join(s.Tools, portkeyServer), "--port=" + port, "--headless"},
		Env:  []string{"NODE_ENV=production"},
	}, all, nil
}
