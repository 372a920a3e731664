package config

import (
	"errors"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"outrigger/internal/values"
)

// environment holds the variables that are ours by their prefix.
type environment map[string]string

// environmentOf picks ours from environ. Of two with the same name the last counts.
func environmentOf(environ []string) environment {
	given := environment{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if ok && strings.HasPrefix(name, Prefix) {
			given[name] = value
		}
	}
	return given
}

// The Source of a variable: not set, set by the environment, or, with its path, by the file
// of a secret.
const (
	sourceDefault     = "default"
	sourceEnvironment = "environment"
	sourceFile        = "file "
)

// find sets the variable's text and where it came from: the environment, a file
// that holds a secret, or the default. Set but empty is not set. A file that cannot be
// read is a problem of the variable.
func (v *variable) find(given environment) {
	v.given, v.Text, v.Source = v.Name, given[v.Name], sourceEnvironment
	if path := given[v.Name+fileSuffix]; v.Secret && path != "" {
		v.given, v.Source = v.Name+fileSuffix, sourceFile+path
		if v.Text != "" {
			v.problem, v.quoted = "only one of "+v.Name+" and this may be set", path
			return
		}
		text, err := readSecret(path)
		if err != nil {
			v.problem, v.quoted = err.Error(), path
			return
		}
		v.Text = text
	}
	if v.Text == "" {
		v.Text, v.Source = v.Default, sourceDefault
	}
}

// envFileMax bounds OUTRIGGER_ENV_FILE in bytes, far above what all variables take.
const envFileMax = 1 << 20

// envFileMistakes is how many lines of it are told of at most: of another kind of file, all
// would be wrong.
const envFileMistakes = 10

const envFileVariable = Prefix + "ENV_FILE"

// envFile is what OUTRIGGER_ENV_FILE says: entries in the form of os.Environ, of which only
// ours are kept. The zero value is no file.
type envFile struct {
	path    string
	entries []values.Secret
}

// readEnvFile reads the file that environ names, if it names one. It notes what is wrong with
// it, by the number of the line: what stands there may be a secret.
func readEnvFile(environ []string, found *mistakes) envFile {
	f := envFile{path: environmentOf(environ)[envFileVariable]}
	if f.path == "" {
		return f
	}
	text, err := readUpTo(f.path, envFileMax)
	if err != nil {
		found.add(envFileVariable, f.path, err.Error())
		return f
	}
	wrong := 0
	for number, line := range strings.Split(strings.TrimPrefix(text, "\ufeff"), "\n") {
		name, value, problem := envLine(line)
		switch {
		case problem == "" && name == envFileVariable:
			problem = "want it in the environment: a file does not name another"
		case problem == "" && strings.HasPrefix(name, Prefix):
			f.entries = append(f.entries, values.NewSecret(name+"="+value))
		}
		if problem == "" {
			continue
		}
		if wrong++; wrong > envFileMistakes {
			found.add(envFileVariable, f.path, "more lines are wrong")
			break
		}
		found.add(envFileVariable, f.path, "line "+strconv.Itoa(number+1)+": "+problem)
	}
	return f
}

// readUpTo returns the content of a file of at most size bytes.
func readUpTo(path string, size int64) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", errors.New("want a file that can be read: " + reason(err).Error())
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, size+1))
	switch {
	case err != nil:
		return "", errors.New("want a file that can be read: " + reason(err).Error())
	case int64(len(content)) > size:
		return "", errors.New("want a file of at most " + strconv.FormatInt(size>>10, 10) + " KiB")
	}
	return string(content), nil
}

// envLine reads one line as Docker and Compose do: NAME=value, perhaps with export in front.
// A value may stand in quotes; without them, a # after a space begins a comment. Nothing in
// it is expanded. The name is empty for a line that has none.
func envLine(line string) (name, value, problem string) { //nolint:nonamedreturns // the names tell them apart
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' {
		return "", "", ""
	}
	name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || strings.ContainsAny(name, " \t\"'#") {
		return "", "", "want NAME=value, or a comment that begins with #"
	}
	switch {
	case value != "" && (value[0] == '"' || value[0] == '\''):
		value, ok = quoted(value)
	case strings.HasPrefix(value, "#"):
		value = ""
	default:
		if at := comment.FindStringIndex(value); at != nil {
			value = value[:at[0]]
		}
	}
	if !ok {
		return "", "", "want the quote closed in the same line, and nothing but a comment after it"
	}
	return name, value, ""
}

// comment matches the beginning of one behind a value.
var comment = regexp.MustCompile(`\s+#`)

// quoted returns what stands between quotes at the start of text, and whether that is all
// but a comment. In double quotes, \" and \\ stand for a quote and a backslash.
func quoted(text string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[0]:
			rest := strings.TrimSpace(text[i+1:])
			return b.String(), rest == "" || rest[0] == '#'
		case c == '\\' && text[0] == '"' && i+1 < len(text) && (text[i+1] == '"' || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

// beneath returns environ with what the file says beneath it: a variable that environ has, be
// it empty or under its _FILE name, is not the file's.
func (f envFile) beneath(environ []string) ([]string, map[string]bool) {
	above, from := environmentOf(environ), map[string]bool{}
	var all []string
	for _, entry := range f.entries {
		name, _, _ := strings.Cut(entry.Reveal(), "=")
		_, one := above[strings.TrimSuffix(name, fileSuffix)]
		_, other := above[strings.TrimSuffix(name, fileSuffix)+fileSuffix]
		if one || other {
			continue
		}
		from[name] = true
		all = append(all, entry.Reveal())
	}
	return append(all, environ...), from
}
