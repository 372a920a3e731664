package proxy

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"outrigger/proxy/response"
)

const candidate = `{"candidates":[{"content":{"parts":[{"text":"\"]} \\"}],"role":"model"}}]}`

// lists sends the pieces of a list, far enough apart to be passed on before its end.
func lists(kind string, length bool, pieces ...string) script {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		_ = readAll(r)
		w.Header().Set("Content-Type", kind)
		for _, piece := range pieces {
			_, _ = io.WriteString(w, piece)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(response.HoldTime) // the bubble's clock
		}
		if length {
			panic(http.ErrAbortHandler)
		}
	}
}

// Gemini's stream without alt=sse is a list, and whole with its last bracket.
func TestAListThatLacksItsEndHasNoCleanEnd(t *testing.T) {
	const path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent"
	for name, tt := range map[string]struct {
		path   string
		broken bool
		pieces []string
		clean  bool
	}{
		"whole":                       {path, false, []string{"[" + candidate, ",\n" + candidate, "\n]"}, true},
		"with white space behind":     {path, false, []string{"[" + candidate, "]", "\n"}, true},
		"a string that is cut in two": {path, false, []string{`[{"a":"\`, `"]"}`, "]"}, true},
		"without its bracket":         {path, false, []string{"[" + candidate, ",\n" + candidate}, false},
		"behind a comma":              {path, false, []string{"[" + candidate, ",\n"}, false},
		"in a string":                 {path, false, []string{"[" + candidate, `,{"candidates":[{"content":"]`}, false},
		"broken off":                  {path, true, []string{"[" + candidate, ",\n" + candidate}, false},
		"another endpoint's":          {"/v1/something", false, []string{"[" + candidate, ",\n"}, true},
		"a chat's":                    {"/v1/chat/completions", false, []string{"[" + candidate, ",\n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newBubble(t, lists("application/json; charset=UTF-8", tt.broken, tt.pieces...))
				resp, err := g.client.Do(g.request("POST", tt.path, `{"contents":[]}`))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if want := strings.Join(tt.pieces, ""); resp.StatusCode != 200 || string(body) != want || (err == nil) != tt.clean {
					t.Errorf("got %d %q, %v", resp.StatusCode, body, err)
				}
				g.settle()
				if told := strings.Contains(g.log.String(), `"outcome":"interrupted"`); told == tt.clean {
					t.Errorf("the log: %s", g.log.String())
				}
			})
		})
	}
}
