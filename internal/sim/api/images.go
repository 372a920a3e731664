package api

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"outrigger/internal/sim/reply"
)

// maxImages is the most images of one request.
const maxImages = 10

// imageTokens is what one image counts as output.
const imageTokens = 272

type imageRequest struct {
	Model          string `json:"model"`
	Prompt         string `json:"prompt"`
	N              int    `json:"n"`
	Stream         bool   `json:"stream"`
	PartialImages  int    `json:"partial_images"`
	ResponseFormat string `json:"response_format"`
}

// generateImages is POST images/generations.
func (c *Request) generateImages() (Work, *reply.Error) {
	var q imageRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	return c.images(q, "image_generation")
}

// editImages is POST images/edits, as a form or as JSON.
func (c *Request) editImages() (Work, *reply.Error) {
	var q imageRequest
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "application/json") {
		if err := c.readJSON(&q); err != nil {
			return nil, err
		}
		return c.images(q, "image_edit")
	}
	form, err := c.readForm(0)
	if err != nil {
		return nil, err
	}
	if form.files["image"] == nil {
		return nil, reply.Missing("image")
	}
	q = imageRequest{
		Model: form.fields["model"], Prompt: form.fields["prompt"], Stream: form.fields["stream"] == "true",
		ResponseFormat: form.fields["response_format"],
	}
	q.N, err = form.number("n")
	if err != nil {
		return nil, err
	}
	if q.PartialImages, err = form.number("partial_images"); err != nil {
		return nil, err
	}
	return c.images(q, "image_edit")
}

// number reads a field that is a number, 0 when it is absent.
func (f *formData) number(name string) (int, *reply.Error) {
	text := f.fields[name]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, reply.Invalid(name, "Invalid '"+name+"': expected an integer.")
	}
	return n, nil
}

// images makes the same small picture as often as wanted.
func (c *Request) images(q imageRequest, event string) (Work, *reply.Error) {
	switch {
	case q.Prompt == "":
		return nil, reply.Missing("prompt")
	case q.N < 0 || q.N > maxImages:
		return nil, reply.Invalid("n", "Invalid 'n': integer out of range. Expected a value between 1 and 10.")
	case q.PartialImages < 0 || q.PartialImages > 3:
		return nil, reply.Invalid("partial_images", "Invalid 'partial_images': integer out of range. Expected a value between 0 and 3.")
	}
	c.Model = Clip(cmp.Or(q.Model, c.deployment(), "gpt-image-1"))
	c.Stream = q.Stream
	c.charge([]byte(q.Prompt), 0, 1)
	c.Cost.Images = max(1, q.N)
	return func() reply.Answer {
		if q.Stream {
			s := imageStream{event: event, partial: q.PartialImages, usage: c.imageUsage(1)}
			return reply.Answer{Status: http.StatusOK, ContentType: "text/event-stream; charset=utf-8", Events: s.stream}
		}
		data := []any{}
		for range c.Cost.Images {
			if q.ResponseFormat == "url" {
				data = append(data, reply.Object{"url", "http://" + c.r.Host + "/v1/images/" + c.api.ids.Next("img_")})
			} else {
				data = append(data, reply.Object{"b64_json", picture()})
			}
		}
		a := reply.JSON(http.StatusOK, reply.Object{
			"created", time.Now().Unix(), "background", "opaque", "output_format", "png", "quality", "low", "size", "1024x1024",
			"data", data, "usage", c.imageUsage(c.Cost.Images),
		})
		a.Tokens = c.api.cfg.Tokens * c.Cost.Images
		return a
	}, nil
}

func (c *Request) imageUsage(images int) reply.Object {
	return reply.Object{
		"input_tokens", c.estimate, "input_tokens_details",
		reply.Object{"text_tokens", c.estimate, "image_tokens", 0},
		"output_tokens", imageTokens * images, "total_tokens", c.estimate + imageTokens*images,
	}
}

// imageStream is the stream of one image.
type imageStream struct {
	event   string
	partial int
	usage   reply.Object
}

func (s imageStream) stream(emit func(reply.Event) bool) {
	send := func(name string, more reply.Object) bool {
		o := append(reply.Object{
			"type", name, "b64_json", picture(), "created_at", time.Now().Unix(), "size", "1024x1024", "quality", "low",
			"background", "opaque", "output_format", "png",
		}, more...)
		data, err := json.Marshal(o)
		return err == nil && emit(reply.Event{Name: name, Data: data, Tokens: 1})
	}
	for i := range s.partial {
		if !send(s.event+".partial_image", reply.Object{"partial_image_index", i}) {
			return
		}
	}
	send(s.event+".completed", reply.Object{"usage", s.usage})
}

// picture is a PNG of 8 by 8 orange pixels, in base64.
var picture = sync.OnceValue(func() string {
	img := image.NewRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		img.Set(i%8, i/8, color.RGBA{R: 240, G: 120, B: 30, A: 255})
	}
	var out bytes.Buffer
	_ = png.Encode(&out, img) // a bytes.Buffer takes everything
	return base64.StdEncoding.EncodeToString(out.Bytes())
})
