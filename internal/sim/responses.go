package sim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

type responseRequest struct {
	Model              string          `json:"model"`
	Input              json.RawMessage `json:"input"`
	Stream             bool            `json:"stream"`
	MaxOutputTokens    int             `json:"max_output_tokens"`
	Store              *bool           `json:"store"` // null means true
	Background         bool            `json:"background"`
	PreviousResponseID string          `json:"previous_response_id"`
	Metadata           json.RawMessage `json:"metadata"`
}

// createResponse is POST responses.
func (c *call) createResponse() (work, *apiError) {
	var q responseRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, err
	}
	if len(q.Metadata) > maxMetadata {
		return nil, errMetadata
	}
	store := q.Store == nil || *q.Store
	if q.Background && !store {
		return nil, invalid("background", "Background mode requires 'store' to be true.")
	}
	c.stream = q.Stream
	c.charge(q.Input, q.MaxOutputTokens, 1)
	return func() answer {
		tokens, finish := c.length(q.MaxOutputTokens)
		r := &response{
			id: c.sim.ids.next("resp_"), item: c.sim.ids.next("msg_"), model: c.model, created: time.Now(),
			input: c.estimate, tokens: tokens, cut: finish == "length", maxOutput: q.MaxOutputTokens, store: store,
			background: q.Background, keeps: q.Background && q.Stream, previous: q.PreviousResponseID, metadata: q.Metadata,
		}
		r.ready = r.created.Add(c.sim.cfg.JobTime)
		if r.keeps { // as its events come
			r.ready = r.created.Add(c.sim.cfg.TokenDelay * time.Duration(tokens))
		}
		if store {
			c.sim.responses.add(r.id, r)
		}
		var a answer
		if q.Stream {
			a = r.streamed(-1)
		} else {
			a = jsonAnswer(http.StatusOK, r.object(r.status(r.created)))
			if !r.background {
				a.tokens = tokens
			}
		}
		a.object = r.id
		return a
	}, nil
}

func (r *response) streamed(after int) answer {
	return answer{status: http.StatusOK, contentType: "text/event-stream; charset=utf-8", events: r.stream(after)}
}

// eventsKept is for how long after its start the events of a background response can be had
// again.
const eventsKept = 5 * time.Minute

// resumable reports why the events of the response cannot be had, nil if they can.
func (r *response) resumable(now time.Time) *apiError {
	switch {
	case !r.keeps:
		return invalid("stream", "This response cannot be streamed because it was not created with background=true and stream=true.")
	case now.After(r.created.Add(eventsKept)):
		return invalid("starting_after", "The events of this response are no longer available for streaming.")
	}
	return nil
}

// getResponse is GET responses/{id}, also as a stream from a given event on.
func (c *call) getResponse() (work, *apiError) {
	query := c.r.URL.Query()
	after := -1
	if text := query.Get("starting_after"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, invalid("starting_after", "Invalid 'starting_after': expected an integer.")
		}
		after = n
	}
	c.stream = query.Get("stream") == "true"
	return c.onResponse(func(r *response) *apiError {
		if !c.stream {
			return nil
		}
		return r.resumable(time.Now())
	}, func(r *response) answer {
		if c.stream {
			return r.streamed(after)
		}
		return jsonAnswer(http.StatusOK, r.object(r.status(time.Now())))
	})
}

// cancelResponse is POST responses/{id}/cancel.
func (c *call) cancelResponse() (work, *apiError) {
	if _, err := c.body(); err != nil {
		return nil, err
	}
	return c.onResponse(func(r *response) *apiError {
		if !r.background {
			return invalid("", "Cannot cancel a synchronous response.")
		}
		if now := time.Now(); r.canceled.IsZero() && now.Before(r.ready) {
			r.canceled = now
		}
		return nil
	}, func(r *response) answer { return jsonAnswer(http.StatusOK, r.object(r.status(time.Now()))) })
}

// deleteResponse is DELETE responses/{id}.
func (c *call) deleteResponse() (work, *apiError) {
	if _, ok := c.sim.responses.find(c.args[0]); !ok {
		return nil, c.noResponse()
	}
	return func() answer {
		if _, ok := c.sim.responses.remove(c.args[0]); !ok {
			return c.noResponse().answer(c)
		}
		return jsonAnswer(http.StatusOK, object{"id", c.args[0], "object", "response", "deleted", true})
	}, nil
}

func (c *call) noResponse() *apiError {
	return notFound("Response with id '" + c.args[0] + "' not found.")
}

// onResponse changes the response that the path names and shows it, both under the store's lock.
func (c *call) onResponse(change func(*response) *apiError, show func(*response) answer) (work, *apiError) {
	if _, ok := c.sim.responses.find(c.args[0]); !ok {
		return nil, c.noResponse()
	}
	return func() answer {
		a := c.noResponse().answer(c)
		c.sim.responses.update(c.args[0], func(r *response) {
			if err := change(r); err != nil {
				a = err.answer(c)
				return
			}
			a = show(r)
		})
		return a
	}, nil
}
