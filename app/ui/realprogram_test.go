//go:build linux && !nogui

package ui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"keytray/proxy/proxytest"
)

// localToken is what the test's calls send to the front door.
const localToken = "kt-a-token-of-the-test"

// built returns the real program, as `make build` makes it: the one that
// KEYTRAY_BIN names, else one built now.
func built(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("KEYTRAY_BIN"); bin != "" {
		return bin
	}
	need(t, "go")
	bin := filepath.Join(t.TempDir(), "keytray")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X keytray/app.Version=0.1.0", "-o", bin, ".")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// program is a Keytray that runs on a desk.
type program struct {
	*child
	d    *desk
	home string // its folder
	env  []string
	bin  string
}

// house makes a folder for Keytray, whose providers are two local ones, and
// returns the environment that leads there.
func (d *desk) house(openai, anthropic *proxytest.Server) (home string, env []string) {
	d.t.Helper()
	home = d.folder("keytray")
	d.write(filepath.Join(home, "config.yaml"), fmt.Sprintf(`listen: %s
active: auto
providers:
  openai: {base_url: %s/v1}
  anthropic: {base_url: %s/v1}
routes:
  my_quick_one: openai/gpt-4.1-mini
`, freeAddress(d.t), openai.URL, anthropic.URL))
	return home, append(d.env[:len(d.env):len(d.env)], "KEYTRAY_HOME="+home, "KEYTRAY_TOKEN="+localToken,
		"OPENAI_API_KEY=sk-test-key-of-openai", "ANTHROPIC_API_KEY=sk-ant-test-key",
		"OLLAMA_HOST=127.0.0.1:1") // no Ollama there
}

// freeAddress is one that nobody listens on just now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// open starts Keytray with its window and tray.
func (d *desk) open(bin string, openai, anthropic *proxytest.Provider, unset ...string) *program {
	d.t.Helper()
	home, env := d.house(proxytest.Start(d.t, openai), proxytest.Start(d.t, anthropic))
	env = slices.DeleteFunc(env, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains(unset, name)
	})
	return &program{child: start(d.t, env, nil, bin), d: d, home: home, env: env, bin: bin}
}

// provider answers with a short text of 10,000 tokens in and 1,250 out.
func provider() *proxytest.Provider {
	return proxytest.New(proxytest.Script{
		Parts: proxytest.Parts(proxytest.Text("Hello ", "there.")),
		Usage: &proxytest.Usage{Input: 10_000, Output: 1_250},
	})
}

// command runs one of Keytray's commands in the same folder, and returns what
// it printed and its exit code.
func (p *program) command(args ...string) (stdout, stderr string, code int) {
	p.d.t.Helper()
	ctx, cancel := context.WithTimeout(p.d.t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.bin, args...)
	var out, failed strings.Builder
	cmd.Env, cmd.Stdout, cmd.Stderr = p.env, &out, &failed
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.d.t.Fatal(err)
	}
	return out.String(), failed.String(), cmd.ProcessState.ExitCode()
}

// address waits until the front door is open.
func (p *program) address() string {
	p.d.t.Helper()
	var running struct{ Address string }
	p.d.await("open front door", func() error {
		if !p.running() {
			p.d.t.Fatalf("keytray has ended: %s", p.said())
		}
		b, err := os.ReadFile(filepath.Join(p.home, "running.json"))
		if err == nil {
			err = json.Unmarshal(b, &running)
		}
		return err
	})
	return running.Address
}

// answer is what the front door said.
type answer struct {
	status int
	target string // Keytray-Target
	body   string
}

// chat asks a model through the front door.
func (p *program) chat(model string) answer {
	p.d.t.Helper()
	ctx, cancel := context.WithTimeout(p.d.t.Context(), patience)
	defer cancel()
	body := `{"model":"` + model + `","messages":[{"role":"user","content":"Say hello."}]}`
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address()+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		p.d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+localToken)
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		p.d.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.d.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header.Get("Keytray-Target"), string(b)}
}

// rows are the ledger's, oldest first, as `keytray requests` tells them.
func (p *program) rows() []row {
	p.d.t.Helper()
	out, stderr, code := p.command("requests", "--json")
	if code != 0 {
		p.d.t.Fatalf("keytray requests: %d %s", code, stderr)
	}
	var rows []row
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			p.d.t.Fatal(err)
		}
		rows = append(rows, r)
	}
	return rows
}

type row struct {
	Provider, Model, Status string
	Cost                    string `json:"cost_usd"`
	CostKind                string `json:"cost_kind"`
}

// window returns the id of the window in view, or an error.
func (p *program) window() (string, error) {
	if !p.running() {
		p.d.t.Fatalf("keytray has ended: %s", p.said())
	}
	ids, err := p.d.output("xdotool", "search", "--onlyvisible", "--name", "^Keytray$")
	if err != nil {
		return "", errors.New("there is no window")
	}
	id, _, _ := strings.Cut(ids, "\n")
	return id, nil
}

// visible is nil if the window is in view.
func (p *program) visible() error {
	_, err := p.window()
	return err
}

// shown waits for the window, with something in it, and keeps its picture.
func (p *program) shown(name string) *image.RGBA {
	p.d.t.Helper()
	p.d.await("window", func() error {
		id, err := p.window()
		if err != nil {
			return err
		}
		inside, err := p.d.place(id)
		if err != nil {
			return err
		}
		now, err := p.d.picture()
		if err == nil && colours(now, inside) < 50 {
			err = errors.New("the window is empty")
		}
		return err
	})
	return p.d.still(name, nil)
}

// hidden waits until there is no window in view.
func (p *program) hidden() {
	p.d.t.Helper()
	p.d.await("hidden window", func() error {
		if id, err := p.window(); err == nil {
			return errors.New("window " + id + " is in view")
		}
		return nil
	})
}

// key presses keys in the window, once it has the focus.
func (p *program) key(keys string) {
	p.d.t.Helper()
	p.d.await("window with the focus", func() error {
		id, err := p.window()
		if err != nil {
			return err
		}
		if active, err := p.d.output("xdotool", "getactivewindow"); err == nil && active == id {
			return nil
		}
		_, err = p.d.output("xdotool", "windowactivate", id)
		return errors.Join(errors.New("another window is active"), err)
	})
	p.d.x("key", "--clearmodifiers", keys)
}

// signal asks the program to end.
func (p *program) signal(s syscall.Signal) {
	p.d.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.d.t.Fatal(err)
	}
}

// wantClean checks that the program left its folder in order.
func (p *program) wantClean() {
	p.d.t.Helper()
	if code := p.exit(p.d.t); code != 0 {
		p.d.t.Errorf("exit code %d\n%s", code, p.said())
	}
	if _, err := os.Stat(filepath.Join(p.home, "ledger.db")); err != nil {
		p.d.t.Error(err)
	}
	// SQLite removes these when the last connection is closed, and only then.
	for _, left := range []string{"ledger.db-wal", "ledger.db-shm", "running.json"} {
		if _, err := os.Stat(filepath.Join(p.home, left)); err == nil {
			p.d.t.Errorf("%s is left behind", left)
		}
	}
	for _, bad := range []string{"panic:", "fatal error:", "sk-test-key", "sk-ant-test", localToken} {
		if strings.Contains(p.said(), bad) {
			p.d.t.Errorf("it said %q:\n%s", bad, p.said())
		}
	}
}
