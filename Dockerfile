# syntax=docker/dockerfile:1

# The builder runs on the machine's own platform and cross-compiles for the image's.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev COMMIT=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT" -o /out/outrigger ./cmd/outrigger
# The image has no shell to make a directory with. Sticky and open to all, like
# every /tmp, so that it also serves a user ID chosen at run time.
RUN mkdir -m 1777 /out/tmp

# Nothing but the binary, the roots of trust and a place for spooled bodies.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/tmp /tmp
COPY --from=build /out/outrigger /outrigger
COPY LICENSE /LICENSE

# With a read-only root, /tmp is still written to: request bodies over
# OUTRIGGER_BODY_MEMORY are spooled there. Docker makes a volume for it by itself;
# elsewhere mount one (`--tmpfs /tmp`, or an emptyDir with a sizeLimit as in k8s/).
VOLUME /tmp
USER 65532:65532
EXPOSE 8383 8384
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/outrigger", "healthcheck"]
ENTRYPOINT ["/outrigger"]
