package peers

import (
	"net"
	"path/filepath"

	"outrigger/test/bench/compare/process"
)

// caddy retries lost connections for lb_try_duration; it has no retry by status.
func caddy(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return process.Program{}, nil, err
	}
	config, err := s.write("Caddyfile", `{
	admin off
	auto_https off
}
:%[1]s {
	bind 127.0.0.1
	reverse_proxy %[2]s {
		flush_interval -1
		lb_try_duration 10s
		lb_try_interval 250ms
		lb_retry_match {
			method POST
			path /v1/chat/completions /v1/embeddings
		}
		transport http {
			dial_timeout 5s
			response_header_timeout %[3]ds
			keepalive_idle_conns_per_host 1024
		}
	}
}
`, port, up[0].Addr, up[0].seconds())
	return process.Program{
		Path: filepath.Join(s.Tools, "caddy", "caddy"),
		Args: []string{"run", "--adapter", "caddyfile", "--config", config},
		Env:  []string{"XDG_DATA_HOME=" + s.Files, "XDG_CONFIG_HOME=" + s.Files},
	}, plain(addr), err
}
