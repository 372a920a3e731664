package sim

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/internal/sim/fault"
)

func TestRefusedConnectionsComeBackOnTheSameAddress(t *testing.T) {
	s := New(Config{})
	url := server(t, s)
	c := client(t, &http.Transport{})
	try := func() error {
		_, err := post(t, c, url+"/v1/chat/completions", chatBody)
		return err
	}
	if err := try(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Refuse(true); err != nil {
			t.Fatal(err)
		}
		c.CloseIdleConnections()
		if err := try(); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("error %v, want a refused connection", err)
		}
		if err := s.Refuse(true); err != nil { // again changes nothing
			t.Fatal(err)
		}
		if err := s.Refuse(false); err != nil {
			t.Fatal(err)
		}
		got, err := post(t, c, url+"/v1/chat/completions", chatBody)
		if err != nil || got.closes {
			t.Errorf("afterwards: %v, connection closed: %v", err, got.closes)
		}
	}
}

func TestAnAddressThatIsTakenCanBeTriedAgain(t *testing.T) {
	taken := errors.New("address already in use")
	var fail error
	s := New(Config{Listen: func(addr string) (net.Listener, error) {
		if fail != nil {
			return nil, fail
		}
		return net.Listen("tcp", addr)
	}})
	url := server(t, s)
	if err := s.Refuse(true); err != nil {
		t.Fatal(err)
	}
	fail = taken
	if err := s.Refuse(false); !errors.Is(err, taken) {
		t.Errorf("error %v, want %v", err, taken)
	}
	fail = nil
	if err := s.Refuse(false); err != nil {
		t.Error(err)
	}
	if _, err := post(t, client(t, &http.Transport{}), url+"/v1/chat/completions", chatBody); err != nil {
		t.Error(err)
	}
}

func TestAnOutageLastsItsTime(t *testing.T) {
	tests := map[string]struct {
		outage Outage
		status int  // during it; 0 = an error
		waits  bool // the client gives up after a second
	}{
		"status":         {Outage{Kind: OutageStatus, For: 5 * time.Second}, 503, false},
		"another status": {Outage{Kind: OutageStatus, Status: 529, For: 5 * time.Second}, 529, false},
		"hang":           {Outage{Kind: OutageHang, For: 5 * time.Second}, 0, true},
		"reset":          {Outage{Kind: OutageReset, For: 5 * time.Second}, 0, false},
		"refuse":         {Outage{Kind: OutageRefuse, For: 5 * time.Second}, 0, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := newPipes()
				s := New(Config{Listen: listener.listen})
				defer s.Close()
				if _, err := s.Start("sim"); err != nil {
					t.Fatal(err)
				}
				transport := &http.Transport{DialContext: listener.dial}
				defer transport.CloseIdleConnections()
				c := &http.Client{Transport: transport, Timeout: time.Second}
				if err := s.Outage(test.outage); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				got, err := post(t, c, "http://sim/v1/chat/completions", chatBody)
				if got.status != test.status || (err == nil) != (test.status != 0) || (time.Since(start) == time.Second) != test.waits {
					t.Errorf("during it: %d, %v after %v", got.status, err, time.Since(start))
				}
				pass(time.Until(start.Add(5 * time.Second)))
				synctest.Wait()
				if got, err := post(t, c, "http://sim/v1/chat/completions", chatBody); err != nil || got.status != 200 {
					t.Errorf("after it: %d, %v", got.status, err)
				}
			})
		})
	}
}

func TestAnOutageIsReplacedOrEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{})
		defer s.Close()
		status := func() int { return ask(s, "POST", "/v1/chat/completions", chatBody).status }
		begin := func(o Outage) {
			if err := s.Outage(o); err != nil {
				t.Fatal(err)
			}
		}
		begin(Outage{Kind: OutageStatus, For: time.Second})
		begin(Outage{Kind: OutageStatus, Status: 500})
		pass(time.Minute) // the first one's time ends nothing now
		if got := status(); got != 500 {
			t.Errorf("%d, want 500", got)
		}
		begin(Outage{})
		if got := status(); got != 200 {
			t.Errorf("%d, want 200", got)
		}
		for _, o := range []Outage{{Kind: "strike"}, {Kind: OutageStatus, Status: 200}, {Kind: OutageHang, For: -1}} {
			if err := s.Outage(o); !errors.Is(err, ErrOutage) {
				t.Errorf("%+v: error %v, want ErrOutage", o, err)
			}
		}
	})
}

func TestClearTextHTTP2IsServed(t *testing.T) {
	s := New(Config{Faults: []fault.Rule{
		{Kind: fault.KindReset, First: 1}, {Kind: fault.KindCutReset, First: 1}, {Kind: fault.KindGarbage, First: 1},
	}})
	url := server(t, s)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	c := client(t, &http.Transport{Protocols: &protocols})
	for range 3 { // what cannot be done on HTTP/2 aborts the stream
		if _, err := post(t, c, url+"/v1/chat/completions", streamBody); err == nil || !strings.Contains(err.Error(), "stream error") {
			t.Errorf("error %v, want a stream error", err)
		}
	}
	got, err := post(t, c, url+"/v1/chat/completions", streamBody)
	if err != nil || got.status != 200 || !strings.HasSuffix(got.body, "data: [DONE]\n\n") {
		t.Errorf("%d %q, %v", got.status, got.body, err)
	}
}

func TestAnOldConnectionIsNoWayAroundRefusing(t *testing.T) {
	s := New(Config{})
	url := server(t, s)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	c := client(t, &http.Transport{Protocols: &protocols}) // its connection stays open
	for _, refuse := range []bool{false, true, false} {
		if err := s.Refuse(refuse); err != nil {
			t.Fatal(err)
		}
		if _, err := post(t, c, url+"/v1/chat/completions", chatBody); (err != nil) != refuse {
			t.Errorf("refusing %v: error %v", refuse, err)
		}
	}
	if e, _ := s.Ledger().Entry(2); e.Fault != "refused" || e.Work {
		t.Errorf("ledger: %+v", e)
	}
}

func TestAnotherServerMayServeIt(t *testing.T) {
	s := New(Config{Faults: []fault.Rule{{Kind: fault.KindReset, First: 1}, {Kind: fault.KindHang}}})
	front := httptest.NewServer(s)
	defer front.Close()
	c := client(t, &http.Transport{})
	if _, err := post(t, c, front.URL+"/v1/chat/completions", chatBody); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want a reset", err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := post(t, c, front.URL+"/v1/chat/completions", chatBody)
		done <- err
	}()
	for s.Ledger().Requests() < 2 {
		runtime.Gosched()
	}
	s.Close() // lets go of it, or front.Close would wait for ever
	if err := <-done; err == nil {
		t.Error("what hangs was answered")
	}
}

func TestNothingStartsAfterClose(t *testing.T) {
	s := New(Config{})
	url := server(t, s)
	s.Close()
	s.Close() // again changes nothing
	if _, err := s.Start("127.0.0.1:0"); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
	if _, err := post(t, client(t, &http.Transport{}), url+"/v1/models", ""); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("error %v, want a refused connection", err)
	}
	if err := s.Refuse(true); err != nil {
		t.Error(err)
	}
	if _, err := New(Config{}).Start("127.0.0.1:99999"); err == nil {
		t.Error("an impossible address was accepted")
	}
}
