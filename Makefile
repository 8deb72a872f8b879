# npsetup: make demo | test | test-full | check | elsewhere | build | bench | pictures | clean

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOLS   := $(CURDIR)/bin/tools

GOFUMPT     := mvdan.cc/gofumpt@v0.12.0
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GUM         := github.com/charmbracelet/gum@v0.17.0
EXHAUSTIVE  := github.com/nishanths/exhaustive/cmd/exhaustive@v0.12.0+golang.org/x/tools@v0.40.0

# Where everything comes together, make test looks for races only in what runs side by side, and test-full in all but these tables: they
# run the same code as the other tests, many times.
SIDE   := ^TestStories$$/_on_the_screen$$|^(TestTheDemoProves|TestUndo(Takes|Restores|Asks).*|TestWatch.*|TestASignal.*|TestASession.*|TestAVaultSession.*)$$
TABLES := ^(TestEveryKill|TestUndoIsStoppedItself|TestFaults|TestFaultTable|TestAFullDisk|TestHostileJournals|TestSilenceAtEveryQuestion|TestPublishedFailuresAreNamed|TestCausesAreNamed|TestTheScriptOfACredentialPolicy)$$

# The tests hold little at a time and make much: they are a tenth faster where memory is collected less often.
export GOGC ?= 400

# Tests flush what they write as the program does, and wait for servers of their own: in memory, and more than one on a processor, that
# takes half the time.
QUICK   := TMPDIR="$$(.ci/quick)"
WAITERS := 6

# A fuzz target runs this long in test-full.
FUZZTIME ?= 10s

# Systems that nobody here has: make check sees that the program builds for them, and that Windows' own code is vetted.
ELSEWHERE := windows/amd64 windows/arm64 darwin/arm64 linux/arm64

.PHONY: demo test test-full check elsewhere build bench pictures tools clean

demo:
	go build -o bin/npsetup ./cmd/npsetup
	./bin/npsetup demo

build:
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o dist/npsetup ./cmd/npsetup

# Vetting is make check's.
test:
	$(QUICK) go test -vet=off -race -timeout 10m $$(go list ./... | grep -v '/cmd/npsetup$$')
	$(QUICK) go test -vet=off -race -timeout 10m -parallel $(WAITERS) -run '$(SIDE)' ./cmd/npsetup
	$(QUICK) go test -vet=off -timeout 10m -parallel $(WAITERS) -skip '$(SIDE)' ./cmd/npsetup

test-full:
	$(QUICK) go test -race -timeout 20m -parallel $(WAITERS) -skip '$(TABLES)' ./cmd/npsetup
	$(QUICK) go test -tags full -timeout 40m -count=1 -skip '^(TestEveryKill|TestUndoIsStoppedItself)$$' ./cmd/npsetup/... ./client/trust ./client/machine
	.ci/fuzz $(FUZZTIME)

check: tools elsewhere
	@out=$$($(TOOLS)/gofumpt -l .); if [ -n "$$out" ]; then echo "gofumpt wants to change:"; echo "$$out"; exit 1; fi
	go vet ./...
	go vet -tags full,bench ./...
	$(TOOLS)/staticcheck -tags full,bench ./...
	$(TOOLS)/exhaustive ./steps/... ./client/... ./cmd/... ./tui/...
	go mod tidy -diff
	go generate ./steps/npsapi && git diff --exit-code -- steps/npsapi/table_gen.go
	go test -run 'TestHouse' ./cmd/npsetup

elsewhere:
	@for system in $(ELSEWHERE); do \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} go build -o /dev/null ./... || { echo "it does not build for $$system"; exit 1; }; \
	done
	GOOS=windows go vet -tags full ./...

# Prints the table of docs/performance.md. -s strips gum, so that its size can be compared.
bench:
	@GOFLAGS=-ldflags=-s .ci/tools $(TOOLS) $(GUM)
	go test -C cmd/npsetup/benchmark -tags bench -run TestBench -count=1 -timeout 30m

pictures:
	.ci/pictures docs/pictures

tools:
	@.ci/tools $(TOOLS) $(GOFUMPT) $(STATICCHECK) $(EXHAUSTIVE)

clean:
	rm -rf bin dist
