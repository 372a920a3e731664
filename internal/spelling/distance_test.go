package spelling

import "testing"

func TestDistanceCountsInsertedDeletedReplacedAndSwappedLetters(t *testing.T) {
	for pair, want := range map[[2]string]int{
		{"", ""}:                 0,
		{"abc", "abc"}:           0,
		{"", "abc"}:              3,
		{"abc", ""}:              3,
		{"abc", "abxc"}:          1,
		{"abc", "ac"}:            1,
		{"abc", "axc"}:           1,
		{"abc", "acb"}:           1,
		{"abcd", "badc"}:         2,
		{"kitten", "sitting"}:    3,
		{"TIEMOUT", "TIMEOUT"}:   1,
		{"RETRYMAX", "RETRY_MA"}: 2,
	} {
		if got := Distance(pair[0], pair[1]); got != want {
			t.Errorf("distance of %q and %q: %d, want %d", pair[0], pair[1], got, want)
		}
		if got := Distance(pair[1], pair[0]); got != want {
			t.Errorf("distance of %q and %q: %d, want %d", pair[1], pair[0], got, want)
		}
	}
}
