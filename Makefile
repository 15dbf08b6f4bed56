.PHONY: build test check lint race fuzz bench bench-peers long help

GO       ?= go
FUZZTIME ?= 5s

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## build bin/tallystick, without cgo
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/tallystick ./cmd/tallystick

test: ## run every test
	$(GO) test ./...

lint: ## run the linters of .golangci.yml
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

race: ## run the tests under the race detector, without those that only start processes
	CGO_ENABLED=1 $(GO) test -race -short ./...

fuzz: ## run every fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) ./.ci/fuzz

check: ## everything that CI runs
	./.ci/run

bench: build ## print the benchmarks beside their limits, from the same run
	./bench/bench.sh
	./bench/registry.sh

bench-peers: build ## compare with Evidently's data-drift preset on the same file
	./bench/peers.sh

long: ## campaigns that take too long for CI
	./.ci/long/all
