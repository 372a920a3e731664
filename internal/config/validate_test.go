package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestHeadersThatMayBeSetAreTokensAndNotFraming(t *testing.T) {
	for name, want := range map[string]bool{
		"Authorization": true, "api-key": true, "X_1.2~": true, "!#$%&'*+-.^_`|~": true,
		"": false, "X Y": false, " X": false, "X:": false, "X\r\nY": false, "X\x00": false, "Ä": false, "(x)": false, "x/y": false, "X,": false,
		"Host": false, "content-LENGTH": false, "Transfer-Encoding": false, "Connection": false, "Upgrade": false, "TE": false,
	} {
		if got := isHeader(name); got != want {
			t.Errorf("isHeader(%q) = %v", name, got)
		}
	}
	for value, want := range map[string]bool{"": true, "a b": true, "a\tb": true, "ä": true, "a\nb": false, "a\rb": false, "\x00": false, "\x7f": false} {
		if got := isHeaderValue(value); got != want {
			t.Errorf("isHeaderValue(%q) = %v", value, got)
		}
	}
}

func TestTheSpoolDirectoryIsTriedAndLeftEmpty(t *testing.T) {
	directory := t.TempDir()
	if got := mistakesOf(t, "OUTRIGGER_SPOOL_DIR="+directory); got != nil {
		t.Errorf("mistakes %v", got)
	}
	left, err := os.ReadDir(directory)
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestASpoolDirectoryThatCannotBeWrittenToIsAMistake(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "spool")
	if err := os.Mkdir(directory, 0o555); err != nil {
		t.Fatal(err)
	}
	want := []Mistake{{"OUTRIGGER_SPOOL_DIR", directory, "want a directory that files can be written in: permission denied"}}
	var got []Mistake
	asNobody(t, func() { got = mistakesOf(t, "OUTRIGGER_SPOOL_DIR="+directory) }) // root can write anywhere
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
