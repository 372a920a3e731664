package peers

import (
	"path/filepath"

	"outrigger/test/bench/compare/process"
)

// nginx retries only at a further server, so the one upstream is listed three times.
// max_fails=0 keeps it from being taken out for 10 s after one failure. Root's
// workers stay root: the files here are root's. Others are only warned.
func nginx(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	config, err := s.write("nginx.conf", `daemon off;
pid nginx.pid;
user root;
worker_processes auto;
events { worker_connections 25000; }
http {
  access_log access.log;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  keepalive_requests 1000000;
  upstream llm {
    server %[2]s max_fails=0; server %[2]s max_fails=0; server %[2]s max_fails=0;
    keepalive 1024;
    keepalive_requests 1000000;
  }
  server {
    listen %[1]s backlog=4096;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_buffering off;
    proxy_read_timeout %[3]ds;
    location / { proxy_pass http://llm; }
    location ~ ^/v1/(chat/completions|embeddings)$ {
      proxy_pass http://llm;
      proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;
    }
  }
}
`, addr, up[0].Addr, up[0].seconds())
	return process.Program{
		Path: filepath.Join(s.Tools, "nginx", "nginx"),
		Args: []string{"-p", s.Files, "-c", config, "-e", "stderr"},
	}, plain(addr), err
}
