package proxytest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// ErrMissing says that this machine lacks something that a real part needs; the error that wraps it says
// what, and how to get it.
var ErrMissing = errors.New("missing on this machine")

// ollamaPackages are the Debian packages that building Ollama needs besides Go.
const ollamaPackages = "gcc g++ libc6-dev nlohmann-json3-dev libstb-dev"

// ollamaModule is the import path of the Ollama program.
const ollamaModule = "github.com/ollama/ollama"

// BuildOllama returns the path of the real Ollama program of the version in testdata/ollama/go.mod, CPU
// only, and builds it first unless the cache folder has it (a build takes some minutes). Several
// processes may call it at once: one builds, the others wait. The cache folder is $KEYTRAY_TEST_CACHE,
// else keytray-test in the user's cache folder. It wraps ErrMissing if there is no C++ compiler or a
// header or the module's source cannot be had.
func BuildOllama(ctx context.Context) (string, error) {
	source, err := ollamaSource()
	if err != nil {
		return "", err
	}
	build, err := newOllamaBuild(source)
	if err != nil {
		return "", err
	}
	if build.done() {
		return build.program, nil
	}
	if err := os.MkdirAll(filepath.Dir(build.program), 0o755); err != nil {
		return "", fmt.Errorf("make the cache folder for ollama: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(filepath.Dir(build.program), "lock"))
	if err != nil {
		return "", fmt.Errorf("wait for another build of ollama: %w", err)
	}
	defer unlock()
	if build.done() {
		return build.program, nil
	}
	if err := build.check(ctx); err != nil {
		return "", err
	}
	return build.program, build.run(ctx)
}

// ollamaSource finds testdata/ollama from the working folder, which lies anywhere inside the repository.
func ollamaSource() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the ollama module: %w", err)
	}
	for {
		source := filepath.Join(dir, "proxy", "proxytest", "testdata", "ollama")
		if _, err := os.Stat(filepath.Join(source, "go.mod")); err == nil {
			return source, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find the ollama module: the working folder is not inside the repository")
		}
		dir = parent
	}
}

// ollamaBuild is one way to build one version. Its program's folder is named after everything that
// decides the result, so a program that is there is the right one.
type ollamaBuild struct {
	source, version, program string
	flags, env               []string
}

func newOllamaBuild(source string) (*ollamaBuild, error) {
	sum := sha256.New()
	var mod []byte
	for _, name := range []string{"go.sum", "include/miniaudio/miniaudio.h", "go.mod"} {
		data, err := os.ReadFile(filepath.Join(source, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("read the ollama module: %w", err)
		}
		sum.Write(data)
		mod = data
	}
	found := regexp.MustCompile(ollamaModule + ` v([\w.-]+)`).FindSubmatch(mod)
	if found == nil {
		return nil, fmt.Errorf("read the ollama module: go.mod does not require %s", ollamaModule)
	}
	b := &ollamaBuild{source: source, version: string(found[1])}
	// Without its version the program says 0.0.0, and clients refuse it.
	b.flags = []string{"build", "-trimpath", "-ldflags", "-s -w -X=" + ollamaModule + "/version.Version=" + b.version}
	b.env = []string{"CGO_ENABLED=1", "CGO_CFLAGS=-O1 -w", "CGO_CXXFLAGS=-O1 -w", "GOWORK=off"}
	fmt.Fprint(sum, runtime.GOOS, runtime.GOARCH, runtime.Version(), b.flags, b.env)
	// The include path is the checkout's, and decides nothing.
	b.env = append(b.env, "CGO_CPPFLAGS=-I"+filepath.Join(source, "include"))

	cache := os.Getenv("KEYTRAY_TEST_CACHE")
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find a cache folder for ollama (set KEYTRAY_TEST_CACHE): %w", err)
		}
		cache = filepath.Join(user, "keytray-test")
	}
	name := "ollama"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	b.program = filepath.Join(cache, "ollama-"+b.version+"-"+hex.EncodeToString(sum.Sum(nil))[:12], name)
	return b, nil
}

func (b *ollamaBuild) done() bool {
	_, err := os.Stat(b.program)
	return err == nil
}

// check fails fast, with what to install, where a build would fail after a minute.
func (b *ollamaBuild) check(ctx context.Context) error {
	out, err := b.command(ctx, "env", "CXX").Output()
	if err != nil {
		return fmt.Errorf("build ollama: %w: the go command: %w", ErrMissing, err)
	}
	compiler := strings.Fields(strings.TrimSpace(string(out)))
	if len(compiler) == 0 {
		return fmt.Errorf("build ollama: %w: a C++ compiler; on Debian: apt-get install %s", ErrMissing, ollamaPackages)
	}
	cc := exec.CommandContext(ctx, compiler[0], append(compiler[1:], "-std=c++17", "-fsyntax-only", "-x", "c++", "-")...)
	cc.Stdin = strings.NewReader("#include <nlohmann/json.hpp>\n#include \"stb/stb_image.h\"\n")
	if out, err := cc.CombinedOutput(); err != nil {
		return fmt.Errorf("build ollama: %w: a C++ compiler or a header; on Debian: apt-get install %s: %w: %s",
			ErrMissing, ollamaPackages, err, firstLine(out))
	}
	if out, err := b.command(ctx, "list", "-deps", "-f", "", ollamaModule).CombinedOutput(); err != nil {
		return fmt.Errorf("build ollama: %w: its source (go list says why): %w: %s", ErrMissing, err, firstLine(out))
	}
	return nil
}

func (b *ollamaBuild) run(ctx context.Context) error {
	fresh := b.program + ".new"
	cmd := b.command(ctx, append(b.flags, "-o", fresh, ollamaModule)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build ollama %s: %w\n%s", b.version, err, out)
	}
	if err := os.Rename(fresh, b.program); err != nil {
		return fmt.Errorf("keep the built ollama: %w", err)
	}
	return nil
}

func (b *ollamaBuild) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.source
	cmd.Env = append(os.Environ(), b.env...)
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

func firstLine(text []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("\n"))
	return string(line)
}
