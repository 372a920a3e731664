package pick

import (
	"strings"
	"testing"

	"outrigger/internal/clip"
)

const formType = "multipart/form-data; boundary=B"

func lines(l ...string) string { return strings.Join(l, "\r\n") }

func disposition(name string) string {
	return `Content-Disposition: form-data; name="` + name + `"`
}

// formCases have the boundary B. They seed the fuzz test, too.
var formCases = map[string]struct {
	body string
	want Facts
}{
	"transcription": {
		lines("--B", disposition("model"), "", "whisper-1",
			"--B", disposition("stream"), "", "true",
			"--B", `Content-Disposition: form-data; name="file"; filename="a.mp3"`, "Content-Type: audio/mpeg", "", "\x00\r\n\r\n--\r\n--A\r--B\n--B",
			"--B", disposition("prompt"), "", "hello",
			"--B--", ""),
		Facts{Model: "whisper-1", ModelStart: 53, ModelEnd: 62, Stream: true, PromptBytes: 5, Valid: true},
	},
	"image edit": {
		lines("--B", `Content-Disposition: form-data; name="image[]"; filename="a.png"`, "", "PNG",
			"--B", `Content-Disposition: form-data; name="image[]"; filename="b.png"`, "", "PNG",
			"--B", disposition("n"), "", "3", "--B--"),
		Facts{N: 3, Images: 2, Valid: true},
	},
	"lines that end in LF": {
		"--B\n" + disposition("model") + "\n\nm\r\n--B\n" + disposition("n") + "\n\n2\n--B--\n",
		Facts{Model: "m\r", ModelStart: 50, ModelEnd: 52, N: 2, Valid: true},
	},
	"LF and then CRLF":    {"--B\n" + disposition("n") + "\n\n2\n--B\r\n", Facts{N: 2}},
	"CRLF and then LF":    {"--B\r\n" + disposition("n") + "\r\n\r\n2\r\n--B\n", Facts{N: 2}},
	"preamble":            {lines("hello", "--BB", "--B-", "--", " --B", "--B x", "--B\rx", "--B--x", "--B", disposition("n"), "", "2", "--B--"), Facts{N: 2, Valid: true}},
	"final line in LF":    {lines("--B--\n--B", disposition("n"), "", "2", "--B--", ""), Facts{N: 2, Valid: true}},
	"epilogue":            {lines("--B", disposition("n"), "", "2", "--B--", "--B", disposition("n"), "", "3", "--B--"), Facts{N: 2, Valid: true}},
	"white space after":   {lines("--B \t", disposition("n"), "", "2", "--B-- \t", ""), Facts{N: 2, Valid: true}},
	"no part at all":      {"--B--", Facts{Valid: true}},
	"empty content":       {lines("--B", disposition("model"), "", "--B", disposition("n"), "", "2", "--B--"), Facts{N: 2, Valid: true}},
	"content of one line": {lines("--B", disposition("model"), "", "", "--B--"), Facts{Valid: true}},
	"content like a boundary": {
		lines("--B", disposition("model"), "", "--Bx--B-x\r\n--Bx\r\n-\r\n--B-x", "--B--"),
		Facts{Model: "--Bx--B-x\r\n--Bx\r\n-\r\n--B-x", ModelStart: 53, ModelEnd: 78, Valid: true},
	},
	"content that ends like a boundary": {
		lines("--B", disposition("model"), "", "a\r\r\n--", "--B--"),
		Facts{Model: "a\r\r\n--", ModelStart: 53, ModelEnd: 59, Valid: true},
	},
	"junk after a boundary":       {lines("--B", disposition("n"), "", "2", "--B x", disposition("n"), "", "3", "--B--"), Facts{N: 2}},
	"junk after the last one":     {lines("--B", disposition("n"), "", "2", "--B--x"), Facts{N: 2}},
	"CR after the last one":       {lines("--B", disposition("n"), "", "2", "--B--\r"), Facts{N: 2}},
	"cut in the content":          {lines("--B", disposition("n"), "", "2", "--B", disposition("model"), "", "gpt"), Facts{N: 2}},
	"the last of two counts":      {lines("--B", disposition("n"), "", "2", "--B", disposition("n"), "", "3", "--B--"), Facts{N: 3, Valid: true}},
	"the last of two is no value": {lines("--B", disposition("stream"), "", "true", "--B", disposition("stream"), "", "maybe", "--B--"), Facts{Valid: true}},
	"stream as Python writes it":  {lines("--B", disposition("stream"), "", "True", "--B--"), Facts{Stream: true, Valid: true}},
	"stream as a number":          {lines("--B", disposition("stream"), "", "1", "--B--"), Facts{Stream: true, Valid: true}},
	"stream false":                {lines("--B", disposition("stream"), "", "false", "--B--"), Facts{Valid: true}},
	"model as a file":             {lines("--B", disposition("model")+`; filename="m"`, "", "m", "--B--"), Facts{Valid: true}},
	"model as a file, encoded":    {lines("--B", disposition("model")+`; filename*=utf-8''m`, "", "m", "--B--"), Facts{Valid: true}},
	"model with no file name":     {lines("--B", disposition("n")+`; filename=""`, "", "4", "--B--"), Facts{N: 4, Valid: true}},
	"long model":                  {lines("--B", disposition("model"), "", strings.Repeat("m", 300), "--B--"), Facts{Model: clip.Text(strings.Repeat("m", 300), MaxModel), ModelStart: 53, ModelEnd: 353, Valid: true}},
	"other headers": {
		lines("--B", "content-type: text/plain", "CONTENT-disposition:form-data ;\tNAME = n", "X: "+strings.Repeat("x", 600), "", "5", "--B--"),
		Facts{N: 5, Valid: true},
	},
	"folded header":          {lines("--B", "Content-Disposition: form-data;", " name=n", "", "5", "--B--"), Facts{N: 5, Valid: true}},
	"header folded at first": {lines("--B", " Content-Disposition: form-data; name=n", "", "5", "--B--"), Facts{}},
	"bare CR in the header":  {lines("--B", "\rX", "", "5", "--B--"), Facts{}},
	"no header":              {lines("--B", "", "5", "--B--"), Facts{Valid: true}},
	"long disposition": {
		lines("--B", `Content-Disposition: form-data; x="`+strings.Repeat("x", 600)+`"; name=n`, "", "5", "--B--"), Facts{Valid: true},
	},
	"long disposition with a name at first": {
		lines("--B", "Content-Disposition: form-data; name=n; x="+strings.Repeat("x", 600), "", "5", "--B--"), Facts{Valid: true},
	},
	"a last one cut off takes the first away": {
		lines("--B", disposition("n"), "", "2", "--B", disposition("stream"), "", "1", "--B", disposition("prompt"), "", "x",
			"--B", disposition("n"), "", "3", "--B", disposition("stream"), "", "1", "--B", disposition("prompt"), "", "x",
			"--B", disposition("n"), "", "4", "--B", disposition("stream"), "", "1", "--B", disposition("prompt"), "", "xyz"),
		Facts{N: 4, Stream: true},
	},
	"a number cut off": {lines("--B", disposition("n"), "", "2", "--B", disposition("n"), "", "4"), Facts{}},
	"a flag cut off":   {lines("--B", disposition("stream"), "", "1", "--B", disposition("stream"), "", "1"), Facts{}},
	"the first disposition counts": {
		lines("--B", disposition("n"), disposition("model"), "", "5", "--B--"), Facts{N: 5, Valid: true},
	},
}

func TestFormFactsInAnySplit(t *testing.T) {
	for name, tt := range formCases {
		t.Run(name, func(t *testing.T) { wantFacts(t, formType, tt.body, tt.want) })
	}
}

func TestDispositionNamesAField(t *testing.T) {
	for value, want := range map[string]field{
		`form-data; name="model"`:                        fieldModel,
		` FORM-DATA ;name=model`:                         fieldModel,
		`form-data; name="model";`:                       fieldModel,
		`form-data; name="model"; name=model`:            fieldModel,
		`form-data; x="; name=n"; name="model"`:          fieldModel,
		`form-data; x="\"; name=n"; name="model"`:        fieldModel,
		`form-data; filename="; name=model"; name="x"`:   fieldOther,
		`form-data; filename="a\"b"; name="image"`:       fieldImage,
		`form-data; filename="C:\dir\a.png"; name=image`: fieldImage,
		`form-data; name="model"; name=n`:                fieldOther,
		`form-data; name="model`:                         fieldOther,
		`form-data; name=`:                               fieldOther,
		`form-data; name`:                                fieldOther,
		`form-data; name="model" x`:                      fieldOther,
		`form-data; =x; name=model`:                      fieldOther,
		`form-data; ; name=model`:                        fieldOther,
		`form-data; name*=utf-8''model`:                  fieldOther,
		`form-data; name="modelmodelmodelmodelmodel"`:    fieldOther,
		`form-data`:                fieldOther,
		`attachment; name="model"`: fieldOther,
		``:                         fieldOther,
	} {
		if got := disposed([]byte(value)); got != want {
			t.Errorf("disposed(%s) = %d, want %d", value, got, want)
		}
	}
}
