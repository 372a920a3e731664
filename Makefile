# Every target can be run on a fresh machine that has Go, Python 3, Node, a JDK
# with Maven, and make:
# what else a target needs, it fetches from the package registries itself (Redis
# from Debian's, which takes root).

# A failure anywhere in a pipe is a failure.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GO       ?= go
PYTHON   ?= python3
NPM      ?= npm
MVN      ?= mvn
FUZZTIME ?= 60s
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse --short --verify --quiet HEAD 2>/dev/null)
IMAGE    ?= outrigger:$(VERSION)

# Pinned: a new release of a tool must not turn an unchanged tree red.
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

TOOLS   := $(CURDIR)/.tools
VENV    := $(TOOLS)/python
# Tests whose needs are not Go's own are skipped by a bare `go test ./...`, and
# say so; with TEST_REQUIRE set a missing need is a failure instead.
REQUIRE := TEST_REQUIRE=1 SDK_PYTHON=$(VENV)/bin/python PATH="$(TOOLS)/bin:$$PATH"

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./bin/outrigger, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)" -o bin/outrigger ./cmd/outrigger

.PHONY: test
test: test-go test-process test-sdk test-k8s ## run every test, the real OpenAI clients included

.PHONY: test-go
test-go: redis
	$(REQUIRE) $(GO) test -race -shuffle=on -timeout 20m $$($(GO) list ./... | grep -Ev '/test/(sdk|scenario|crowd|idempotency|limiter|storm)$$')

# Whole programs under load, one package after another: two at once would measure
# each other.
.PHONY: test-process
test-process: redis
	$(REQUIRE) $(GO) test -p 1 -timeout 20m ./test/scenario ./test/crowd ./test/idempotency ./test/limiter ./test/storm

.PHONY: timing
timing: ## hold bursts and outages to their bounds in time too; wants a machine with nothing else to do
	OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -timeout 10m ./test/scenario
	$(GO) test -count=1 -v -timeout 2m -run Soon ./proxy -args -timing

.PHONY: test-sdk
test-sdk: $(VENV)/.installed test/sdk/node/node_modules/.installed $(TOOLS)/java/.installed
	$(REQUIRE) $(GO) test -race -shuffle=on -timeout 15m -count=1 -v ./test/sdk

# Debian's redis-tools has the server too, under another name, and unlike
# redis-server it starts no service.
.PHONY: redis
redis:
	@PATH="$(TOOLS)/bin:$$PATH" command -v redis-server >/dev/null || { \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; } || { echo "the tests need redis-server 7 on PATH, and only root on Debian has it installed here"; exit 1; }; \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends redis-tools; \
		mkdir -p $(TOOLS)/bin && ln -sf "$$(command -v redis-check-rdb)" $(TOOLS)/bin/redis-server; }

.PHONY: faulty
faulty: $(VENV)/.installed test/sdk/node/node_modules/.installed ## read 10,000 faulty streams with the real clients, and count what they report
	$(REQUIRE) OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -run 'TestNoFaultyStreamLooksComplete' -timeout 30m ./test/sdk

.PHONY: patience
patience: $(VENV)/.installed test/sdk/node/node_modules/.installed $(TOOLS)/java/.installed ## real clients in outages of 15 s and more, straight and through Outrigger (3 min)
	$(REQUIRE) OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -parallel 16 -run 'TestClientsThatIgnoreTheHeader|TestPatientClients' -timeout 10m ./test/sdk

.PHONY: test-k8s
test-k8s:
	cd test/k8s && $(GO) test -shuffle=on ./...

$(VENV)/.installed: test/sdk/python/requirements.txt
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

test/sdk/node/node_modules/.installed: test/sdk/node/package-lock.json test/sdk/node/package.json
	cd test/sdk/node && $(NPM) ci --no-audit --no-fund --ignore-scripts
	touch $@

$(TOOLS)/java/.installed: test/sdk/java/pom.xml
	rm -rf $(TOOLS)/java
	$(MVN) --quiet --batch-mode --file $< dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(TOOLS)/java
	touch $@

.PHONY: lint
lint: $(TOOLS)/bin/$(notdir $(GOLANGCI_LINT)) ## gofumpt, vet, staticcheck, golangci-lint (its first build takes minutes)
	@unformatted=$$($(GO) run $(GOFUMPT) -l $$(git ls-files -co --exclude-standard '*.go')); \
		test -z "$$unformatted" || { echo "not gofumpt-ed:"; echo "$$unformatted"; exit 1; }
	@for module in $$(git ls-files -co --exclude-standard 'go.mod' '*/go.mod'); do \
		echo "== $$module"; \
		(cd "$$(dirname "$$module")" && $(GO) vet ./... && $(GO) run $(STATICCHECK) ./... && $(abspath $<) run --config $(CURDIR)/.golangci.yml ./...) || exit 1; \
	done

$(TOOLS)/bin/$(notdir $(GOLANGCI_LINT)):
	GOBIN=$(TOOLS)/bin $(GO) install $(GOLANGCI_LINT)
	mv $(TOOLS)/bin/golangci-lint $@

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (60s), one after another
	@$(GO) test -list '^Fuzz' ./... \
		| awk '/^Fuzz/ { names[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2, names[i]; n = 0 }' \
		| while read -r package target; do \
			echo "== $$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -parallel 2 "$$package" </dev/null || exit 1; \
		done

.PHONY: bench
bench: ## run the benchmarks, the comparison with a bare reverse proxy among them
	$(GO) test -run '^$$' -bench . -benchmem $$($(GO) list ./... | grep -v '/test/')
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 20m ./test/bench

.PHONY: docker
docker: ## build the image (IMAGE=outrigger:VERSION)
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --tag $(IMAGE) .

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin $(TOOLS) test/sdk/node/node_modules
