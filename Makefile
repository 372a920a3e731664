# Every target runs as a normal user and fetches what it needs from the package
# registries into .tools; only `make deps` installs system packages. What a machine
# must have: .github/CONTRIBUTING.md.

# A failure anywhere in a pipe is a failure.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GO       ?= go
export PYTHON   ?= python3
export NPM      ?= npm
export MVN      ?= mvn
FUZZTIME ?= 60s
SOAK     ?= 1m
CHAOS    ?= 1h
RATE     ?= 500
STORE    ?= memory
COMPARE  ?=
RUN      ?= .
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse --short --verify --quiet HEAD 2>/dev/null)
IMAGE    ?= outrigger:$(VERSION)

# Pinned: a new release of a tool must not turn an unchanged tree red.
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
STATICCHECK   := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOTESTSUM     := gotest.tools/gotestsum@v1.13.0
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

TOOLS := $(CURDIR)/.tools

# A test that needs what is not here is skipped, and named at the end. TEST_REQUIRE=1
# makes it a failure: make test TEST_REQUIRE=1.
export TEST_REQUIRE ?=
export SDK_PYTHON   := $(TOOLS)/python/bin/python
export PATH         := $(TOOLS)/bin:$(PATH)

# gotestsum prints go test's own lines, what failed, and what was skipped and why.
GOTEST = $(GO) run $(GOTESTSUM) --format standard-quiet --

# The race detector takes a C compiler and the headers of its library.
RACE = $(eval RACE := $(shell echo 'int main(void) { return 0; }' | $$($(GO) env CC) -include stdlib.h -pthread -x c - -o /dev/null 2>/dev/null && echo -race))$(RACE)

# A package that starts no goroutine and takes no lock, nor do its tests, has nothing for the
# race detector to find, and would take about eight times as long under it.
RACED = $(filter-out $(VIRTUAL) $(REAL) %/test/sdk %/test/page %/test/fleet, $(shell $(GO) list -f '{{.Dir}} {{.ImportPath}}' ./... \
	| while read -r dir package; do ! grep -qE '"(context|sync(/atomic)?)"|^\s+go |[.]Go\b' "$$dir"/*.go || echo "$$package"; done))
PLAIN = $(filter-out $(RACED) $(VIRTUAL) $(REAL) %/test/sdk %/test/page %/test/fleet, $(shell $(GO) list ./...))

# Whole proxies in virtual time, which a slow or busy machine does not change. What runs
# concurrently in them is raced by its own package's tests.
VIRTUAL := outrigger/test/limiter outrigger/test/storm
# Programs and networks in real time: one package after another, or they would measure each other.
REAL    := outrigger/test/scenario outrigger/test/crowd outrigger/test/idempotency outrigger/test/monitoring outrigger/test/chaos

# Tests that have one call after another, or one stream after another, through every
# spelling, cut and size. Each is a copy of the last to the race detector, and they are
# most of what ./proxy takes under it: they run without.
# So does the one that measures the binary's memory, which the race detector multiplies.
SPELLINGS := TestAHugeUpload|TestABackgroundStreamThatIsCutAnywhere|TestProvidersStreams|TestNothingThatACallerSays|TestWhatACallerSays|TestPartsOfImages|TestContentWithAnErrorInIt|TestACreateIsSent|TestACompressedCreate|TestModels_AShortName|AllocatesAtMost|TestIdle_ResidentMemory

# Random tests have the same cases in every run; make soak has fresh ones.
export RAPID_SEED ?= 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build ./bin/outrigger, static
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)" -o bin/outrigger ./cmd/outrigger

.PHONY: test
test: test-clocks test-raced test-sdk test-page test-fleet test-k8s test-compare ## run the tests: all that this machine can (about 30 min on two cores)

# What runs in real time mostly waits, and what is beside it has the rest of the CPU. What a
# part needs is prepared in its own recipe: a prerequisite that ends while make expands $(shell)
# for another part is noticed only when that part has ended (GNU make 4.4).
.PHONY: test-clocks
test-clocks:
	$(MAKE) --no-print-directory --jobs 2 test-real test-virtual

.PHONY: test-real
test-real:
	@for what in redis valkey promtool; do test/prepare.sh $$what || exit; done
	$(GOTEST) -p 1 -parallel 16 -timeout 20m $(REAL)

.PHONY: test-virtual
test-virtual:
	nice $(GOTEST) -shuffle=on -timeout 20m $(VIRTUAL) $(PLAIN)
	nice $(GOTEST) -shuffle=on -timeout 20m -vet=off -run '$(SPELLINGS)' $(RACED)

.PHONY: test-raced
test-raced:
	@$(MAKE) --no-print-directory race
	@for what in redis valkey; do test/prepare.sh $$what || exit; done
	$(GOTEST) $(RACE) -shuffle=on -timeout 20m -skip '$(SPELLINGS)' $(RACED)

# Without the race detector: hundreds of starts of a raced binary take minutes, and
# cmd/outrigger's tests race the same process.
.PHONY: test-sdk
test-sdk:
	@for what in python node java; do test/prepare.sh $$what; done
	$(GOTEST) -parallel 4 -shuffle=on -timeout 15m ./test/sdk

.PHONY: test-page
test-page:
	@test/prepare.sh page
	$(GOTEST) -timeout 15m ./test/page

# Many sidecars and one server in real time: without the race detector, as test/sdk.
.PHONY: test-fleet
test-fleet:
	@for what in redis valkey; do test/prepare.sh $$what || exit; done
	$(GOTEST) -parallel 3 -timeout 20m ./test/fleet

.PHONY: test-k8s
test-k8s:
	cd test/k8s && $(GOTEST) -shuffle=on ./...

# The tests of make compare itself. They start no peer.
.PHONY: test-compare
test-compare:
	cd test/bench/compare && $(GOTEST) -shuffle=on ./...

# What the tests need besides Go, as far as it can be had.
.PHONY: python node java redis valkey promtool page
python node java redis valkey promtool page:
	@test/prepare.sh $@

.PHONY: race
race:
	@test -n "$(RACE)" || { echo "NOT HERE: a C compiler, so the tests run WITHOUT the race detector (Debian: gcc libc6-dev)"; test -z "$(TEST_REQUIRE)"; }

.PHONY: deps
deps: ## as root on Debian: install what the tests need and the machine lacks
	test/deps.sh

.PHONY: timing
timing: ## hold bursts and outages to their bounds in time too; wants a machine with nothing else to do
	OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -parallel 1 -timeout 10m ./test/scenario
	PATH=$(TOOLS)/bin:$$PATH OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -parallel 1 -timeout 40m ./test/fleet
	$(GO) test -count=1 -v -timeout 2m -run Soon ./proxy -args -timing

# OUTRIGGER_TEST_SEED=N plays a seed that failed here again, -rapid.seed=N one of rapid's.
.PHONY: soak
soak: redis ## every random test with fresh seeds, for SOAK (1m) each; -run PATTERN by RUN
	RAPID_SEED=0 RAPID_CHECKS=20000 OUTRIGGER_TEST_LONG=$(SOAK) \
		$(GO) test -count=1 -v -p 1 -timeout 24h -run '$(RUN)' \
		./policy/... ./internal/sim/... ./proxy/... ./test/limiter ./test/storm ./test/crowd ./test/idempotency ./test/chaos/...

# A line of figures each minute; OUTRIGGER_TEST_SEED=N walks the same way again.
.PHONY: chaos
chaos: redis ## a bad network and changing settings for CHAOS (1h) at RATE (500) calls a second; STORE=memory, file or redis
	OUTRIGGER_TEST_LONG=$(CHAOS) OUTRIGGER_TEST_CHAOS=$(CHAOS) OUTRIGGER_TEST_RATE=$(RATE) OUTRIGGER_TEST_STORE=$(STORE) \
		$(GO) test -count=1 -v -timeout 26h -run TestNothingIsLostOrDoubledOnABadNetwork ./test/chaos

.PHONY: faulty
faulty: python node ## read 10,000 faulty streams with the real clients, and count what they report
	TEST_REQUIRE=1 OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -run 'TestNoFaultyStreamLooksComplete' -timeout 30m ./test/sdk

.PHONY: patience
patience: python node java ## real clients in outages of 15 s and more, straight and through Outrigger (3 min)
	TEST_REQUIRE=1 OUTRIGGER_TEST_TIMING=1 $(GO) test -count=1 -v -parallel 16 -run 'TestClientsThatIgnoreTheHeader|TestPatientClients' -timeout 10m ./test/sdk

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

# Built apart: it takes a moment to compile the official client, once.
.PHONY: compare
compare: build ## put Outrigger beside other proxies and gateways, and rewrite the tables (15 min; COMPARE=-help)
	cd test/bench/compare && $(GO) build -o $(TOOLS)/peers/compare .
	$(TOOLS)/peers/compare -root $(CURDIR) $(COMPARE)

.PHONY: docker
docker: ## build the image (IMAGE=outrigger:VERSION)
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --tag $(IMAGE) .

.PHONY: clean
clean: ## remove what the other targets made
	rm -rf bin $(TOOLS) test/sdk/node/node_modules test/page/node_modules
