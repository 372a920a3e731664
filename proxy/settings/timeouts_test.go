package settings

import (
	"reflect"
	"testing"
	"time"
)

func TestTimeoutsThatNobodyChoseAreThoseOfTheTags(t *testing.T) {
	for name, got := range map[string]time.Duration{"Total": defaultTotal, "StreamIdle": defaultStreamIdle} {
		field, _ := reflect.TypeFor[Timeouts]().FieldByName(name)
		if want, err := time.ParseDuration(field.Tag.Get("envDefault")); err != nil || got != want {
			t.Errorf("%s: %s, want %s, %v", name, got, want, err)
		}
	}
}
