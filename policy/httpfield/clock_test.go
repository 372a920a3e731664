package httpfield

import (
	"net/http"
	"testing"
	"time"
)

func TestTheServersClockIsItsDate(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 400e6, time.UTC)
	date := func(offset time.Duration) string { return now.Add(offset).Format(http.TimeFormat) }
	tests := map[string]struct {
		date, age string
		want      time.Time
	}{
		"none":                                 {"", "", now},
		"the same second":                      {date(0), "", now},
		"a machine 10 min slow":                {date(10 * time.Minute), "", time.Date(2026, 11, 30, 12, 10, 0, 0, time.UTC)},
		"a machine 10 min fast":                {date(-10 * time.Minute), "", time.Date(2026, 11, 30, 11, 50, 0, 0, time.UTC)},
		"a cached answer":                      {date(-10 * time.Minute), "600", now},
		"cached, and a machine 10 min slow":    {date(5 * time.Minute), "300", time.Date(2026, 11, 30, 12, 10, 0, 0, time.UTC)},
		"an age that is none":                  {date(-10 * time.Minute), "-5", time.Date(2026, 11, 30, 11, 50, 0, 0, time.UTC)},
		"local time called GMT":                {date(8 * time.Hour), "", time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC)},
		"years ago":                            {"Thu, 01 Jan 1970 00:00:00 GMT", "", now},
		"years ahead":                          {"Fri, 31 Dec 2038 00:00:00 GMT", "", now},
		"frozen two days ago":                  {date(-48 * time.Hour), "", now},
		"an age beyond all caches":             {date(0), "2147483647", now},
		"no date":                              {"yesterday", "", now},
		"the wrong weekday, which is not read": {"Mon, 01 Jan 0001 00:00:00 GMT", "", now},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := http.Header{}
			if tt.date != "" {
				h.Set("Date", tt.date)
			}
			if tt.age != "" {
				h.Set("Age", tt.age)
			}
			if got := Clock(h, now); !got.Equal(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
