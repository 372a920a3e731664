package sim

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
func (c *call) generateImages() (work, *apiError) {
	var q imageRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	return c.images(q, "image_generation")
}

// editImages is POST images/edits, as a form or as JSON.
func (c *call) editImages() (work, *apiError) {
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
		return nil, missing("image")
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
func (f *formData) number(name string) (int, *apiError) {
	text := f.fields[name]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid(name, "Invalid '"+name+"': expected an integer.")
	}
	return n, nil
}

// images makes the same small picture as often as wanted.
func (c *call) images(q imageRequest, event string) (work, *apiError) {
	switch {
	case q.Prompt == "":
		return nil, missing("prompt")
	case q.N < 0 || q.N > maxImages:
		return nil, invalid("n", "Invalid 'n': integer out of range. Expected a value between 1 and 10.")
	case q.PartialImages < 0 || q.PartialImages > 3:
		return nil, invalid("partial_images", "Invalid 'partial_images': integer out of range. Expected a value between 0 and 3.")
	}
	c.model = clip(cmp.Or(q.Model, c.deployment(), "gpt-image-1"))
	c.stream = q.Stream
	c.charge([]byte(q.Prompt), 0, 1)
	c.cost.Images = max(1, q.N)
	return func() answer {
		if q.Stream {
			s := imageStream{event: event, partial: q.PartialImages, usage: c.imageUsage(1)}
			return answer{status: http.StatusOK, contentType: "text/event-stream; charset=utf-8", events: s.stream}
		}
		data := []any{}
		for range c.cost.Images {
			if q.ResponseFormat == "url" {
				data = append(data, object{"url", "http://" + c.r.Host + "/v1/images/" + c.sim.ids.next("img_")})
			} else {
				data = append(data, object{"b64_json", picture()})
			}
		}
		a := jsonAnswer(http.StatusOK, object{
			"created", time.Now().Unix(), "background", "opaque", "output_format", "png", "quality", "low", "size", "1024x1024",
			"data", data, "usage", c.imageUsage(c.cost.Images),
		})
		a.tokens = c.sim.cfg.Tokens * c.cost.Images
		return a
	}, nil
}

func (c *call) imageUsage(images int) object {
	return object{
		"input_tokens", c.estimate, "input_tokens_details",
		object{"text_tokens", c.estimate, "image_tokens", 0},
		"output_tokens", imageTokens * images, "total_tokens", c.estimate + imageTokens*images,
	}
}

// imageStream is the stream of one image.
type imageStream struct {
	event   string
	partial int
	usage   object
}

func (s imageStream) stream(emit func(event) bool) {
	send := func(name string, more object) bool {
		o := append(object{
			"type", name, "b64_json", picture(), "created_at", time.Now().Unix(), "size", "1024x1024", "quality", "low",
			"background", "opaque", "output_format", "png",
		}, more...)
		data, err := json.Marshal(o)
		return err == nil && emit(event{name: name, data: data, tokens: 1})
	}
	for i := range s.partial {
		if !send(s.event+".partial_image", object{"partial_image_index", i}) {
			return
		}
	}
	send(s.event+".completed", object{"usage", s.usage})
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
