package recording

// pass passes p to the readers without buffering it. It wants r.mu, and unlocks it while it
// waits.
func (r *Recording) pass(p []byte) (int, error) {
	if err := r.untilRead(); err != nil {
		return 0, err
	}
	// Everybody has read what was buffered: from here on there is one piece at a time.
	r.base += int64(len(r.body))
	r.body = append([]byte(nil), p...)
	r.open = r.base + int64(len(p))
	if r.reserved > 0 {
		r.room.Free(r.reserved)
		r.reserved = 0
	}
	r.wake()
	return len(p), nil
}

// untilRead waits until all readers have read everything, or fails with ErrUnread.
func (r *Recording) untilRead() error {
	for {
		if len(r.readers) == 0 {
			return ErrUnread
		}
		behind := false
		for reader := range r.readers {
			behind = behind || reader.at < r.open
		}
		if !behind {
			return nil
		}
		changed := r.change()
		r.mu.Unlock()
		<-changed
		r.mu.Lock()
	}
}
