package monitoring

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// rules is the rule file in the PrometheusRule: all below its spec.
func rules(t *testing.T) string {
	t.Helper()
	_, spec, found := strings.Cut(read(t, filepath.Join(directory, "prometheusrule.yaml")), "\nspec:\n")
	if !found {
		t.Fatal("no spec")
	}
	var b strings.Builder
	for line := range strings.Lines(spec) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

func TestAlerts_FireAndStaySilent(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "rules.yaml"), rules(t))
	write(t, filepath.Join(dir, "alerts.yaml"), read(t, "testdata/alerts.yaml"))
	promtool(t, dir, "", "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
	promtool(t, dir, "", "test", "rules", "alerts.yaml")
}

var (
	alert = regexp.MustCompile(`(?m)^ *- alert: (\w+)$`)
	check = regexp.MustCompile(`alertname: (\w+)\n +exp_alerts:( \[\])?\n`)
)

// promtool is content with an alert that no test names.
func TestAlerts_EachHasATestInWhichItFiresAndOneInWhichItStaysSilent(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, m := range check.FindAllStringSubmatch(read(t, "testdata/alerts.yaml"), -1) {
		if m[2] == "" {
			fires[m[1]] = true
		} else {
			silent[m[1]] = true
		}
	}
	var names []string
	for _, m := range alert.FindAllStringSubmatch(rules(t), -1) {
		names = append(names, m[1])
		if !fires[m[1]] || !silent[m[1]] {
			t.Errorf("%s: fires in a test: %v, stays silent in one: %v", m[1], fires[m[1]], silent[m[1]])
		}
	}
	if len(names) == 0 || len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("alerts %q", names)
	}
}
