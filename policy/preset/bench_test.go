package preset

import "testing"

// BenchmarkCall is what a preset adds to each attempt; the first is a host that is
// not known.
func BenchmarkCall(b *testing.B) {
	for name, u := range map[string]Upstream{
		"1 none":   {Host: "localhost"},
		"2 openai": {Host: "api.openai.com"},
		"3 groq":   {Host: "api.groq.com"},
		"4 azure":  {Host: "n.openai.azure.com", APIVersion: "2024-10-21"},
	} {
		b.Run(name, func(b *testing.B) {
			p := Of(u)
			b.ReportAllocs()
			for b.Loop() {
				p.Call("/v1/chat/completions", "gpt-4o-mini")
			}
		})
	}
}
