package settings

import "testing"

func TestWhatIsNoModelNameIsAnError(t *testing.T) {
	for text, want := range map[string]Model{
		"a=b": {Requested: "a", Sent: "b"}, " a = b ": {Requested: "a", Sent: "b"}, "*=b": {Requested: "*", Sent: "b"}, "a=b=c": {Requested: "a", Sent: "b=c"}, "o/a:free=x": {Requested: "o/a:free", Sent: "x"},
	} {
		var m Model
		if err := m.UnmarshalText([]byte(text)); err != nil || m != want {
			t.Errorf("%q: %+v, %v, want %+v", text, m, err, want)
		}
	}
	for _, text := range []string{"", "a", "=", "a=", "=b", " = b", "a=b\r\nx", "a\x00=b"} {
		var m Model
		if err := m.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
