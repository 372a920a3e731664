package stream

// withholdEnd withholds what was read last if nothing follows it.
func (s *answer) withholdEnd() {
	if s.finished() {
		s.x.Withhold()
	}
}
