package sim

import (
	"net/http"
	"strconv"
)

// listing answers a list endpoint: ?after=ID&limit=N, newest first.
func listing[T, U any](c *call, s *store[T], keep func(T) bool, show func(T) U) (work, *apiError) {
	limit := 20
	if text := c.r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10_000 {
			return nil, invalid("limit", "Invalid 'limit': expected an integer between 1 and 10000.")
		}
		limit = n
	}
	return func() answer {
		p := s.list(c.r.URL.Query().Get("after"), limit, keep)
		data := make([]U, 0, len(p.items))
		for _, v := range p.items {
			data = append(data, show(v))
		}
		return jsonAnswer(http.StatusOK, object{
			"object", "list", "data", data, "has_more", p.more,
			"first_id", optional(p.first), "last_id", optional(p.last),
		})
	}, nil
}
