package shared

import "maps"

// pact returns what is believed of a set, nil if too many are thought of already.
func (s *Registry) pact(set uint64, k kind) *pact {
	key := pactKey{set, k}
	p := s.pacts[key]
	if p == nil {
		if len(s.pacts) >= maxPacts {
			maps.DeleteFunc(s.pacts, func(_ pactKey, p *pact) bool { return p.cases[0].tests == 0 && p.need == 0 })
		}
		if len(s.pacts) >= maxPacts {
			return nil
		}
		p = &pact{}
		s.pacts[key] = p
	}
	return p
}

// forgetPacts drops the levels in one way of all sets that one of a set belongs to.
func (s *Registry) forgetPacts(set uint64, k kind) {
	for key, p := range s.pacts {
		if key.kind == k && key.set&set != 0 {
			*p = pact{need: p.need}
		}
	}
}

// join takes a set for one from now on.
func (s *Registry) join(set uint64) Change {
	all := s.members(set)
	for _, m := range all {
		m.joined = set
	}
	need := 0
	for key, p := range s.pacts {
		if key.set == set {
			need = max(need, p.need)
		}
	}
	s.dropPacts(set)
	for k := range kinds {
		s.pacts[pactKey{set, k}] = &pact{need: need}
	}
	return Change{Join: all}
}

// part takes a set apart, and asks for more to join it again.
func (s *Registry) part(set uint64) Change {
	all := s.members(set)
	need := 0
	for k := range kinds {
		if p := s.pacts[pactKey{set, k}]; p != nil {
			need = max(need, p.need)
		}
	}
	s.dropPacts(set)
	for _, m := range all {
		m.joined = 0
	}
	for k := range kinds {
		s.pacts[pactKey{set, k}] = &pact{need: need + partedMore}
	}
	return Change{Part: all}
}
