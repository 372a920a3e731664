// Package k8s checks the manifests in k8s/ against the Kubernetes types. It has
// tests only: `go test ./...` here, or `make test` at the top.
package k8s
