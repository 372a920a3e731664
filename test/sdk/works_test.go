package sdk

import (
	"reflect"
	"testing"
)

// everything is one call of each kind that applications make.
var everything = []string{
	"chat", "chat_stream", "responses", "responses_stream", "embeddings", "files", "batches",
	"images", "transcription", "speech", "models", "moderations",
}

func TestEveryCallGivesThroughOutriggerWhatItGivesWithoutIt(t *testing.T) {
	eachClient(t, func(t *testing.T, c client) {
		w := c.start(t, troubles{}, nil)
		p := plan{Calls: everything}
		direct := c.call(t, []string{"OPENAI_BASE_URL=" + w.upstream + "/v1"}, p)
		before := w.called(t)
		through := c.run(t, w, p)
		after := w.called(t)
		for i, name := range p.Calls {
			if direct[i].Error != nil || len(direct[i].Value) == 0 {
				t.Errorf("%s fails without Outrigger: %+v", name, direct[i])
			}
			if through[i].Error != nil || !reflect.DeepEqual(through[i].Value, direct[i].Value) {
				t.Errorf("%s gives %v through Outrigger (error %+v), want %v", name, through[i].Value, through[i].Error, direct[i].Value)
			}
		}
		if got, want := after.upstream-before.upstream, before.upstream; got != want || after.outrigger != want || after.works != 2*before.works {
			t.Errorf("%d requests to Outrigger became %d upstream, want both %d", after.outrigger, got, want)
		}
	})
}
