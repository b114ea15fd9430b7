#!/usr/bin/env bash
# Every check there is. Each step says its name; the first failure stops.
set -euo pipefail
cd "$(dirname "$0")/../.."

step() { printf '\n== %s\n' "$*"; }

step "formatted (gofumpt)"
unformatted=$(git ls-files '*.go' | xargs go tool gofumpt -l)
if [ -n "$unformatted" ]; then
	printf 'not formatted; run: go tool gofumpt -w .\n%s\n' "$unformatted" >&2
	exit 1
fi

step "go.mod is tidy"
go mod tidy -diff

step "vet"
go vet ./...
go vet -tags nogui .

step "built and vetted for Windows, with mingw (the window too: make windows)"
if command -v x86_64-w64-mingw32-gcc >/dev/null; then
	(
		export GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc
		go build -trimpath -tags nogui -o .build/keytray-nogui.exe .
		go vet -trimpath -tags nogui . ./app/cli ./store/...
	)
elif [ "${CI:-}" = true ]; then
	echo "no x86_64-w64-mingw32-gcc" >&2
	exit 1
else
	echo "skipped: no x86_64-w64-mingw32-gcc here"
fi

step "built and vetted for macOS (parts without C)"
CGO_ENABLED=0 GOOS=darwin go build ./proxy/... ./store/config ./store/keys
CGO_ENABLED=0 GOOS=darwin go vet ./proxy/llm ./proxy/sse ./proxy/route ./proxy/catalog ./store/config ./store/keys

step "staticcheck"
go tool staticcheck ./...

step "no window's libraries in a build without one"
go build -tags nogui -o .build/keytray-nogui .
if [ "$(go tool nm .build/keytray-nogui | grep -c ' text/template\.(\*Template)\.Execute')" != 0 ]; then
	echo 'text/template is linked in, and with it every exported method of every type, used or not: find what calls it' >&2
	exit 1
fi

step "the program, for the tests of its window and tray"
go build -trimpath -ldflags '-s -w' -o .build/keytray .
export KEYTRAY_BIN=$PWD/.build/keytray
export KEYTRAY_SCREENSHOTS=$PWD/.build/screenshots # kept, to be looked at

step "a real Ollama, built once and kept (some minutes the first time)"
go run ./proxy/proxytest/play -ollama -prepare || [ "${CI:-}" != true ] # elsewhere its tests skip and say why

step "tests, with the race detector and real parts"
go test -race -timeout 15m ./...
