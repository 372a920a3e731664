package shared

import "math"

// same is by which part limits may differ that are one: gateways round.
const same = 0.005

// alike reports whether two limits are the same.
func alike(a, b float64) bool { return math.Abs(a-b) <= same*max(a, b) }
