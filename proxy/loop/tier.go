package loop

import "strings"

// withTier returns the name under which limits and refusals of a model are kept for one
// service tier. Tiers have capacity, and often limits, of their own: flex that has none
// says nothing about the standard tier (PostHog/posthog#92166). The names of the tier that
// a request gets without asking are OpenAI's (auto, default), Groq's (on_demand) and
// Anthropic's (standard_only).
func withTier(model, tier string) string {
	switch tier = strings.ToLower(tier); tier {
	case "", "auto", "default", "standard", "standard_only", "on_demand":
		return model
	}
	return model + " (" + tier + ")"
}
