package attempt

import "time"

// Quiet returns when the last byte of the request moved, or when the attempt began.
func (p *Progress) Quiet() time.Time {
	moved := time.Duration(p.sentAt.Load())
	if p.Sending != nil {
		moved = max(moved, time.Duration(p.Sending.Moved.Load()))
	}
	return p.Began.Add(moved)
}
