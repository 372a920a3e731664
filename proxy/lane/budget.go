package lane

import (
	"log/slog"
	"time"

	"outrigger/policy"
	"outrigger/proxy/observe"
)

// budgetBack is how many retries the budget must have to be told to be there again: one comes
// free now and then while most are refused.
const budgetBack = 5

// Spend is as of policy.Budget, and tells when there is nothing left.
func (u *Learned) Spend(now time.Time) (policy.Charge, bool) {
	charge, ok := u.Budget.Spend(now)
	if !ok && !u.spent.Swap(true) {
		u.changed(observe.ChangeBudget, "", slog.LevelWarn, "retry budget spent: failed attempts are not repeated, or wait")
		u.Tidying.Need() // it comes back by itself
	}
	return charge, ok
}

// Succeeded is as of policy.Budget, and tells when there is some budget again.
func (u *Learned) Succeeded(now time.Time) {
	u.Budget.Succeeded(now)
	u.isSpent(now)
}

// isSpent reports whether the budget is still spent, if it was.
func (u *Learned) isSpent(now time.Time) bool {
	if !u.spent.Load() {
		return false
	}
	remaining := u.Budget.Remaining(now)
	if remaining < budgetBack {
		return true
	}
	if u.spent.Swap(false) {
		u.changed(observe.ChangeBudget, "", slog.LevelInfo, "retry budget refilled", slog.Int("remaining", remaining))
	}
	return false
}
