package recording

// hand passes p on to those who read, and keeps nothing. Locked; it lets go of the
// lock while it waits.
func (r *Recording) hand(p []byte) (int, error) {
	if err := r.untilRead(); err != nil {
		return 0, err
	}
	// All have read what was recorded: from here on one piece is held, and not kept.
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

// untilRead waits until all readers have all there is, or fails with ErrUnread.
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
