package policy

// What it takes to believe that a request is refused for itself.
const (
	// aloneLeast is the least number of refusals between which others passed.
	aloneLeast = 5
	// aloneChance is how unlikely so many refusals must be by chance. Each of thousands of
	// requests is asked that at each of its refusals, and none is to hear one that would have
	// passed.
	aloneChance = 1e-8
	// aloneMost is the number that is enough while hardly any others are refused, however few
	// they are: an official SDK gives up after three.
	aloneMost  = 12
	aloneShare = 8
)

// Alone reports whether a request is refused for what it is: it was refused so many times
// in a row, while of the other requests of the same credential and model that were sent
// after it, so many passed and so many were refused. Where everybody is refused often, or
// little is known of the others, it takes more. Counts below 0 are 0.
func Alone(times, passed, refused int) bool {
	passed, refused = max(passed, 0), max(refused, 0)
	if times < aloneLeast || passed < times-1 {
		return false
	}
	return times >= aloneMost && refused*aloneShare <= passed || rowChance(times, passed, refused) <= aloneChance
}

// rowChance is how likely so many refusals in a row are by chance after so many passed and so
// many were refused, whatever the share of refusals is: the rule of succession, which
// lets each refusal speak for a larger share, so that few others prove little.
func rowChance(times, passed, refused int) float64 {
	chance := 1.0
	for i := range times {
		chance *= float64(refused+1+i) / float64(passed+refused+2+i)
	}
	return chance
}
