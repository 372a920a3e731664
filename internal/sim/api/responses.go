package api

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"outrigger/internal/sim/reply"
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
func (c *Request) createResponse() (Work, *reply.Error) {
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
		return nil, reply.Invalid("background", "Background mode requires 'store' to be true.")
	}
	c.Stream = q.Stream
	c.charge(q.Input, q.MaxOutputTokens, 1)
	return func() reply.Answer {
		tokens, finish := c.length(q.MaxOutputTokens)
		r := &response{
			id: c.api.ids.Next("resp_"), item: c.api.ids.Next("msg_"), model: c.Model, created: time.Now(),
			input: c.estimate, tokens: tokens, cut: finish == "length", maxOutput: q.MaxOutputTokens, store: store,
			background: q.Background, keeps: q.Background && q.Stream, previous: q.PreviousResponseID, metadata: q.Metadata,
		}
		r.ready = r.created.Add(c.api.cfg.JobTime)
		if r.keeps { // as its events come
			r.ready = r.created.Add(c.api.cfg.TokenDelay * time.Duration(tokens))
		}
		if store {
			c.api.responses.add(r.id, r)
		}
		var a reply.Answer
		if q.Stream {
			a = r.streamed(-1)
		} else {
			a = reply.JSON(http.StatusOK, r.object(r.status(r.created)))
			if !r.background {
				a.Tokens = tokens
			}
		}
		a.Object = r.id
		return a
	}, nil
}

func (r *response) streamed(after int) reply.Answer {
	return reply.Answer{Status: http.StatusOK, ContentType: "text/event-stream; charset=utf-8", Events: r.stream(after)}
}

// EventsKept is for how long after its start the events of a background response can be had
// again.
const EventsKept = 5 * time.Minute

// resumable reports why the events of the response cannot be had, nil if they can.
func (r *response) resumable(now time.Time) *reply.Error {
	switch {
	case !r.keeps:
		return reply.Invalid("stream", "This response cannot be streamed because it was not created with background=true and stream=true.")
	case now.After(r.created.Add(EventsKept)):
		return reply.Invalid("starting_after", "The events of this response are no longer available for streaming.")
	}
	return nil
}

// getResponse is GET responses/{id}, also as a stream from a given event on.
func (c *Request) getResponse() (Work, *reply.Error) {
	query := c.r.URL.Query()
	after := -1
	if text := query.Get("starting_after"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, reply.Invalid("starting_after", "Invalid 'starting_after': expected an integer.")
		}
		after = n
	}
	c.Stream = query.Get("stream") == "true"
	return c.onResponse(func(r *response) *reply.Error {
		if !c.Stream {
			return nil
		}
		return r.resumable(time.Now())
	}, func(r *response) reply.Answer {
		if c.Stream {
			return r.streamed(after)
		}
		return reply.JSON(http.StatusOK, r.object(r.status(time.Now())))
	})
}

// cancelResponse is POST responses/{id}/cancel.
func (c *Request) cancelResponse() (Work, *reply.Error) {
	if _, err := c.body(); err != nil {
		return nil, err
	}
	return c.onResponse(func(r *response) *reply.Error {
		if !r.background {
			return reply.Invalid("", "Cannot cancel a synchronous response.")
		}
		if now := time.Now(); r.canceled.IsZero() && now.Before(r.ready) {
			r.canceled = now
		}
		return nil
	}, func(r *response) reply.Answer { return reply.JSON(http.StatusOK, r.object(r.status(time.Now()))) })
}

// deleteResponse is DELETE responses/{id}.
func (c *Request) deleteResponse() (Work, *reply.Error) {
	if _, ok := c.api.responses.find(c.args[0]); !ok {
		return nil, c.noResponse()
	}
	return func() reply.Answer {
		if _, ok := c.api.responses.remove(c.args[0]); !ok {
			return c.ErrorAnswer(c.noResponse())
		}
		return reply.JSON(http.StatusOK, reply.Object{"id", c.args[0], "object", "response", "deleted", true})
	}, nil
}

func (c *Request) noResponse() *reply.Error {
	return reply.NotFound("Response with id '" + c.args[0] + "' not found.")
}

// onResponse changes the response that the path names and shows it, both under the store's lock.
func (c *Request) onResponse(change func(*response) *reply.Error, show func(*response) reply.Answer) (Work, *reply.Error) {
	if _, ok := c.api.responses.find(c.args[0]); !ok {
		return nil, c.noResponse()
	}
	return func() reply.Answer {
		a := c.ErrorAnswer(c.noResponse())
		c.api.responses.update(c.args[0], func(r *response) {
			if err := change(r); err != nil {
				a = c.ErrorAnswer(err)
				return
			}
			a = show(r)
		})
		return a
	}, nil
}
