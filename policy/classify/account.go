package classify

import "strings"

// maxAccount bounds the name of an account.
const maxAccount = 200

// Account is what a refusal of OpenAI's or Groq's says that is limited: the model, the
// organization, and whatever else stands between "reached for" and the kind of the limit,
// as in "gpt-4o in organization org-x". It is "" where no organization is named.
func (e ErrorFields) Account() string {
	_, rest, ok := strings.Cut(e.Message, "reached for ")
	if !ok {
		return ""
	}
	account, _, ok := strings.Cut(rest, " on ")
	if !ok || len(account) > maxAccount || !strings.Contains(account, " in organization ") {
		return ""
	}
	return account
}
