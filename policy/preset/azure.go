package preset

import (
	"net/url"
	"strings"
)

// azureHosts are the ends of Azure's names for resources that serve models.
// Sources: learn.microsoft.com/azure/foundry/openai/api-version-lifecycle and
// azure/ai-services/cognitive-services-custom-subdomains; .us is Azure Government
// and .cn is Azure in China.
var azureHosts = []string{
	".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com",
	".openai.azure.us", ".services.ai.azure.us", ".cognitiveservices.azure.us",
	".openai.azure.cn", ".cognitiveservices.azure.cn",
}

// The versions that are added where the URL asks for an API that needs one and the
// user named none. Sources: learn.microsoft.com/azure/foundry-classic/openai/reference
// (latest GA release) and rest/api/aifoundry/modelinference.
var (
	azureDeployments = Pair{"api-version", "2024-10-21"}
	azureModels      = Pair{"api-version", "2024-05-01-preview"}
)

// deployable are the paths that stand below a deployment; all others stand beside
// them. Source: the data plane specification of 2024-10-21, as in the reference.
var deployable = []string{
	"/chat/completions", "/completions", "/embeddings", "/audio/speech", "/audio/transcriptions",
	"/audio/translations", "/images/generations", "/images/edits",
}

func isAzure(host string) bool {
	for _, end := range azureHosts {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	return false
}

// azure tells Azure's APIs apart by what the user's URL and api-version say: the
// present one is below /openai/v1 and needs no api-version, the one before it has a
// dated api-version and deployments in its paths.
func (p *Preset) azure(apiVersion string) {
	p.Name, p.call = "azure", azureKey
	name, isDeployment := strings.CutPrefix(p.given, "/openai/deployments/")
	switch {
	case isDeployment && !strings.Contains(name, "/"):
		p.deployment = name
		p.deployments()
	case p.given == "/openai/deployments", isDated(apiVersion) && within("/openai", p.given):
		p.deployments()
	case within("/openai/v1", p.given):
		p.base = "/openai/v1"
	case p.given == "/models":
		p.base, p.version = "/models", azureModels
	case p.given == "/anthropic", p.given == "/anthropic/v1": // platform.claude.com, Claude in Microsoft Foundry
		p.base, p.call = "/anthropic/v1", anthropicBelow
	}
}

func (p *Preset) deployments() {
	p.base, p.version, p.call = "/openai", azureDeployments, azureDeployment
}

// isDated tells a version such as 2024-10-21 or 2025-04-01-preview from those of the
// present API: v1, preview and latest.
func isDated(apiVersion string) bool { return strings.HasPrefix(apiVersion, "20") }

// azureKey is a call with the key in Api-Key.
func azureKey(p *Preset, path, _ string) Call {
	return Call{Path: p.join(path), AuthHeader: "Api-Key", Query: p.version}
}

// azureDeployment puts the model, or the deployment that the URL names, into the path.
func azureDeployment(p *Preset, path, model string) Call {
	c := Call{Path: path, AuthHeader: "Api-Key", Query: p.version}
	if p.deployment != "" {
		path = withoutDeployment(path)
	}
	rest, versioned := below(path, version)
	if p.owns(path) {
		return c
	}
	if !versioned {
		c.Path = p.append(path)
		return c
	}
	name := p.deployment
	if name == "" {
		name = segment(model)
	}
	c.Path = p.base + rest
	if name != "" && isDeployable(rest) {
		c.Path = p.base + "/deployments/" + name + rest
	}
	return c
}

// withoutDeployment turns a path that names a deployment, or Azure's present API, into one that
// names none, if it can stand below a deployment: where the URL names one, no other is asked.
// Azure's paths are not case-sensitive and may have empty segments.
func withoutDeployment(path string) string {
	segments := strings.FieldsFunc(unescape(path), func(r rune) bool { return r == '/' })
	if len(segments) < 3 || !strings.EqualFold(segments[0], "openai") {
		return path
	}
	rest := segments[2:]
	switch {
	case strings.EqualFold(segments[1], "deployments"):
		rest = segments[3:]
	case !strings.EqualFold(segments[1], "v1"):
		return path
	}
	if below := "/" + strings.ToLower(strings.Join(rest, "/")); isDeployable(below) {
		return version + below
	}
	return path
}

func isDeployable(path string) bool {
	path = strings.TrimRight(path, "/")
	for _, known := range deployable {
		if path == known {
			return true
		}
	}
	return false
}

// segment returns name as one segment of a path, or "" for one that cannot be: it
// comes from a request's body and must not lead to another path.
func segment(name string) string {
	escaped := url.PathEscape(name)
	if name == "." || Climbs(escaped) {
		return ""
	}
	return escaped
}
