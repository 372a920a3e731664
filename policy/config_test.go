package policy_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"

	"outrigger/policy"
)

func TestDefaultsAreTheDocumentedOnes(t *testing.T) {
	t.Parallel()
	none := env.Options{Environment: map[string]string{}}
	gotRetry, err := env.ParseAsWithOptions[policy.Retry](none)
	if err != nil {
		t.Fatal(err)
	}
	wanted := retry
	wanted.Max, wanted.Cap = 7, 16*time.Second
	equal(t, "retry", gotRetry, wanted)
	gotBreaker, err := env.ParseAsWithOptions[policy.BreakerConfig](none)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Wait = 30 * time.Second
	equal(t, "breaker", gotBreaker, want)
}

func TestSettingsAreReadByTheirNames(t *testing.T) {
	t.Parallel()
	set := env.Options{Prefix: "OUTRIGGER_", Environment: map[string]string{
		"OUTRIGGER_RETRY_MAX": "7", "OUTRIGGER_RETRY_BASE": "1s", "OUTRIGGER_RETRY_CAP": "20s",
		"OUTRIGGER_RETRY_AFTER_MAX": "2m", "OUTRIGGER_RETRY_BUDGET": "0.5",
		"OUTRIGGER_RETRY_CREATES": "always", "OUTRIGGER_CLIENT_RETRIES": "allow",
		"OUTRIGGER_BREAKER_RATIO": "0.25", "OUTRIGGER_BREAKER_MIN": "3", "OUTRIGGER_BREAKER_WINDOW": "1m",
		"OUTRIGGER_BREAKER_OPEN": "5s", "OUTRIGGER_BREAKER_CONSECUTIVE": "4", "OUTRIGGER_BREAKER_WAIT": "1s",
	}}
	type both struct {
		Retry   policy.Retry
		Breaker policy.BreakerConfig
	}
	got, err := env.ParseAsWithOptions[both](set)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "settings", got, both{
		policy.Retry{
			Max: 7, Base: time.Second, Cap: 20 * time.Second, AfterMax: 2 * time.Minute, Budget: 0.5,
			Creates: policy.CreatesAlways, ClientRetries: policy.ClientRetriesAllow,
		},
		policy.BreakerConfig{
			Ratio: 0.25, Min: 3, Window: time.Minute, Open: 5 * time.Second, Consecutive: 4, Wait: time.Second,
		},
	})
}

func TestEverySettingIsDescribedAndBounded(t *testing.T) {
	t.Parallel()
	for _, config := range []any{policy.Retry{}, policy.BreakerConfig{}} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(config)) {
			for _, tag := range []string{"env", "envDefault", "doc"} {
				if f.Tag.Get(tag) == "" {
					t.Errorf("%s: no %s", f.Name, tag)
				}
			}
			bounded := f.Tag.Get("min") != "" && f.Tag.Get("max") != ""
			if !bounded && f.Tag.Get("oneof") == "" {
				t.Errorf("%s: neither bounds nor a list of values", f.Name)
			}
		}
	}
}
