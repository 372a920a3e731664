package sim

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// maxTokens is the longest answer, whatever a request or the configuration asks for.
const maxTokens = 1_000_000

func itoa(n int) string { return strconv.Itoa(n) }

// discard reads the rest of a body.
func discard(body io.Reader) (int64, error) { return io.Copy(io.Discard, body) }

// body reads the whole request body, up to BodyMax, and its digest.
func (c *call) body() ([]byte, *apiError) {
	limit := c.sim.cfg.BodyMax
	body, err := readAll(io.LimitReader(c.r.Body, limit+1), c.r.ContentLength, limit)
	if err != nil {
		return nil, errUnreadable(err)
	}
	if int64(len(body)) > limit {
		return nil, &apiError{
			status: http.StatusRequestEntityTooLarge, kind: "invalid_request_error",
			message: "The request body is larger than " + strconv.FormatInt(limit, 10) + " bytes.",
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
func errUnreadable(err error) *apiError {
	return invalid("", "We could not read the body of your request: "+err.Error())
}

// readJSON decodes the body into v as far as its fields go.
func (c *call) readJSON(v any) *apiError {
	body, err := c.body()
	if err != nil {
		return err
	}
	if e := json.Unmarshal(body, v); e != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(e, &wrong) && wrong.Field != "" {
			return &apiError{
				status: http.StatusBadRequest, kind: "invalid_request_error", param: wrong.Field, code: "invalid_type",
				message: "Invalid type for '" + wrong.Field + "': got " + wrong.Value + ".",
			}
		}
		return invalid("", "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP "+
			"library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble "+
			"figuring out how to fix this, please contact us through our help center at help.openai.com.)")
	}
	return nil
}

// charge sets what the request costs: the estimate of its input (a quarter of the
// characters, as OpenAI's guide has it) and the most that it may put out.
func (c *call) charge(input []byte, allowed, answers int) {
	c.estimate = (utf8.RuneCount(input) + 3) / 4
	output := max(0, min(allowed, maxTokens)) * max(1, min(answers, 128))
	if c.sim.cfg.Charge == Sum {
		c.cost.Tokens = c.estimate + output
	} else {
		c.cost.Tokens = max(c.estimate, output)
	}
}

// length is the number of tokens of an answer for which the request allows so
// many (0 = any), and how it ends.
func (c *call) length(allowed int) (int, string) {
	tokens := min(c.sim.cfg.Tokens, maxTokens)
	if allowed > 0 && allowed < tokens {
		return allowed, "length"
	}
	return tokens, "stop"
}

// named sets the model, which must be given unless Azure's path names it.
func (c *call) named(model string) *apiError {
	c.model = clip(cmp.Or(model, c.deployment()))
	if c.model == "" {
		return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", param: "model", message: "you must provide a model parameter"}
	}
	return nil
}
