package eventstream

import "outrigger/proxy/usage"

// place is where in an event's data an object or array stands.
type place uint8

const (
	placeOther    place = iota // nothing in it matters
	placeTop                   // the data itself
	placeList                  // an array around it: Gemini's errors are [{"error":…}]
	placeResponse              // of placeTop, see usage.Holds
	placeUsage                 // a usage of either
	placeError                 // "error" of placeTop
	placeChoices               // "choices" or "candidates" of placeTop
	placeChoice                // one of them
	placeDelta                 // what a choice adds, or a part of that
	placeParts                 // a list of such parts
	placeContent               // content, a thought or another member of it: see saysMember
	placeThought
	placeExtra
	placeStop     // "delta" of placeTop: an Anthropic message_delta's
	placeFeedback // Google's "promptFeedback"
	placeReason   // a reason to end that is an object, as SGLang's {"type":"abort"}: of a choice
	placeHalt     // of placeStop
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
	memberCount // one of placeUsage
	memberIndex
	memberFinish
	memberStatus
	memberDelta
	memberParts
	memberContent
	memberThought
	memberExtra
	memberMessageDelta
	memberStop
	memberFeedback
	memberBlock
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
		case "choices", "candidates":
			return memberChoices
		case "delta":
			return memberMessageDelta
		case "promptFeedback":
			return memberFeedback
		}
		switch {
		case usage.Named(name):
			return memberUsage
		case usage.Holds(name):
			return memberResponse
		}
	case placeResponse:
		switch string(name) {
		case "error":
			return memberError
		case "status":
			return memberStatus
		}
		if usage.Named(name) {
			return memberUsage
		}
	case placeUsage:
		return memberCount
	case placeChoice:
		switch string(name) {
		case "index":
			return memberIndex
		case "finish_reason", "finishReason":
			return memberFinish
		case "delta", "content":
			return memberDelta
		case "text":
			return memberContent
		case "message":
			return memberExtra // Perplexity repeats all of the text in it, behind the end too
		}
	case placeDelta:
		return saysMember(name)
	case placeStop:
		if string(name) == "stop_reason" {
			return memberStop
		}
	case placeFeedback:
		if string(name) == "blockReason" {
			return memberBlock
		}
	case placeReason:
		if string(name) == "type" {
			return memberFinish
		}
	case placeHalt:
		if string(name) == "type" {
			return memberStop
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
	case p == placeParts && object:
		return placeDelta
	case p == placeParts, p == placeContent, p == placeThought, p == placeExtra:
		return p
	case m == memberChoices && !object:
		return placeChoices
	case m == memberDelta && object:
		return placeDelta
	case m == memberParts && !object:
		return placeParts
	case m == memberContent, m == memberParts:
		return placeContent
	case m == memberThought:
		return placeThought
	case m == memberExtra:
		return placeExtra
	case m == memberMessageDelta && object:
		return placeStop
	case m == memberFinish && object && p == placeChoice:
		return placeReason
	case m == memberStop && object && p == placeStop:
		return placeHalt
	case m == memberFeedback && object:
		return placeFeedback
	case m == memberUsage && object:
		return placeUsage
	case m == memberResponse && object:
		return placeResponse
	default:
		return placeOther
	}
}
