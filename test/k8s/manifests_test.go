package k8s

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const (
	manifests = "../../k8s"
	example   = "../../config.example.env"
)

// build renders a kustomization as `kubectl apply -k` does and decodes what is
// in it, one Deployment among it. A field that Kubernetes does not know, or that stands twice,
// fails the test: the API server would drop it with no more than a warning.
func build(t *testing.T, fs filesys.FileSystem, dir string) objects {
	t.Helper()
	options := krusty.MakeDefaultOptions()
	options.PluginConfig = types.DisabledPluginConfig()
	rendered, err := krusty.MakeKustomizer(options).Run(fs, dir)
	if err != nil {
		t.Fatal(err)
	}
	scheme := runtime.NewScheme()
	if err := errors.Join(appsv1.AddToScheme(scheme), corev1.AddToScheme(scheme), networkingv1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme,
		json.SerializerOptions{Yaml: true, Strict: true})
	var all objects
	for _, r := range rendered.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		switch o := object.(type) {
		case *appsv1.Deployment:
			all.deployments = append(all.deployments, o)
		case *networkingv1.NetworkPolicy:
			all.policies = append(all.policies, o)
		case *appsv1.StatefulSet:
			all.statefulSets = append(all.statefulSets, o)
		case *corev1.Service:
			all.services = append(all.services, o)
		}
	}
	if len(all.deployments) != 1 || all.count() != rendered.Size() {
		t.Fatalf("rendered %d objects, %d of them Deployments", rendered.Size(), len(all.deployments))
	}
	return all
}

// objects are what a kustomization renders, by kind.
type objects struct {
	deployments  []*appsv1.Deployment
	policies     []*networkingv1.NetworkPolicy
	statefulSets []*appsv1.StatefulSet
	services     []*corev1.Service
}

func (o objects) count() int {
	return len(o.deployments) + len(o.policies) + len(o.statefulSets) + len(o.services)
}

// variants are the ways that the README tells to apply: as it stands, with the component that
// gives the key to Outrigger, and with the one that has all pods share one limit.
func variants(t *testing.T) map[string]*appsv1.Deployment {
	t.Helper()
	return map[string]*appsv1.Deployment{
		"as it stands":           build(t, filesys.MakeFsOnDisk(), manifests).deployments[0],
		"with the key component": withComponent(t, "key").deployments[0],
		"with a fleet":           withComponent(t, "fleet").deployments[0],
	}
}

// withComponent renders the manifests with a component switched on.
func withComponent(t *testing.T, component string) objects {
	t.Helper()
	memory := filesys.MakeFsInMemory()
	for _, name := range []string{
		"kustomization.yaml", "deployment.yaml", "key/kustomization.yaml", "key/deployment.yaml",
		"networkpolicy/kustomization.yaml", "networkpolicy/networkpolicy.yaml",
		"fleet/kustomization.yaml", "fleet/deployment.yaml", "fleet/valkey.yaml", "fleet/networkpolicy.yaml",
	} {
		text, err := os.ReadFile(manifests + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "kustomization.yaml" {
			if !strings.Contains(string(text), "\n# components:\n") || !strings.Contains(string(text), "\n#   - "+component+"\n") {
				t.Fatalf("kustomization.yaml has no commented-out component %s", component)
			}
			text = []byte(strings.Replace(string(text), "\n# components:\n", "\ncomponents:\n  - "+component+"\n", 1))
		}
		if err := memory.WriteFile("/k8s/"+name, text); err != nil {
			t.Fatal(err)
		}
	}
	return build(t, memory, "/k8s")
}

// sidecar returns Outrigger's container, which must be the one init container.
func sidecar(t *testing.T, d *appsv1.Deployment) corev1.Container {
	t.Helper()
	containers := d.Spec.Template.Spec.InitContainers
	if len(containers) != 1 || containers[0].Name != "outrigger" {
		t.Fatalf("init containers are %v, want outrigger alone", names(containers))
	}
	return containers[0]
}

func app(t *testing.T, d *appsv1.Deployment) corev1.Container {
	t.Helper()
	containers := d.Spec.Template.Spec.Containers
	if len(containers) != 1 || containers[0].Name != "app" {
		t.Fatalf("containers are %v, want app alone", names(containers))
	}
	return containers[0]
}

func names(containers []corev1.Container) []string {
	var list []string
	for _, c := range containers {
		list = append(list, c.Name)
	}
	return list
}

// value returns what an environment variable is set to, "" for one that is not.
func value(c corev1.Container, name string) string {
	for _, e := range c.Env {
		if e.Name == name {
			return e.Value
		}
	}
	return ""
}

func each(t *testing.T, check func(*testing.T, *appsv1.Deployment)) {
	t.Helper()
	for name, d := range variants(t) {
		t.Run(name, func(t *testing.T) { check(t, d) })
	}
}

func TestOutriggerIsANativeSidecarThatStartsBeforeTheApp(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		c := sidecar(t, d)
		if c.RestartPolicy == nil || *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
			t.Error("without restartPolicy Always the pod waits for Outrigger to end before it starts the app")
		}
		if c.StartupProbe == nil {
			t.Error("without a startup probe the app starts before Outrigger takes traffic")
		}
		if got := value(app(t, d), "OPENAI_BASE_URL"); got != "http://127.0.0.1:8383/v1" {
			t.Errorf("the app's OPENAI_BASE_URL is %q", got)
		}
	})
}

func TestTrafficStaysOnLoopbackAndProbesReachTheAdminListener(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		c := sidecar(t, d)
		if got := value(c, "OUTRIGGER_LISTEN"); got != "" {
			t.Errorf("OUTRIGGER_LISTEN is %q, want the loopback default", got)
		}
		if got := value(c, "OUTRIGGER_ADMIN_LISTEN"); got != ":8384" {
			t.Errorf("OUTRIGGER_ADMIN_LISTEN is %q, want all addresses", got)
		}
		if len(c.Ports) != 1 || c.Ports[0].ContainerPort != 8384 {
			t.Fatalf("ports are %v, want the admin listener's alone", c.Ports)
		}
		for name, probe := range map[string]struct {
			is   *corev1.Probe
			path string
		}{
			"startup":   {c.StartupProbe, "/readyz"},
			"readiness": {c.ReadinessProbe, "/readyz"},
			"liveness":  {c.LivenessProbe, "/healthz"},
		} {
			if probe.is == nil || probe.is.HTTPGet == nil {
				t.Errorf("no %s probe by HTTP", name)
				continue
			}
			if got := probe.is.HTTPGet; got.Path != probe.path || got.Port.String() != c.Ports[0].Name {
				t.Errorf("%s probe asks %s on %s", name, got.Path, got.Port.String())
			}
		}
		annotations := d.Spec.Template.Annotations
		if annotations["prometheus.io/port"] != "8384" || annotations["prometheus.io/path"] != "/metrics" || annotations["prometheus.io/scrape"] != "true" {
			t.Errorf("scrape annotations are %v", annotations)
		}
	})
}

func TestOutriggersContainerMeetsTheRestrictedSecurityStandard(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		own := sidecar(t, d).SecurityContext
		if own == nil || own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation {
			t.Fatal("Outrigger may gain privileges")
		}
		if own.Capabilities == nil || !slices.Equal(own.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(own.Capabilities.Add) > 0 {
			t.Errorf("Outrigger has capabilities %+v", own.Capabilities)
		}
		if own.SeccompProfile == nil || own.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("Outrigger's seccomp profile is %+v", own.SeccompProfile)
		}
		if own.ReadOnlyRootFilesystem == nil || !*own.ReadOnlyRootFilesystem {
			t.Error("Outrigger's root file system is writable")
		}
		if own.RunAsUser == nil || *own.RunAsUser != 65532 || own.RunAsNonRoot == nil || !*own.RunAsNonRoot {
			t.Error("Outrigger does not run as the image's user 65532")
		}
		spec := d.Spec.Template.Spec
		if spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken {
			t.Error("a service account token is mounted that nothing here uses")
		}
	})
}

// A pod's securityContext holds for the app as well, and its fsGroup for the volumes of
// a StatefulSet.
func TestNothingIsSaidOfTheAppsSecurityContext(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		if pod := d.Spec.Template.Spec.SecurityContext; pod != nil {
			t.Errorf("the pod's security context is %+v", pod)
		}
		if own := app(t, d).SecurityContext; own != nil {
			t.Errorf("the app's security context is %+v", own)
		}
	})
}

// streamSize is what an open stream takes, as measured: 89 MB for 1,000.
const streamSize = 89_000

func TestTheStreamsThatAreLetInFitTheMemory(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		c := sidecar(t, d)
		if request := c.Resources.Requests[corev1.ResourceMemory]; request.Value() < 1000*streamSize {
			t.Errorf("the request of %s does not hold 1,000 streams", request.String())
		}
		inflight, bodies, goLimit := quantity(t, value(c, "OUTRIGGER_MAX_INFLIGHT")), quantity(t, value(c, "OUTRIGGER_MEMORY_MAX")), quantity(t, value(c, "GOMEMLIMIT"))
		if need := inflight.Value()*streamSize + bodies.Value(); inflight.Value() == 0 || need > goLimit.Value() {
			t.Errorf("%d streams and the bodies take %d bytes, over GOMEMLIMIT %s", inflight.Value(), need, goLimit.String())
		}
	})
}

func TestTheNetworkPolicyClosesTheAdminPortAlone(t *testing.T) {
	if p := build(t, filesys.MakeFsOnDisk(), manifests).policies; len(p) > 0 {
		t.Error("the network policy is on without being asked for")
	}
	all := withComponent(t, "networkpolicy")
	if len(all.policies) != 1 {
		t.Fatalf("%d policies", len(all.policies))
	}
	policy, labels := all.policies[0].Spec, all.deployments[0].Spec.Template.Labels
	for name, value := range policy.PodSelector.MatchLabels {
		if labels[name] != value {
			t.Errorf("it selects pods with %s=%s, which ours have not", name, value)
		}
	}
	if !slices.Equal(policy.PolicyTypes, []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}) {
		t.Errorf("it is about %v", policy.PolicyTypes)
	}
	open := func(protocol corev1.Protocol, port int32) bool { // to all
		return slices.ContainsFunc(policy.Ingress, func(rule networkingv1.NetworkPolicyIngressRule) bool {
			return len(rule.From) == 0 && slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool {
				of, last := corev1.ProtocolTCP, p.Port.IntVal
				if p.Protocol != nil {
					of = *p.Protocol
				}
				if p.EndPort != nil {
					last = *p.EndPort
				}
				return of == protocol && p.Port.IntVal <= port && port <= last
			})
		})
	}
	for port := int32(1); port <= 65535; port++ {
		if open(corev1.ProtocolTCP, port) != (port != 8384) || !open(corev1.ProtocolUDP, port) {
			t.Fatalf("port %d: TCP open to all: %v", port, open(corev1.ProtocolTCP, port))
		}
	}
	last := policy.Ingress[len(policy.Ingress)-1]
	if len(last.From) != 1 || len(last.Ports) != 1 || last.Ports[0].Port.IntVal != 8384 {
		t.Errorf("the last rule is %+v", last)
	}
}

func TestTheGracePeriodCoversTheDrain(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		drain := time.Duration(0)
		for _, name := range []string{"OUTRIGGER_DRAIN_DELAY", "OUTRIGGER_DRAIN_TIMEOUT"} {
			text := value(sidecar(t, d), name)
			if text == "" {
				continue
			}
			part, err := time.ParseDuration(text)
			if err != nil {
				t.Fatal(err)
			}
			drain += part
		}
		grace := d.Spec.Template.Spec.TerminationGracePeriodSeconds
		if drain == 0 || grace == nil || time.Duration(*grace)*time.Second < drain+10*time.Second {
			t.Errorf("drain %v does not leave the app 10s of the grace period", drain)
		}
	})
}

func TestBodiesFitTheMemoryLimitAndTheSpoolVolume(t *testing.T) {
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		c := sidecar(t, d)
		var volume *corev1.EmptyDirVolumeSource
		for _, v := range d.Spec.Template.Spec.Volumes {
			if v.Name == "outrigger-spool" {
				volume = v.EmptyDir
			}
		}
		if volume == nil || volume.SizeLimit == nil {
			t.Fatal("the spool volume has no size limit")
		}
		if !slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
			return m.Name == "outrigger-spool" && m.MountPath == value(c, "OUTRIGGER_SPOOL_DIR") && !m.ReadOnly
		}) {
			t.Error("OUTRIGGER_SPOOL_DIR is not where the volume is mounted")
		}
		spool := quantity(t, value(c, "OUTRIGGER_SPOOL_MAX"))
		if spool.Cmp(*volume.SizeLimit) >= 0 || volume.SizeLimit.Cmp(c.Resources.Limits[corev1.ResourceEphemeralStorage]) > 0 {
			t.Errorf("want spool %s < volume %s <= ephemeral storage", spool.String(), volume.SizeLimit)
		}
		bodies, goLimit := quantity(t, value(c, "OUTRIGGER_MEMORY_MAX")), quantity(t, value(c, "GOMEMLIMIT"))
		if goLimit.Cmp(c.Resources.Limits[corev1.ResourceMemory]) >= 0 || bodies.Value()*2 > goLimit.Value() {
			t.Errorf("want bodies %s at most half of GOMEMLIMIT %s, and that below the limit", bodies.String(), goLimit.String())
		}
	})
}

// quantity reads Outrigger's and Go's sizes, whose units end in B where Kubernetes' do not.
func quantity(t *testing.T, text string) resource.Quantity {
	t.Helper()
	q, err := resource.ParseQuantity(strings.TrimSuffix(text, "B"))
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return q
}

func TestTheKeyComponentMovesTheKeyFromTheAppToOutrigger(t *testing.T) {
	both := variants(t)
	if d := both["as it stands"]; value(sidecar(t, d), "OUTRIGGER_UPSTREAM_OPENAI_API_KEY_FILE") != "" {
		t.Error("the key component is on without being asked for")
	}
	d := both["with the key component"]
	c := sidecar(t, d)
	file := value(c, "OUTRIGGER_UPSTREAM_OPENAI_API_KEY_FILE")
	mounted := slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
		return m.Name == "outrigger-key" && m.ReadOnly && file == m.MountPath+"/api-key"
	})
	if !mounted {
		t.Errorf("%q is not under a mounted secret: %v", file, c.VolumeMounts)
	}
	if len(c.VolumeMounts) != 2 {
		t.Errorf("the component replaced the spool's mount: %v", c.VolumeMounts)
	}
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Name == "outrigger-key" && (v.Secret == nil || v.Secret.DefaultMode == nil || *v.Secret.DefaultMode != 0o444) {
			t.Errorf("secret volume is %+v", v.Secret)
		}
	}
	for _, m := range app(t, d).VolumeMounts {
		if m.Name == "outrigger-key" {
			t.Error("the app mounts the key, which all users of its container can read")
		}
	}
	for _, e := range app(t, d).Env {
		if e.Name == "OPENAI_API_KEY" && (e.ValueFrom != nil || e.Value == "") {
			t.Errorf("the app still reads the key itself: %+v", e)
		}
	}
}

func TestEveryVariableInTheManifestsIsInTheExampleFile(t *testing.T) {
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, line := range regexp.MustCompile(`(?m)^#(OUTRIGGER_\w+)=`).FindAllStringSubmatch(string(text), -1) {
		known = append(known, line[1])
	}
	// The example file tells both once, in words: that a secret's name may end in
	// _FILE, and that NAME stands for the upstream's.
	upstream := regexp.MustCompile(`^(OUTRIGGER_UPSTREAM_)[A-Z0-9]+_`)
	inFile := func(name string) bool {
		name = upstream.ReplaceAllString(strings.TrimSuffix(name, "_FILE"), "${1}NAME_")
		return slices.Contains(known, name)
	}
	each(t, func(t *testing.T, d *appsv1.Deployment) {
		for _, e := range append(sidecar(t, d).Env, app(t, d).Env...) {
			if strings.HasPrefix(e.Name, "OUTRIGGER_") && !inFile(e.Name) {
				t.Errorf("%s is not in config.example.env", e.Name)
			}
		}
	})
}
