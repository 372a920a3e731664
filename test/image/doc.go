// Package image checks the Dockerfile without a Docker engine: it runs the build
// stage's own commands, lays out what the final stage copies, and starts the binary
// in that directory as the image would be run: as its user, with a read-only root.
package image
