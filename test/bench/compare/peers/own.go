package peers

import (
	"fmt"
	"path/filepath"
	"strconv"

	"outrigger/test/bench/compare/process"
)

// bare is this program itself, as a httputil.ReverseProxy.
func bare(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	return process.Program{Path: s.Self, Args: []string{"bare", addr, up[0].url()}}, plain(addr), nil
}

// outrigger is the binary with its defaults: metrics, log, limiter, breaker.
func outrigger(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	admin, err := process.FreeAddr()
	if err != nil {
		return process.Program{}, nil, err
	}
	return process.Program{
		Path: filepath.Join(s.Root, "bin", "outrigger"),
		Env: []string{
			"OUTRIGGER_LISTEN=" + addr, "OUTRIGGER_ADMIN_LISTEN=" + admin,
			"OUTRIGGER_UPSTREAMS=openai=" + up[0].url(),
			fmt.Sprintf("OUTRIGGER_ATTEMPT_TIMEOUT=%s", up[0].Timeout),
		},
	}, plain(addr), nil
}

// bifrost is a shim around Bifrost's core: see test/bench/bifrost.
func bifrost(s Site, addr string, up []Upstream) (process.Program, []Endpoint, error) {
	return process.Program{
		Path: filepath.Join(s.Tools, "bifrost", "bifrost"),
		Args: []string{addr, up[0].url(), strconv.Itoa(retries), strconv.Itoa(up[0].seconds())},
	}, plain(addr), nil
}
