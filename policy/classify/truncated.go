package classify

import "outrigger/internal/jsonscan"

// Truncated reports whether body is JSON that ends before its outermost object or array does.
// It looks at nothing else: JSON that is wrong otherwise is for its reader to judge, and what
// follows the end too.
func Truncated(body []byte) bool { return jsonscan.Truncated(body) }
