package cli

import (
	"context"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"keytray/app"
	"keytray/store/keys"
)

// canary begins every secret of the scripts: provider keys, never tokens, which
// are made to be shown.
const canary = "sk-canary-5d41402abc4b2a76"

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"keytray": func() { os.Exit(program1()) },
		"tool":    func() { os.Exit(toolProgram()) },
	})
}

// program1 is main.go with a keychain that the test holds, and with all that it
// prints kept for a look at the end.
func program1() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	said, err := os.OpenFile(os.Getenv("TEST_SAID"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer said.Close()
	env := Env{
		Stdin: os.Stdin, Stdout: tee{os.Stdout, said}, Stderr: tee{os.Stderr, said}, Getenv: os.Getenv,
		Keychain: remoteKeychain(os.Getenv("TEST_KEYCHAIN")),
	}
	if os.Getenv("TEST_KEYCHAIN") == "none" {
		env.Keychain = keys.None{}
	}
	if os.Getenv("TEST_WINDOW") != "" {
		env.Window = func(a *app.App) error { return fakeWindow(ctx, a) }
	}
	return Run(ctx, os.Args[1:], env)
}

// fakeWindow says when it is asked to show itself, on the log.
func fakeWindow(ctx context.Context, a *app.App) error {
	a.OnShow(func() { os.Stderr.WriteString("window shown\n") })
	os.Stderr.WriteString("window open\n")
	<-ctx.Done()
	return nil
}

type tee struct{ a, b *os.File }

func (t tee) Write(p []byte) (int, error) {
	_, _ = t.b.Write(p)
	return t.a.Write(p)
}

// toolProgram is a tool that `keytray run` starts. It says what it was given
// and ends with code 7, or it waits for a signal.
func toolProgram() int {
	for _, name := range []string{"OPENAI_BASE_URL", "OPENAI_API_KEY", "KEPT", "NO_PROXY"} {
		os.Stdout.WriteString(name + "=" + os.Getenv(name) + "\n")
	}
	os.Stdout.WriteString("args " + strings.Join(os.Args[1:], "|") + "\n")
	var in [100]byte
	n, _ := os.Stdin.Read(in[:])
	os.Stdout.WriteString("stdin " + string(in[:n]) + "\n")
	return 7
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		RequireUniqueNames: true,
		Setup:              setup,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":    start,
			"halt":     halt,
			"logged":   logged,
			"awaits":   awaits,
			"http":     request,
			"begin":    begin,
			"ended":    ended,
			"signal":   signalled,
			"provider": provider,
			"release":  release,
			"asked":    asked,
			"keychain": keychain,
			"exits":    exits,
			"until":    until,
			"json":     jsonAt,
			"fields":   fields,
			"lines":    lines,
			"config":   config,
		},
	})
}

// setup gives each script a folder, a keychain and no other machine.
func setup(env *testscript.Env) error {
	w := &world{values: map[string]string{}, providers: map[string]*fake{}}
	env.Values[worldKey{}] = w
	kc := w.serveKeychain()
	said := filepath.Join(env.WorkDir, ".said")
	// Settings take no port 0: two ports that are free, and one that is not.
	var ports [3]string
	var busy [3]net.Listener
	for i := range ports {
		var err error
		if busy[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		ports[i] = busy[i].Addr().String()
	}
	for _, l := range busy[:2] {
		if err := l.Close(); err != nil {
			return err
		}
	}
	for k, v := range map[string]string{
		"KEYTRAY_HOME": filepath.Join(env.WorkDir, "home"), "OLLAMA_HOST": "127.0.0.1:1", "TEST_KEYCHAIN": kc.URL,
		"TEST_SAID": said, "CANARY": canary, "TZ": "UTC", "FREE": ports[0], "OTHER": ports[1], "BUSY": ports[2], "DISPLAY": "", "WAYLAND_DISPLAY": "",
	} {
		env.Setenv(k, v)
	}
	env.Defer(func() {
		w.end()
		kc.Close()
		busy[2].Close()
		w.leaks(env, said)
	})
	return nil
}

// leaks looks for a provider's key in all that was printed, logged or written.
func (w *world) leaks(env *testscript.Env, said string) {
	look := func(path string) {
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), canary) {
			env.T().Log("a provider's key is in " + path)
			env.T().FailNow()
		}
	}
	look(said)
	_ = filepath.WalkDir(filepath.Join(env.WorkDir, "home"), func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			look(path)
		}
		return nil
	})
}
