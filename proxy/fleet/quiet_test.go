package fleet

import "outrigger/proxy/observe"

// quiet records nothing.
type quiet struct{}

func (quiet) Begin(observe.Kind, string) {}
func (quiet) Span(string, observe.Span)  {}
func (quiet) Notice(observe.Notice)      {}
func (quiet) Done(*observe.Event)        {}
