package settings

import "outrigger/policy/preset"

// Preset returns what is known of the provider at u's URL, which must be set.
func (u *Upstream) Preset() preset.Preset {
	known := preset.Upstream{Host: u.URL.Hostname(), Path: u.URL.EscapedPath()}
	for _, p := range u.Query {
		if p.Name == "api-version" {
			known.APIVersion = p.Value
		}
	}
	return preset.Of(known)
}
