package k8s

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// valkey returns the fleet component's server, which must be its pod's one container.
func valkey(t *testing.T, all objects) (corev1.PodTemplateSpec, corev1.Container) {
	t.Helper()
	if len(all.statefulSets) != 1 || len(all.services) != 1 {
		t.Fatalf("%d StatefulSets and %d Services, want one each", len(all.statefulSets), len(all.services))
	}
	pod := all.statefulSets[0].Spec.Template
	if len(pod.Spec.Containers) != 1 || len(pod.Spec.InitContainers) != 0 {
		t.Fatalf("containers are %v", names(pod.Spec.Containers))
	}
	return pod, pod.Spec.Containers[0]
}

func TestFleet_OutriggerReadsTheURLAndTheServerItsUsersFromOneSecret(t *testing.T) {
	if all := build(t, filesys.MakeFsOnDisk(), manifests); len(all.statefulSets) > 0 || value(sidecar(t, all.deployments[0]), "OUTRIGGER_REDIS_URL_FILE") != "" {
		t.Error("the fleet is on without being asked for")
	}
	all := withComponent(t, "fleet")
	pod, server := valkey(t, all)
	file := func(c corev1.Container, volumes []corev1.Volume, path string) string { // SECRET/KEY of what is there
		for _, m := range c.VolumeMounts {
			for _, v := range volumes {
				if v.Name == m.Name && v.Secret != nil && m.ReadOnly && len(v.Secret.Items) == 1 && path == m.MountPath+"/"+v.Secret.Items[0].Path {
					return v.Secret.SecretName + "/" + v.Secret.Items[0].Key
				}
			}
		}
		return ""
	}
	d := all.deployments[0].Spec.Template.Spec
	if got := file(sidecar(t, all.deployments[0]), d.Volumes, value(sidecar(t, all.deployments[0]), "OUTRIGGER_REDIS_URL_FILE")); got != "outrigger-fleet/url" {
		t.Errorf("Outrigger reads %q", got)
	}
	for _, m := range app(t, all.deployments[0]).VolumeMounts {
		if m.Name == "outrigger-fleet" {
			t.Error("the app mounts the server's password")
		}
	}
	if got := file(server, pod.Spec.Volumes, argument(server, "--aclfile")); got != "outrigger-fleet/users.acl" {
		t.Errorf("the server reads %q", got)
	}
}

// argument returns what follows name in a container's command.
func argument(c corev1.Container, name string) string {
	if i := slices.Index(c.Command, name); i >= 0 && i+1 < len(c.Command) {
		return c.Command[i+1]
	}
	return ""
}

func TestFleet_TheServerEvictsNothingAndFitsItsMemory(t *testing.T) {
	_, server := valkey(t, withComponent(t, "fleet"))
	if got := argument(server, "--maxmemory-policy"); got != "noeviction" {
		t.Errorf("maxmemory-policy is %q", got)
	}
	most := quantity(t, strings.Replace(argument(server, "--maxmemory"), "mb", "Mi", 1))
	limit := server.Resources.Limits[corev1.ResourceMemory]
	if most.IsZero() || most.Value()+32<<20 > limit.Value() {
		t.Errorf("maxmemory %s leaves nothing of the limit %s for connections", most.String(), limit.String())
	}
	if server.Resources.Requests.Memory().IsZero() || server.Resources.Requests.Cpu().IsZero() {
		t.Error("the server requests no memory or CPU")
	}
}

func TestFleet_TheServerMeetsTheRestrictedSecurityStandard(t *testing.T) {
	pod, server := valkey(t, withComponent(t, "fleet"))
	own := server.SecurityContext
	switch {
	case own == nil, own.AllowPrivilegeEscalation == nil, own.RunAsNonRoot == nil, own.ReadOnlyRootFilesystem == nil, own.Capabilities == nil, own.SeccompProfile == nil:
		t.Fatalf("security context is %+v", own)
	case *own.AllowPrivilegeEscalation, !*own.RunAsNonRoot, !*own.ReadOnlyRootFilesystem, own.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault,
		!slices.Equal(own.Capabilities.Drop, []corev1.Capability{"ALL"}), len(own.Capabilities.Add) > 0:
		t.Errorf("security context is %+v", own)
	}
	if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
		t.Error("a service account token is mounted that nothing uses")
	}
}

func TestFleet_OnlyTheAppsPodsReachTheServer(t *testing.T) {
	all := withComponent(t, "fleet")
	pod, server := valkey(t, all)
	service := all.services[0]
	port := server.Ports[0]
	if len(service.Spec.Ports) != 1 || service.Spec.Ports[0].TargetPort.String() != port.Name || service.Spec.Ports[0].Port != port.ContainerPort {
		t.Errorf("the Service has ports %+v, the server %+v", service.Spec.Ports, port)
	}
	if len(all.policies) != 1 {
		t.Fatalf("%d policies", len(all.policies))
	}
	policy := all.policies[0].Spec
	for name, selector := range map[string]map[string]string{"service": service.Spec.Selector, "policy": policy.PodSelector.MatchLabels, "set": all.statefulSets[0].Spec.Selector.MatchLabels} {
		if len(selector) == 0 || !selects(selector, pod.Labels) || selects(selector, all.deployments[0].Spec.Template.Labels) {
			t.Errorf("the %s selects %v, the server has %v", name, selector, pod.Labels)
		}
	}
	if !slices.Equal(policy.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress}) || len(policy.Egress) > 0 {
		t.Errorf("it is about %v, and lets %v out", policy.PolicyTypes, policy.Egress)
	}
	if len(policy.Ingress) != 1 || len(policy.Ingress[0].From) != 1 || len(policy.Ingress[0].Ports) != 1 || policy.Ingress[0].Ports[0].Port.IntVal != port.ContainerPort {
		t.Fatalf("it lets %+v in", policy.Ingress)
	}
	from := policy.Ingress[0].From[0]
	if from.PodSelector == nil || from.NamespaceSelector != nil || from.IPBlock != nil || !selects(from.PodSelector.MatchLabels, all.deployments[0].Spec.Template.Labels) {
		t.Errorf("it lets %+v in, want the app's pods", from)
	}
}

func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return true
}

// The README's command makes what the manifests read: a URL that names the Service, and a user
// with the rights that Outrigger's own page says are enough.
func TestFleet_TheSecretsCommandFitsTheManifests(t *testing.T) {
	all := withComponent(t, "fleet")
	_, server := valkey(t, all)
	page, err := os.ReadFile(manifests + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	url := regexp.MustCompile(`url="redis://(\w+):\$password@([\w-]+):(\d+)"`).FindStringSubmatch(string(page))
	if url == nil || url[2] != all.services[0].Name || url[3] != "6379" || server.Ports[0].ContainerPort != 6379 {
		t.Fatalf("the URL is %q", url)
	}
	other, err := os.ReadFile("../../cmd/outrigger/README.md")
	if err != nil {
		t.Fatal(err)
	}
	rights := regexp.MustCompile(`(?m)(~outrigger:fleet:\* [^"\n]+)"?$`)
	here, there := rights.FindStringSubmatch(string(page)), rights.FindStringSubmatch(string(other))
	if here == nil || there == nil || here[1] != there[1] {
		t.Errorf("the user's rights are %q, want %q", here, there)
	}
	if !strings.Contains(string(page), "user default off\n    user "+url[1]+" on >$password ~") {
		t.Error("the user of the URL is not the one of users.acl, or others may connect")
	}
}
