package k8s

import (
	"encoding/json"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// k8s/monitoring renders to the rule and to a ConfigMap that Grafana's sidecar finds, with the
// dashboard as it is in the file. Queries and alerts are tested in test/monitoring.
func TestMonitoringRendersRuleAndDashboard(t *testing.T) {
	options := krusty.MakeDefaultOptions()
	options.PluginConfig = types.DisabledPluginConfig()
	rendered, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), manifests+"/monitoring")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, r := range rendered.Resources() {
		kinds[r.GetKind()] = true
		if r.GetKind() != "ConfigMap" {
			continue
		}
		if r.GetLabels()["grafana_dashboard"] != "1" {
			t.Errorf("labels %v", r.GetLabels())
		}
		var dashboard struct{ Title string }
		if err := json.Unmarshal([]byte(r.GetDataMap()["outrigger.json"]), &dashboard); err != nil || dashboard.Title != "Outrigger" {
			t.Errorf("dashboard %q, %v", dashboard.Title, err)
		}
	}
	if len(kinds) != 2 || !kinds["PrometheusRule"] || !kinds["ConfigMap"] {
		t.Errorf("rendered %v", kinds)
	}
}
