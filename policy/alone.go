package policy

import "math"

// What it takes to believe that a request is refused for itself.
const (
	// aloneLeast is the least number of refusals between which others passed.
	aloneLeast = 5
	// aloneChance is how unlikely so many refusals must be by chance.
	aloneChance = 1e-5
)

// Alone reports whether a request is refused for what it is: it was refused so many times
// in a row, while of the other requests of the same credential and model that were sent
// after it, so many passed and so many were refused. Where everybody is refused often, it takes
// more. Counts below 0 are 0.
func Alone(times, passed, refused int) bool {
	passed, refused = max(passed, 0), max(refused, 0)
	if times < aloneLeast || passed < times-1 {
		return false
	}
	share := float64(refused+1) / float64(passed+refused+2)
	return math.Pow(share, float64(times)) <= aloneChance
}
