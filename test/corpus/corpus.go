package corpus

import (
	"embed"
	"encoding/json"
	"fmt"
	"strconv"
)

//go:embed testdata
var files embed.FS

// Transcript is one stream of one API. Events are numbered from 1; comments are none.
type Transcript struct {
	Name    string `json:"name"`
	Source  string `json:"source"`
	Path    string `json:"path"`    // as the provider's clients call it
	Dialect string `json:"dialect"` // endpoint.Dialect's name
	N       int    `json:"n"`       // answers asked for, 0 for one
	First   int    `json:"first"`   // the first event that is more than a sign of life
	Whole   int    `json:"whole"`   // a cut behind this event loses nothing of the answer
	Last    int    `json:"last"`    // nothing follows this event; 0 where no event says so
	Prompt  int64  `json:"prompt"`  // tokens that the stream tells of
	Output  int64  `json:"completion"`
	Status  int    `json:"status"`  // that the error stands for
	Unseen  bool   `json:"unseen"`  // whether OpenAI's clients take it for no error
	Retried bool   `json:"retried"` // whether the error as the first event is worth another attempt

	Stream []byte `json:"-"` // whole and well
	Error  []byte `json:"-"` // one error event, and what follows it
}

// Transcripts returns all of them in the order of the manifest.
func Transcripts() ([]Transcript, error) {
	manifest, err := files.ReadFile("testdata/manifest.json")
	if err != nil {
		return nil, err
	}
	var all []Transcript
	if err := json.Unmarshal(manifest, &all); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	for i := range all {
		t := &all[i]
		if t.Stream, err = files.ReadFile("testdata/" + t.Name + ".sse"); err != nil {
			return nil, err
		}
		if t.Error, err = files.ReadFile("testdata/" + t.Name + ".error"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Request returns the body of a request that such a stream answers.
func (t Transcript) Request() string {
	n := ""
	if t.N > 0 {
		n = `"n":` + strconv.Itoa(t.N) + `,`
	}
	return `{"model":"m",` + n + `"stream":true,"input":"x"}`
}
