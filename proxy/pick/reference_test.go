package pick

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"outrigger/internal/clip"
	"outrigger/policy/endpoint"
)

// node is a decoded JSON value with its members in order, duplicates included.
type node struct {
	value   any // string, json.Number, bool, nil or json.Delim
	end     int // offset after a scalar
	keys    []string
	members []node
}

// decode reads one value with encoding/json.
func decode(dec *json.Decoder, depth, deepest int) (node, int) {
	token, err := dec.Token()
	if err != nil {
		panic(err) // the caller has checked json.Valid
	}
	n := node{value: token, end: int(dec.InputOffset())}
	open, ok := token.(json.Delim)
	if !ok {
		return n, deepest
	}
	deepest = max(deepest, depth)
	for dec.More() {
		if open == '{' {
			key, _ := dec.Token()
			n.keys = append(n.keys, key.(string))
		}
		var member node
		member, deepest = decode(dec, depth+1, deepest)
		n.members = append(n.members, member)
	}
	_, _ = dec.Token()
	return n, deepest
}

// reference returns what encoding/json says about body, and whether it says anything:
// the body is a JSON object.
func reference(body []byte) (Facts, bool) {
	mark := len(body)
	body = bytes.TrimPrefix(body, []byte("\xEF\xBB\xBF"))
	mark -= len(body)
	if !json.Valid(body) || !bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{")) {
		return Facts{}, false
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	root, deepest := decode(dec, 1, 0)
	if deepest > maxDepth {
		return Facts{}, false
	}
	top := map[string]node{}
	for i, key := range root.keys {
		top[key] = root.members[i]
	}
	f := Facts{Valid: true}
	if model, ok := top["model"].value.(string); ok {
		f.Model = model
		if len(model) > MaxModel {
			f.Model = clip.Text(model, MaxModel)
		}
		if end := top["model"].end - 1; model != "" {
			f.ModelStart, f.ModelEnd = int64(opening(body[:end])+mark), int64(end+mark)
		}
	}
	if tier, ok := top["service_tier"].value.(string); ok && tierName.MatchString(tier) {
		f.Tier = tier
	}
	f.Stream = top["stream"].value == true
	f.Store = top["store"].value == true
	f.Background = top["background"].value == true
	conversation, given := top["conversation"]
	f.Conversation = given && conversation.value != nil
	config := map[string]node{}
	if n := last(root, "generationConfig", "generation_config"); n.value == json.Delim('{') {
		for i, key := range n.keys {
			switch key {
			case "maxOutputTokens", "max_output_tokens":
				config["limit"] = n.members[i]
			case "candidateCount", "candidate_count":
				config["count"] = n.members[i]
			}
		}
	}
	f.N = max(number(top["n"], 128), number(config["count"], 128))
	f.MaxTokens = max(number(top["max_tokens"], 1e7), number(top["max_completion_tokens"], 1e7), number(top["max_output_tokens"], 1e7), number(config["limit"], 1e7))
	for member, key := range map[endpoint.Members]string{
		endpoint.HasInput: "input", endpoint.HasPrompt: "prompt", endpoint.HasQuery: "query",
		endpoint.HasDocuments: "documents", endpoint.HasMaxTokens: "max_tokens",
	} {
		if top[key].value != nil {
			f.Members |= member
		}
	}
	if top["messages"].value == json.Delim('[') {
		f.Members |= endpoint.HasMessages
	}
	if f.Model != "" {
		f.Members |= endpoint.HasModel
	}
	f.ActingTools = len(top["mcp_servers"].members) > 0
	if top["tools"].value == json.Delim('[') {
		for _, tool := range top["tools"].members {
			toolType, _ := tool.member("type").value.(string)
			f.ActingTools = f.ActingTools || actingType.MatchString(toolType)
		}
	}
	for _, key := range []string{
		"tools", "input", "prompt", "messages", "instructions", "system", "functions",
		"response_format", "text", "suffix", "query", "documents", "images",
		"contents", "content", "requests", "systemInstruction",
	} {
		var c count
		value := top[key]
		if key == "systemInstruction" {
			value = last(root, key, "system_instruction")
		}
		c.walk(value, key == "input" || key == "prompt", key != "tools", "")
		f.PromptBytes += c.bytes
		f.Images += max(c.parts, c.urls)
	}
	return f, true
}

var tierName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,24}$`)

// opening returns where the string begins whose text body ends with.
func opening(body []byte) int {
	i := bytes.LastIndexByte(body, '"')
	for bytes.HasSuffix(body[:i], []byte(`\`)) { // an escaped quote: none before it is the string's own
		i = bytes.LastIndexByte(body[:i], '"')
	}
	return i + 1
}

// last returns the last member of an object that has one of keys.
func last(n node, keys ...string) node {
	var found node
	for i, key := range n.keys {
		if slices.Contains(keys, key) {
			found = n.members[i]
		}
	}
	return found
}

// member returns the last member of an object that has this key.
func (n node) member(key string) node {
	var last node
	for i, k := range n.keys {
		if k == key {
			last = n.members[i]
		}
	}
	return last
}

var (
	actingType = regexp.MustCompile(`^(mcp|computer|shell|local_shell|code_interpreter|code_execution|openapi|azure_function|browser_automation|a2a)`)
	base64URL  = regexp.MustCompile(`^data:[A-Za-z0-9/+.;=_-]*;base64,|^data:;base64,`)
)

func number(n node, most float64) int {
	text, _ := n.value.(json.Number)
	x, err := strconv.ParseFloat(string(text), 64)
	if err != nil || len(text) > 24 || x < 1 || x > most || x != math.Trunc(x) {
		return 0
	}
	return int(x)
}

type count struct{ bytes, parts, urls int }

// walk counts what stands under one key of the prompt.
func (c *count) walk(n node, tokens, images bool, key string) {
	switch v := n.value.(type) {
	case string:
		if key == "data" || key == "file_data" || key == "b64_json" || key == "encrypted_content" || key == "signature" {
			return
		}
		if key == "type" && images && (v == "image_url" || v == "input_image" || v == "image") {
			c.parts++
		}
		if (key == "mimeType" || key == "mime_type") && images && strings.HasPrefix(v, "image/") {
			c.parts++
		}
		if at := base64URL.FindStringIndex(v); at != nil && at[1] <= 129 {
			if strings.HasPrefix(v, "data:image/") {
				c.urls++
			}
			return
		}
		c.bytes += len(v)
	case json.Number:
		if tokens && key == "[]" {
			c.bytes += 4
		}
	case json.Delim:
		for i, member := range n.members {
			key := "[]"
			if v == '{' {
				key = n.keys[i]
			}
			c.walk(member, tokens && v == '[', images, key)
		}
	}
}

// formReference returns what mime/multipart says about a form, and whether it says
// anything: it read all of it, and the headers are ones that this package means to read.
func formReference(body []byte, boundary string) (Facts, bool) {
	f, ok := formRead(body, boundary)
	if !ok {
		return Facts{}, false
	}
	// To mime/multipart, a form cut in a header ends like a whole one. More lines
	// make the difference: they are an epilogue, or they end the header.
	for _, more := range []string{"\r\n\r\n", "\n\n"} {
		if _, whole := formRead(append(bytes.Clone(body), more...), boundary); whole {
			return f, true
		}
	}
	return Facts{}, false
}

func formRead(body []byte, boundary string) (Facts, bool) {
	f := Facts{Valid: true}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := r.NextRawPart()
		if err == io.EOF { //nolint:errorlint // wrapped, it is a form that breaks off
			return f, true
		}
		if err != nil {
			return Facts{}, false
		}
		line := part.Header.Get("Content-Disposition")
		_, params, err := mime.ParseMediaType(line)
		if line != "" && err != nil || len(line) > 400 || strings.Contains(strings.ToLower(line), "name*") || !ascii(line) {
			return Facts{}, false
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return Facts{}, false
		}
		name := part.FormName()
		if name == "image" || name == "image[]" {
			f.Images++
		}
		if params["filename"] != "" {
			continue
		}
		switch name {
		case "model":
			f.Model = string([]rune(string(content)))
			if len(content) > MaxModel {
				return Facts{}, false
			}
		case "stream":
			f.Stream = strings.EqualFold(string(content), "true") || string(content) == "1"
		case "n":
			f.N = number(node{value: json.Number(content)}, 128)
		case "prompt":
			f.PromptBytes = len(content)
		}
	}
}

func ascii(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf || r < ' ' }) < 0
}
