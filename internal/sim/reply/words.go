package reply

import "strings"

// story is what all answers are made of: one word with its leading space is one token.
var story = strings.Fields(`The boat left before sunrise with three people and a dog aboard. Nobody spoke until the harbour light was
	behind them and the first long swell lifted the bow. Then the oldest of them pointed at the sky in the west, where a line of
	cloud lay low and even, and said that the wind would turn by noon. They took in a reef while it was easy, made tea, and ate bread
	with salt butter. By eleven the water had changed colour. The second hull dipped, rose, and held them upright, as it was built to do.`)

// storyText is the story many times over, and storyAt where each token of it ends.
var storyText, storyAt = func() (string, []int) {
	var text strings.Builder
	var ends []int
	for i := range 4096 {
		text.WriteString(Word(i))
		ends = append(ends, text.Len())
	}
	return text.String(), ends
}()

// Word returns token number i of an answer.
func Word(i int) string {
	w := story[i%len(story)]
	if i == 0 {
		return w
	}
	return " " + w
}

// Words returns the first n tokens.
func Words(n int) string {
	if n <= 0 {
		return ""
	}
	if n <= len(storyAt) {
		return storyText[:storyAt[n-1]]
	}
	var text strings.Builder
	for i := range n {
		text.WriteString(Word(i))
	}
	return text.String()
}
