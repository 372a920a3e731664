package peers

// Names that are used elsewhere.
const (
	Bare      = "bare ReverseProxy"
	Outrigger = "Outrigger"
)

// All are the peers in the order of the tables.
func All() []Peer {
	return []Peer{
		{Name: Bare, program: bare},
		{Name: Outrigger, program: outrigger},
		{Name: "nginx", Install: "nginx", Program: "nginx/nginx", Version: "nginx/nginx -v", program: nginx},
		{Name: "HAProxy", Install: "haproxy", Program: "haproxy/haproxy", Version: "haproxy/haproxy -v", program: haproxy},
		{Name: "Caddy", Install: "caddy", Program: "caddy/caddy", Version: "caddy/caddy version", program: caddy},
		{Name: "Envoy", Install: "envoy", Program: "envoy/bin/python", Version: "cat envoy/.installed", program: envoy},
		{Name: "Bifrost", Install: "bifrost", Program: "bifrost/bifrost", Version: "go version -m bifrost/bifrost | grep bifrost/core", program: bifrost},
		{Name: "Portkey", Install: "portkey", Program: portkeyServer, Version: "grep '\"version\"' portkey/node_modules/@portkey-ai/gateway/package.json", program: portkey, many: true, Slow: true},
		{Name: "LiteLLM", Install: "litellm", Program: "litellm/bin/litellm", Version: "cat litellm/.installed", program: litellm, many: true, Slow: true},
	}
}
