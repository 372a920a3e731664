package shared

import "math"

// odds are by how much two levels must contradict each other about what others send, to
// refute that it is in proportion to something. Less is needed where both texts name
// the same organization and model.
var odds = [kinds]float64{kindHeader: 1.5, kindText: 1}

// proof is what speaks for a set's sharing in one case.
type proof struct {
	bases   []observation // the levels that the next ones are compared with
	tests   int
	fits    int // levels in a row that it explains
	misses  int // those that it did not, ever
	against int // those in a row that each one's own requests explain
	units   []unitProof
}

// base is the level that the next one told to one of them is compared with, nil for none.
func (p *proof) base(slot int) *observation {
	for i := range p.bases {
		if p.bases[i].slot == slot {
			return &p.bases[i]
		}
	}
	return nil
}

// miss takes in a level that the set's sharing does not explain.
func (p *proof) miss() {
	p.misses++
	p.fits, p.units = 0, nil
}

// unitProof is what the levels told to one of them say. What it did not send itself may
// have been sent by somebody else, in proportion to its own requests (a pod that has the
// same load), or evenly; or the upstream may charge more than one for each. All that is
// refuted when no one factor explains it.
type unitProof struct {
	set                     uint64
	fits                    int
	leastShare, mostShare   float64 // others' requests per own request
	leastPerSec, mostPerSec float64 // others' requests per second
}

// fit takes in a level told to one of them that the set's sharing explains.
func (p *proof) fit(set uint64, alone expected, to, from observation) {
	var u *unitProof
	for i := range p.units {
		if p.units[i].set == set {
			u = &p.units[i]
		}
	}
	if u == nil {
		p.units = append(p.units, unitProof{set: set, mostShare: math.Inf(1), mostPerSec: math.Inf(1)})
		u = &p.units[len(p.units)-1]
	}
	p.fits++
	u.fits++
	least, most, span := alone.low-to.level, alone.high-to.level, (to.at - from.at).Seconds()
	u.leastShare = max(u.leastShare, least/float64(max(1, alone.most)))
	u.mostShare = min(u.mostShare, most/float64(max(1, alone.least)))
	u.leastPerSec = max(u.leastPerSec, least/span)
	u.mostPerSec = min(u.mostPerSec, most/span)
}

// proves reports whether that is enough. Chance explains a level now and then, and so
// each one that was not explained asks for another one that is.
func (p *proof) proves(need int, odds float64) bool {
	if p.fits < joinCount+need+min(p.misses, mostMisses) {
		return false
	}
	for _, u := range p.units {
		if u.fits >= joinEach && u.leastShare > odds*u.mostShare && u.leastPerSec > odds*u.mostPerSec {
			return true
		}
	}
	return false
}
