# Keytray. Two commands are enough: `make run` and `make test`. Both install
# what is missing first.

GO       ?= go
OUT      := .build
FLAGS    := -trimpath
VERSION  ?= 0.1.0
LDFLAGS  := -s -w -X keytray/app.Version=$(VERSION)
PROGRAM  := keytray$(shell $(GO) env GOEXE)

.PHONY: run build build-nogui windows test deps deps-test bench screenshots generate clean

## run: build Keytray and start it (the window where there is a display, serve where there is none)
run: build
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" != Linux ]; then ./$(PROGRAM); else ./$(PROGRAM) serve; fi

## build: ./keytray (keytray.exe on Windows)
build: deps
	$(GO) build $(FLAGS) -ldflags '$(LDFLAGS)' -o $(PROGRAM) .

## build-nogui: ./keytray without a window; needs no GL or X headers
build-nogui:
	$(GO) build $(FLAGS) -tags nogui -ldflags '$(LDFLAGS)' -o $(PROGRAM) .

## windows: ./keytray.exe, made on Linux with mingw (gcc-mingw-w64-x86-64-posix)
windows:
	GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc $(GO) build $(FLAGS) -ldflags '$(LDFLAGS)' -o keytray.exe .

## test: everything: vet, staticcheck, gofumpt, layers, race tests, real parts
test: deps deps-test
	packaging/scripts/test.sh

## bench: the proxy beside a plain reverse proxy and the bare provider
bench: build
	$(GO) test -run '^$$' -bench . -benchtime 0.5s ./proxy/... ./store/ledger ./app
	$(GO) run ./proxy/proxytest/bench -keytray ./$(PROGRAM) $(if $(shell command -v taskset),-pin)

## screenshots: every screen, light and dark, and the tray, into .build/screenshots
screenshots: deps deps-test
	KEYTRAY_SCREENSHOTS=$(CURDIR)/$(OUT)/screenshots $(GO) test -count=1 -run 'Screens|Tray' ./app/ui

## generate: the built-in provider files, from a neutral list (LIST=path)
generate:
	$(GO) run ./assets/generate -list $(LIST) -out assets/providers

deps:
	@packaging/scripts/deps.sh build

deps-test:
	@packaging/scripts/deps.sh test

clean:
	rm -rf keytray keytray.exe $(OUT)
