package proxy

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/pick"
)

// deadlines notes the read deadline that is set on it.
type deadlines struct {
	http.ResponseWriter
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.read = t
	return nil
}

// paced is a body that comes in pieces, each after a wait.
type paced struct {
	wait  time.Duration
	piece int
}

func (p *paced) Read(b []byte) (int, error) {
	time.Sleep(p.wait)
	return min(p.piece, len(b)), nil
}

func TestTheTimeForABodyIsTheCallersOwn(t *testing.T) {
	tests := map[string]struct {
		caller, disk time.Duration // for each of ten pieces
		piece        int
		want         time.Duration // left of the caller's time at the tenth
	}{
		"all at once":                {0, 0, bodyRate, bodyGrace + 9*time.Second},
		"a slow caller":              {3 * time.Second, 0, 10, bodyGrace - 27*time.Second},
		"just at the rate":           {time.Second, 0, bodyRate, bodyGrace},
		"a quick one, a slow disk":   {0, time.Minute, bodyRate, bodyGrace + 9*time.Second},
		"a slow one and a slow disk": {2 * time.Second, time.Minute, bodyRate, bodyGrace + 9*time.Second - 18*time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &deadlines{ResponseWriter: httptest.NewRecorder()}
				in := &intake{ctx: t.Context(), src: &paced{tt.caller, tt.piece}, w: w, picker: pick.New("application/json")}
				var left time.Duration
				for range 10 {
					before := time.Now()
					if _, err := in.Read(make([]byte, bodyRate)); err != nil {
						t.Fatal(err)
					}
					left = w.read.Sub(before)
					time.Sleep(tt.disk)
				}
				if (left - tt.want).Abs() > time.Second { // the deadline is moved when it is a second off
					t.Errorf("%v left, want %v", left, tt.want)
				}
			})
		})
	}
}

func TestABodyThatIsReadOnAfterItsRequestTouchesNothingOfIt(t *testing.T) {
	w := &deadlines{ResponseWriter: httptest.NewRecorder()}
	i := &intake{ctx: t.Context(), src: strings.NewReader("some text"), w: w, picker: pick.New(""), lent: &lent{}}
	if _, err := i.Read(make([]byte, 4)); err != nil || w.read.IsZero() {
		t.Fatalf("%v; the deadline is %s", err, w.read)
	}
	i.end()
	i.set, w.read = time.Time{}, time.Time{}
	if n, err := i.Read(make([]byte, 4)); n != 4 || err != nil || !w.read.IsZero() { // not to the end, which takes the deadline away
		t.Errorf("read %d, %v; the deadline is %s", n, err, w.read)
	}
}
