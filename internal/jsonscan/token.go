package jsonscan

// Mode is how much a Scanner checks.
type Mode uint8

const (
	// Loose checks what it needs to keep its place: brackets, colons and commas. Strings
	// may hold control characters and any escape; a number or literal is whatever
	// begins like one.
	Loose Mode = iota
	// Strict checks all of RFC 8259 but whether text is UTF-8.
	Strict
	// Search checks nothing and never breaks: it finds strings, brackets, colons and commas
	// in text that may be JSON, such as the lines of an event stream. A control character
	// ends a string, which then was none. All strings are Text; names are those before a Colon.
	Search
)

// Token is what a Scanner read.
type Token uint8

const (
	// More says that all that was given is read.
	More Token = iota
	// BeginObject is a {. Depth counts the new object.
	BeginObject
	// BeginArray is a [. Depth counts the new array.
	BeginArray
	// EndObject is a }. Depth no longer counts the object.
	EndObject
	// EndArray is a ]. Depth no longer counts the array.
	EndArray
	// Name is a member's name, or the last piece of one.
	Name
	// NamePart is a piece of a name that goes on. It may be empty.
	NamePart
	// Text is a string that is a value, or the last piece of one.
	Text
	// TextPart is a piece of a string that goes on. It may be empty.
	TextPart
	// Scalar is a number, true, false or null, or the last piece of one. The piece may be empty.
	Scalar
	// ScalarPart is a piece of one that may go on.
	ScalarPart
	// Colon and Comma are returned by Search alone.
	Colon
	// Comma separates values, see Colon.
	Comma
	// NoText is what began like a string and was none; Search alone returns it.
	NoText
	// Broken says that this is no JSON. All later calls return it too.
	Broken
)

// State is what a Scanner expects next.
type State uint8

const (
	// Start is before the first byte; white space may have been read.
	Start State = iota
	// WantValue is after a colon or an array's comma.
	WantValue
	// WantElement is after a [: a value or ] is next.
	WantElement
	// WantMember is after a {: a name or } is next.
	WantMember
	// WantName is after an object's comma.
	WantName
	// WantColon is after a name.
	WantColon
	// WantNext is after a value: a comma or the container's end is next.
	WantNext
	// InName is inside a name.
	InName
	// InText is inside a string.
	InText
	// InScalar is inside a number or literal.
	InScalar
	// Whole is after the end of the outermost value.
	Whole
	// NoJSON is after a mistake.
	NoJSON

	inMark2 // in a byte order mark, Strict alone
	inMark3
	wantTop // after it, or after white space
)
