package classify

import "slices"

// rules is the table. The first match decides, so the order is part of the meaning: bodies before statuses, never before maybe.
var rules = slices.Concat(attemptRules, accountRules, requestRules, capacityRules, statusRules)
