package eventstream

// place is where in an event's data an object or array stands.
type place uint8

const (
	placeOther    place = iota // nothing in it matters
	placeTop                   // the data itself
	placeList                  // an array around it: Gemini's errors are [{"error":…}]
	placeResponse              // "response", "message" or "x_groq" of placeTop
	placeUsage                 // "usage" of either
	placeError                 // "error" of placeTop
	placeChoices               // "choices" of placeTop
	placeChoice                // one of them
)

// member is a name that means something at its place.
type member uint8

const (
	memberOther member = iota
	memberType
	memberKind // "object" or "event_type": only "error" matters
	memberError
	memberSequence
	memberUsage
	memberResponse
	memberChoices
	memberPrompt
	memberCached
	memberCompletion
	memberIndex
	memberFinish
)

// memberOf returns what name means in an object at place p.
func memberOf(p place, name []byte) member {
	switch p {
	case placeTop:
		switch string(name) {
		case "type":
			return memberType
		case "event_type", "object":
			return memberKind
		case "error":
			return memberError
		case "sequence_number":
			return memberSequence
		case "usage":
			return memberUsage
		case "response", "message", "x_groq":
			return memberResponse
		case "choices":
			return memberChoices
		}
	case placeResponse:
		switch string(name) {
		case "usage":
			return memberUsage
		case "error":
			return memberError
		}
	case placeUsage:
		switch string(name) {
		case "prompt_tokens", "input_tokens":
			return memberPrompt
		case "cache_read_input_tokens", "cache_creation_input_tokens":
			return memberCached
		case "completion_tokens", "output_tokens":
			return memberCompletion
		}
	case placeChoice:
		switch string(name) {
		case "index":
			return memberIndex
		case "finish_reason":
			return memberFinish
		}
	}
	return memberOther
}

// placeOf returns the place of an object, or array, that is member m of a
// container at place p. Outside of all containers p is placeOther and depth 0.
func placeOf(p place, m member, depth int, object bool) place {
	switch {
	case depth == 0 && object, p == placeList && object:
		return placeTop
	case depth == 0:
		return placeList
	case p == placeChoices && object:
		return placeChoice
	case m == memberError && p == placeTop:
		return placeError
	case m == memberChoices && !object:
		return placeChoices
	case m == memberUsage && object:
		return placeUsage
	case m == memberResponse && object:
		return placeResponse
	default:
		return placeOther
	}
}

// failure tells whether a finish_reason means that generation failed: "error" is
// OpenRouter's and Mistral's, the other DeepSeek's (its API page, finish_reason).
func failure(reason []byte) bool {
	return string(reason) == "error" || string(reason) == "insufficient_system_resource"
}
