package peers

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"outrigger/test/bench/compare/process"
)

// litellm has num_retries, allowed_fails and cooldown_time as in its documentation of
// reliability. It does not start without a key of its own, which callers send. Its upstreams are told apart by the model's name.
func litellm(s Site, addr string, upstreams []Upstream) (process.Program, []Endpoint, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return process.Program{}, nil, err
	}
	var all []Endpoint
	var models strings.Builder
	for i, up := range upstreams {
		model := fmt.Sprintf("model-%d", i)
		_, _ = fmt.Fprintf(&models, "- model_name: %s\n  litellm_params: { model: openai/gpt-4o-mini, api_base: %s/v1, api_key: sk-bench, timeout: %d, stream_timeout: %d }\n",
			model, up.url(), up.seconds(), up.seconds())
		all = append(all, Endpoint{URL: "http://" + addr, Model: model})
	}
	files := upstreams[max(0, slices.IndexFunc(upstreams, func(u Upstream) bool { return u.Files }))]
	config, err := s.write("config.yaml", `model_list:
%sfiles_settings:
- { custom_llm_provider: openai, api_base: %s/v1, api_key: sk-bench }
litellm_settings: { num_retries: %d, request_timeout: %d }
router_settings: { num_retries: %d, allowed_fails: 3, cooldown_time: 30 }
general_settings: { forward_client_headers_to_llm_api: true, master_key: sk-bench }
`, &models, files.url(), retries, files.seconds(), retries)
	return process.Program{
		Path: filepath.Join(s.Tools, "litellm", "bin", "litellm"),
		Args: []string{"--config", config, "--host", host, "--port", port},
		Env:  []string{"LITELLM_LOCAL_MODEL_COST_MAP=True", "LITELLM_LOG=ERROR", "LITELLM_MODE=PRODUCTION"},
	}, all, err
}
