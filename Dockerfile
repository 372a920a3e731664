# syntax=docker/dockerfile:1

# The builder runs on the machine's own platform and cross-compiles for the image's.
# It is no part of the image. To pin it by digest, give the one that your registry
# shows: --build-arg GO_IMAGE=golang:1.26-bookworm@sha256:… None is written here: it
# changes with each patch of Go and Debian, and an old one would keep those away.
ARG GO_IMAGE=golang:1.26-bookworm
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=dev
ARG COMMIT=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /out/outrigger ./cmd/outrigger
RUN --mount=type=cache,target=/go/pkg/mod \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH sh .image/licenses.sh /out/licenses
# The image has no shell to make a directory with. Sticky and open to all, like
# every /tmp, so that it also serves a user ID chosen at run time.
RUN mkdir -p /out/root/tmp && chmod 1777 /out/root/tmp

# Nothing but the binary, its licences, the roots of trust and a place for spooled bodies.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /usr/share/doc/ca-certificates/copyright /licenses/ca-certificates/copyright
# As something in a directory that is copied: of one that is itself copied, Buildah
# makes a directory with mode 0755, whatever --chmod says.
COPY --from=build --chmod=1777 /out/root/ /
COPY --from=build /out/outrigger /outrigger
COPY --from=build /out/licenses/ /licenses/
COPY LICENSE /LICENSE

# With a read-only root, /tmp is still written to: request bodies over
# OUTRIGGER_BODY_MEMORY are spooled there. Docker makes a volume for it by itself;
# elsewhere mount one (`--tmpfs /tmp`, or an emptyDir with a sizeLimit as in k8s/).
VOLUME /tmp
USER 65532:65532
EXPOSE 8383 8384
# OCI images have no HEALTHCHECK: Podman and Buildah leave it out unless told
# `--format docker`, and Kubernetes never reads it. There, run the same command, or
# probe /readyz and /healthz of the admin listener.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/outrigger", "healthcheck"]
ENTRYPOINT ["/outrigger"]
