package classify

// Truncated reports whether body is JSON that ends before its outermost object or array does.
// It looks at nothing else: JSON that is wrong otherwise is for its reader to judge, and what
// follows the end too.
func Truncated(body []byte) bool {
	body = trim(body)
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return false
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		if !structural[body[i]] {
			continue // embeddings are megabytes of digits
		}
		switch body[i] {
		case '"':
			end := stringEnd(body, i)
			if end == len(body) {
				return true // or nothing follows the string: the object is open
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return false
			}
		}
	}
	return true
}

// structural are the bytes that JSON's nesting is told by.
var structural = [256]bool{'"': true, '{': true, '}': true, '[': true, ']': true}
