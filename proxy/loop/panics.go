package loop

import "outrigger/proxy/observe"

// SawPanic is survived for what holds an answer's beginning.
func (p *Loop) SawPanic(panicked any) { observe.Survived(p.Recorder, "answer", panicked) }
