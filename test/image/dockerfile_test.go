package image

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outrigger/test/process"
)

// instruction is one of a Dockerfile, its continuation lines joined.
type instruction struct{ name, rest string }

// stages returns the instructions of each stage, its FROM first.
func stages(t *testing.T) [][]instruction {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	var list [][]instruction
	joined := strings.ReplaceAll(string(text), "\\\n", " ")
	for line := range strings.Lines(joined) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, rest, _ := strings.Cut(line, " ")
		if name == "FROM" {
			list = append(list, nil)
		}
		if len(list) == 0 { // what names the builder
			if name != "ARG" {
				t.Fatalf("%q stands before the first FROM", line)
			}
			continue
		}
		last := &list[len(list)-1]
		*last = append(*last, instruction{name, strings.Join(strings.Fields(rest), " ")})
	}
	if len(list) != 2 {
		t.Fatalf("%d stages, want a build and a final one", len(list))
	}
	return list
}

func root(t *testing.T) string {
	t.Helper()
	directory, err := process.Root()
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

// all returns what follows each instruction of that name.
func all(stage []instruction, name string) []string {
	var list []string
	for _, i := range stage {
		if i.name == name {
			list = append(list, i.rest)
		}
	}
	return list
}

func TestTheFinalStageIsEmptyButForWhatIsCopied(t *testing.T) {
	final := stages(t)[1]
	for name, want := range map[string][]string{
		"FROM":       {"scratch"},
		"USER":       {"65532:65532"},
		"EXPOSE":     {"8383 8384"},
		"ENTRYPOINT": {`["/outrigger"]`},
		"VOLUME":     {"/tmp"},
		"RUN":        nil, // there is no shell to run it
		"ENV":        nil, // the defaults are the binary's
		"COPY": {
			"--from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt",
			"--from=build /usr/share/doc/ca-certificates/copyright /licenses/ca-certificates/copyright",
			"--from=build --chmod=1777 /out/root/ /",
			"--from=build /out/outrigger /outrigger",
			"--from=build /out/licenses/ /licenses/",
			"LICENSE /LICENSE",
		},
	} {
		if got := all(final, name); !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	health := all(final, "HEALTHCHECK")
	if len(health) != 1 || !strings.HasSuffix(health[0], ` CMD ["/outrigger", "healthcheck"]`) {
		t.Errorf("HEALTHCHECK is %q", health)
	}
}

func TestTheBuilderIsTheGoVersionOfTheModule(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, version, _ := strings.Cut(string(text), "\ngo ")
	version, _, _ = strings.Cut(version, "\n")
	minor := strings.Join(strings.Split(version, ".")[:2], ".")
	if got, want := all(stages(t)[0], "FROM"), "--platform=$BUILDPLATFORM $GO_IMAGE AS build"; !slices.Equal(got, []string{want}) {
		t.Errorf("FROM %q, want %q", got, want)
	}
	dockerfile, err := os.ReadFile(filepath.Join(root(t), "Dockerfile"))
	if want := "\nARG GO_IMAGE=golang:" + minor + "-bookworm\n"; err != nil || !strings.Contains(string(dockerfile), want) {
		t.Errorf("%v, want %q", err, want)
	}
	if _, chain, ok := strings.Cut(string(text), "\ntoolchain go"); !ok || !strings.HasPrefix(chain, minor+".") {
		t.Error("go.mod names no toolchain of that version: builds would differ by what is installed")
	}
}

// Builders that are older, or others than BuildKit, take the first name of an ARG alone.
func TestEveryARGIsOnALineOfItsOwn(t *testing.T) {
	for _, stage := range stages(t) {
		for _, names := range all(stage, "ARG") {
			if strings.Contains(names, " ") {
				t.Errorf("ARG %s", names)
			}
		}
	}
}

// What .dockerignore leaves out is not there to be copied or built.
func TestTheBuildContextHoldsWhatIsCopiedFromIt(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	ignore := strings.Split(string(text), "\n")
	if !slices.Contains(ignore, "*") {
		t.Error("the context is not closed by default")
	}
	for _, name := range []string{"LICENSE", ".image", "go.mod", "go.sum", "cmd", "policy", "proxy", "internal"} {
		if !slices.Contains(ignore, "!"+name) {
			t.Errorf("%s is not in the build context", name)
		}
	}
}
