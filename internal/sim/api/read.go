package api

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"

	"outrigger/internal/sim/reply"
)

// maxTokens is the longest answer, whatever a request or the configuration asks for.
const maxTokens = 1_000_000

// TokenCost is how a request is charged against a token limit before it ran.
type TokenCost string

// The ways to charge. Max is the default.
const (
	// Max is what OpenAI documents: the larger of the most output tokens that the
	// request allows and the estimate of its input.
	Max TokenCost = "max"
	// Sum adds the two.
	Sum TokenCost = "sum"
)

// body reads the whole request body, up to BodyMax, and its digest.
func (c *Request) body() ([]byte, *reply.Error) {
	limit := c.api.cfg.BodyMax
	body, err := readAll(io.LimitReader(c.r.Body, limit+1), c.r.ContentLength, limit)
	if err != nil {
		return nil, errUnreadable(err)
	}
	if int64(len(body)) > limit {
		return nil, &reply.Error{
			Status: http.StatusRequestEntityTooLarge, Kind: "invalid_request_error",
			Message: "The request body is larger than " + strconv.FormatInt(limit, 10) + " bytes.",
		}
	}
	_, _ = c.hash().Write(body)
	return body, nil
}

// readAll is io.ReadAll with one allocation when the length is known.
func readAll(r io.Reader, length, limit int64) ([]byte, error) {
	if length < 0 || length > limit {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// errUnreadable is for a body that breaks off or is not framed right.
func errUnreadable(err error) *reply.Error {
	return reply.Invalid("", "We could not read the body of your request: "+err.Error())
}

// readJSON decodes the body into v as far as its fields go.
func (c *Request) readJSON(v any) *reply.Error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if e := json.Unmarshal(body, v); e != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(e, &wrong) && wrong.Field != "" {
			return &reply.Error{
				Status: http.StatusBadRequest, Kind: "invalid_request_error", Param: wrong.Field, Code: "invalid_type",
				Message: "Invalid type for '" + wrong.Field + "': got " + wrong.Value + ".",
			}
		}
		return reply.Invalid("", "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "+
			"library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "+
			"figuring out how to fix this, please contact us through our help center at help.openai.com.)")
	}
	return nil
}

// charge sets what the request costs: the estimate of its input (a quarter of the
// characters, as OpenAI's guide has it) and the most that it may put out.
func (c *Request) charge(input []byte, allowed, answers int) {
	c.estimate = (utf8.RuneCount(input) + 3) / 4
	output := max(0, min(allowed, maxTokens)) * max(1, min(answers, 128))
	if c.api.cfg.Charge == Sum {
		c.Cost.Tokens = c.estimate + output
	} else {
		c.Cost.Tokens = max(c.estimate, output)
	}
}

// length is the number of tokens of an answer for which the request allows so
// many (0 = any), and how it ends.
func (c *Request) length(allowed int) (int, string) {
	tokens := min(c.api.cfg.Tokens, maxTokens)
	if allowed > 0 && allowed < tokens {
		return allowed, "length"
	}
	return tokens, "stop"
}

// named sets the model, which must be given unless Azure's path names it.
func (c *Request) named(model string) *reply.Error {
	c.Model = Clip(cmp.Or(model, c.deployment()))
	if c.Model == "" {
		return &reply.Error{Status: http.StatusBadRequest, Kind: "invalid_request_error", Param: "model", Message: "you must provide a model parameter"}
	}
	return nil
}

// maxMetadata bounds the metadata of an object: 16 keys of 64 and values of 512
// characters (OpenAI's reference), with room for the JSON.
const maxMetadata = 16 << 10

var errMetadata = reply.Invalid("metadata", "Invalid 'metadata': too long.")
