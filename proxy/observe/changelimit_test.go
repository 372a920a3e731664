package observe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/test/leaks"
)

func TestMain(m *testing.M) { leaks.Main(m) }

// line is what a test reads of a line of the log.
type line struct {
	Time    time.Time
	Level   string
	Msg     string
	Change  string
	LeftOut int `json:"left_out"`
	N       int
}

func linesOf(t *testing.T, log *bytes.Buffer) []line {
	t.Helper()
	var all []line
	for text := range strings.Lines(log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func newBuffered(level slog.Level) (*Log, *bytes.Buffer) {
	buffer := &bytes.Buffer{}
	return NewLog(slog.New(slog.NewJSONHandler(buffer, &slog.HandlerOptions{Level: level}))), buffer
}

// What goes and comes back is told at once, and what flaps about once in ten seconds, with the
// number of those that were left out. The last one is told in any case.
func TestChanged_WhatFlapsIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, buffer := newBuffered(slog.LevelInfo)
		start := time.Now()
		const changes = 1000
		for n := range changes {
			Changed(log, ChangeBreaker, "one", slog.LevelWarn, "changed", slog.Int("n", n))
			time.Sleep(100 * time.Millisecond) // the bubble's clock
		}
		last := start.Add((changes - 1) * 100 * time.Millisecond)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		lines := linesOf(t, buffer)
		told := len(lines)
		for i, l := range lines {
			told += l.LeftOut
			if l.Level != "WARN" || l.Msg != "changed" || l.Change != "breaker" || i < 2 && (l.N != i || l.LeftOut != 0) {
				t.Errorf("line %d: %+v", i, l)
			}
		}
		if len(lines) < 10 || len(lines) > 13 || told != changes {
			t.Errorf("%d lines tell of %d changes", len(lines), told)
		}
		if got := lines[len(lines)-1]; got.N != changes-1 || !got.Time.Equal(last) {
			t.Errorf("the last line is %+v, want that of %v", got, last)
		}
		before := buffer.Len()
		time.Sleep(time.Hour)
		if buffer.Len() != before {
			t.Error("something is told of nothing")
		}
		Changed(log, ChangeBreaker, "one", slog.LevelInfo, "changed")
		Changed(log, ChangeBreaker, "one", slog.LevelInfo, "changed")
		if got := len(linesOf(t, buffer)); got != len(lines)+2 {
			t.Errorf("after an hour %d lines are told at once", got-len(lines))
		}
	})
}

func TestChanged_SubjectsAndKindsAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, buffer := newBuffered(slog.LevelInfo)
		for range 5 {
			for _, kind := range []ChangeKind{ChangeBreaker, ChangeLimit} {
				for _, subject := range []string{"one", "two"} {
					Changed(log, kind, subject, slog.LevelInfo, "changed")
				}
			}
			Changed(log, ChangeBreaker, "one", slog.LevelDebug, "is not logged, and counts for nothing")
			log.Notice(Notice{Level: slog.LevelInfo, Message: "no change of state"})
		}
		count := map[string]int{}
		for _, l := range linesOf(t, buffer) {
			count[l.Change]++
		}
		if count["breaker"] != 4 || count["limit"] != 4 || count[""] != 5 {
			t.Errorf("got %v", count)
		}
	})
}

func TestChanged_SubjectsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, buffer := newBuffered(slog.LevelInfo)
		for n := range 3 * mostSubjects {
			Changed(log, ChangeLimit, fmt.Sprint(n), slog.LevelInfo, "changed")
		}
		if got := len(linesOf(t, buffer)); got > mostSubjects+2 || len(log.changes.known) > mostSubjects+1 {
			t.Errorf("%d lines, %d subjects are kept", got, len(log.changes.known))
		}
		time.Sleep(time.Minute)
		Changed(log, ChangeLimit, "new", slog.LevelInfo, "changed")
		if got := len(log.changes.known); got > 2 {
			t.Errorf("%d subjects are kept for nothing", got)
		}
	})
}
