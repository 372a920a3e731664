package loop

import (
	"context"
	"errors"

	"outrigger/proxy/apierror"
)

// OutOfTime reports whether the time that the caller itself announced ended a
// request that may be sent again: its own retries are its choice then.
func (x *Run) OutOfTime() bool {
	return x.Announced && !x.IsCreate() && (x.Late || errors.Is(context.Cause(x.Ctx), apierror.ErrDeadline))
}
