package cost

import (
	"slices"
)

// Measure is what is measured of each peer.
type Measure string

// The measures. Times are in the unit that the name says.
const (
	CPU       Measure = "cpu_ms_per_1000_requests"
	Ratio     Measure = "cpu_ratio_to_bare"
	MostRate  Measure = "requests_per_second_at_64_connections"
	HalfRate  Measure = "requests_per_second_at_half_load"
	AddedP50  Measure = "added_ms_p50"
	AddedP99  Measure = "added_ms_p99"
	First     Measure = "added_ms_first_event"
	Event     Measure = "cpu_us_per_event"
	EventRate Measure = "cpu_per_event_ratio_to_bare"
	Idle      Measure = "memory_mib_idle"
	Thousand  Measure = "memory_mib_1000_streams"
	Many      Measure = "memory_mib_many_streams"
)

// Result is the rounds of each measure of each peer.
type Result struct {
	Rounds map[Measure]map[string][]float64 `json:"rounds"`
	// ManyStreams is how many the descriptors permit, at most 10,000.
	ManyStreams int `json:"many_streams"`
	// Notes say what could not be measured, by peer.
	Notes map[string][]string `json:"notes,omitempty"`
}

func (r *Result) add(m Measure, name string, value float64) {
	if r.Rounds[m] == nil {
		r.Rounds[m] = map[string][]float64{}
	}
	r.Rounds[m][name] = append(r.Rounds[m][name], value)
}

func (r *Result) note(name, text string) {
	if !slices.Contains(r.Notes[name], text) {
		r.Notes[name] = append(r.Notes[name], text)
	}
}

// Quartiles of the rounds: the lower, the median and the upper; false if there are none.
func (r *Result) Quartiles(m Measure, name string) ([3]float64, bool) {
	list := slices.Sorted(slices.Values(r.Rounds[m][name]))
	if len(list) == 0 {
		return [3]float64{}, false
	}
	at := func(share float64) float64 {
		place := share * float64(len(list)-1)
		low := int(place)
		high := min(low+1, len(list)-1)
		return list[low] + (place-float64(low))*(list[high]-list[low])
	}
	return [3]float64{at(0.25), at(0.5), at(0.75)}, true
}

// ratios adds, round by round, what each peer needed for what the bare proxy did.
func (r *Result) ratios(from, to Measure, bare string) {
	for name, list := range r.Rounds[from] {
		for i, value := range list {
			if i < len(r.Rounds[from][bare]) {
				r.add(to, name, value/r.Rounds[from][bare][i])
			}
		}
	}
}
