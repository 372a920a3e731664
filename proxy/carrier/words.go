package carrier

import "strings"

// names reports whether a name is a credential's, by its words: what stands between
// hyphens, underscores and the like, or begins with a capital in camelCase.
func names(name string) bool {
	before := ""
	for name != "" {
		var word string
		word, name = cutWord(name)
		if word == "" {
			continue
		}
		if proves(before, word) {
			return true
		}
		before = word
	}
	return false
}

// proves reports whether a word names a credential, behind another word.
func proves(before, word string) bool {
	switch {
	case len(word) > maxWord:
		return false
	case isAny(word, "authorization", "auth", "password", "passwd", "pwd", "passphrase", "secret", "credential", "credentials",
		"signature", "sig", "jwt", "bearer", "cookie", "apikey", "apitoken", "accesstoken", "authtoken", "accesskey", "clientsecret", "subscriptionkey"):
		return true
	case isAny(word, "key"):
		return !isAny(before, "idempotency", "socket", "websocket", "cache", "partition", "routing", "surrogate", "sort", "dedup", "deduplication")
	case isAny(word, "token"):
		return !isAny(before, "page", "next", "continuation", "pagination", "cursor", "start", "starting", "stop")
	}
	return false
}

// maxWord is longer than any word that counts.
const maxWord = 20

func isAny(word string, others ...string) bool {
	for _, other := range others {
		if strings.EqualFold(word, other) {
			return true
		}
	}
	return false
}

// cutWord returns the first word of a name, "" where a separator comes first, and what
// comes behind it.
func cutWord(name string) (string, string) {
	if !isLetter(name[0]) {
		return "", name[1:]
	}
	end := 1
	for end < len(name) && isLetter(name[end]) && (!isUpper(name[end]) || isUpper(name[end-1])) {
		end++
	}
	return name[:end], name[end:]
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'Z' }

func isLetter(c byte) bool { return isUpper(c) || c >= 'a' && c <= 'z' }
