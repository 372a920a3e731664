package api

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/fnv"
	"math"
	"net/http"
	"strconv"

	"outrigger/internal/sim/fault"
	"outrigger/internal/sim/reply"
)

// defaultDimensions is the length of a vector of text-embedding-3-small.
const defaultDimensions = 1536

// maxInputs is the most inputs of one request that OpenAI documents.
const maxInputs = 2048

type embeddingRequest struct {
	Model          string          `json:"model"`
	Input          json.RawMessage `json:"input"`
	EncodingFormat string          `json:"encoding_format"`
	Dimensions     int             `json:"dimensions"`
}

// embeddings is POST embeddings. Equal inputs have equal vectors of length one.
func (c *Request) embeddings() (Work, *reply.Error) {
	var q embeddingRequest
	if err := c.readJSON(&q); err != nil {
		return nil, err
	}
	if err := c.named(q.Model); err != nil {
		return nil, err
	}
	inputs := inputsOf(q.Input)
	switch {
	case len(inputs) == 0 || len(inputs) > maxInputs:
		return nil, reply.Invalid("input", "Invalid 'input': expected a string, tokens, or a list of up to 2048 of them.")
	case q.Dimensions < 0 || q.Dimensions > 4096:
		return nil, reply.Invalid("dimensions", "Invalid 'dimensions': integer out of range.")
	case q.EncodingFormat != "" && q.EncodingFormat != "float" && q.EncodingFormat != "base64":
		return nil, reply.Invalid("encoding_format", "Invalid 'encoding_format': expected float or base64.")
	}
	c.charge(q.Input, 0, 1)
	return func() reply.Answer {
		dimensions := cmp.Or(q.Dimensions, defaultDimensions)
		b := []byte(`{"object":"list","data":[`)
		for i, input := range inputs {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, `{"object":"embedding","index":`...)
			b = strconv.AppendInt(b, int64(i), 10)
			b = append(b, `,"embedding":`...)
			b = appendVector(b, vector(input, dimensions), q.EncodingFormat)
			b = append(b, '}')
		}
		b = append(b, `],"model":`...)
		b = appendJSON(b, c.Model)
		b = append(b, `,"usage":{"prompt_tokens":`...)
		b = strconv.AppendInt(b, int64(c.estimate), 10)
		b = append(b, `,"total_tokens":`...)
		b = strconv.AppendInt(b, int64(c.estimate), 10)
		return reply.Answer{Status: http.StatusOK, ContentType: "application/json", Body: append(b, "}}"...)}
	}, nil
}

// inputsOf splits a string, a list of strings, a list of tokens or a list of those.
func inputsOf(raw json.RawMessage) []json.RawMessage {
	raw = bytes.TrimSpace(raw)
	if len(raw) < 2 || string(raw) == "null" {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return []json.RawMessage{raw}
	}
	if len(list) > 0 && list[0][0] != '"' && list[0][0] != '[' {
		return []json.RawMessage{raw} // one list of tokens
	}
	return list
}

// vector returns numbers that the input determines, with a Euclidean norm of one.
func vector(input []byte, dimensions int) []float32 {
	digest := fnv.New64a()
	_, _ = digest.Write(input)
	v, sum := make([]float32, dimensions), 0.0
	for i := range v {
		x := 2*fault.Unit(digest.Sum64(), uint64(i)) - 1
		v[i] = float32(x)
		sum += x * x
	}
	norm := float32(math.Sqrt(sum))
	for i := range v {
		v[i] /= norm
	}
	return v
}

// appendVector appends a JSON list, or little-endian float32 in base64.
func appendVector(b []byte, v []float32, format string) []byte {
	if format == "base64" {
		raw := make([]byte, 0, 4*len(v))
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, raw)
		return append(b, '"')
	}
	b = append(b, '[')
	for i, x := range v {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendFloat(b, float64(x), 'g', -1, 32)
	}
	return append(b, ']')
}
