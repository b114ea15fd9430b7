package app

import (
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"keytray/proxy/proxytest"
	"keytray/store/keys"
	"keytray/store/ledger"
)

// awaitLedger waits until the ledger's problem is there, or is gone.
func (h *house) awaitLedger(wrong bool) Problem {
	h.t.Helper()
	changed, cancel := h.Subscribe()
	defer cancel()
	limit := time.After(20 * time.Second)
	for {
		var found Problem
		for _, p := range h.Status().Problems {
			if p.About == "ledger" && p.Grave {
				found = p
			}
		}
		if (found.Message != "") == wrong {
			return found
		}
		select {
		case <-changed:
		case <-limit:
			h.t.Fatalf("the ledger's problem, wanted %v: %+v", wrong, h.Status())
		}
	}
}

// A full disk keeps no answer back, is shown with a remedy, and loses no row.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	home := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", home).CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no small disk: %v: %s", err, out)
		}
		t.Skipf("no small disk: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = syscall.Unmount(home, 0) })
	p := proxytest.Start(t, proxytest.New())
	h := reopen(t, home, "providers:\n  openai: {base_url: "+p.URL+"/v1}\n", "OPENAI_API_KEY="+canary)
	if s := h.Status(); s.State != On {
		t.Fatalf("at first %+v", s)
	}
	ballast, err := os.Create(filepath.Join(home, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil { // until nothing more fits
		_, err = ballast.Write(make([]byte, 4096))
	}
	ballast.Close()
	calls := 0
	for h.Status().State != Attention && calls < 200 {
		calls++
		if r := h.chat("openai/gpt-5", ""); r.status != 200 {
			t.Fatalf("call %d: %d %s", calls, r.status, r.body)
		}
	}
	if p := h.awaitLedger(true); !strings.Contains(p.Message, "full") || p.Remedy == "" {
		t.Errorf("after %d calls: %+v", calls, p)
	}
	calls++
	if r := h.chat("openai/gpt-5", `"stream":true`); r.status != 200 || !strings.HasSuffix(r.body, "data: [DONE]\n\n") {
		t.Errorf("on a full disk: %d %s", r.status, r.body)
	}
	if err := os.Remove(ballast.Name()); err != nil {
		t.Fatal(err)
	}
	h.awaitLedger(false)
	if row := h.awaitRow(calls); row.Status != ledger.StatusOK || row.CostPico == nil || *row.CostPico != 85e6 {
		t.Errorf("row %+v", row)
	}
	if n := len(h.rows()); n != calls || h.Status().State != On {
		t.Errorf("%d rows of %d calls, %s", n, calls, h.Status().State)
	}
}

// A ledger that may not be written keeps no answer back either; a folder that
// may not be is said to be so at the start.
func TestReadOnly(t *testing.T) {
	if os.Getuid() == 0 {
		asNobody(t)
		return
	}
	p := proxytest.Start(t, proxytest.New())
	home := t.TempDir()
	yaml := "providers:\n  openai: {base_url: " + p.URL + "/v1}\n"
	h := reopen(t, home, yaml, "OPENAI_API_KEY="+canary)
	file := h.Paths().Ledger
	h.chat("openai/gpt-5", "")
	if err := h.App.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o400); err != nil {
		t.Fatal(err)
	}
	h = reopen(t, home, yaml, "OPENAI_API_KEY="+canary)
	if r := h.chat("openai/gpt-5", ""); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if p := h.awaitLedger(true); p.Remedy == "" || h.Status().State != Attention {
		t.Errorf("%+v", p)
	}
	files, err := filepath.Glob(file + "*") // SQLite's own beside it have its rights
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Chmod(f, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.awaitLedger(false)
	if row := h.awaitRow(2); row.Status != ledger.StatusOK {
		t.Errorf("row %+v", row)
	}
	if err := h.App.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(home, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(home, 0o700) }) // so that it can be removed
	_, err = Open(t.Context(), Options{
		Serve: true, Listen: "127.0.0.1:0", Keychain: &keys.Memory{}, Log: slog.New(slog.DiscardHandler),
		Getenv: func(k string) string { return map[string]string{"KEYTRAY_HOME": home}[k] },
	})
	if err == nil || !strings.Contains(err.Error(), "make it writable") {
		t.Errorf("in a folder that cannot be written: %v", err)
	}
}

// asNobody runs the test in a process of a user without rights: root may
// write everywhere.
func asNobody(t *testing.T) {
	t.Helper()
	folder, err := os.MkdirTemp("", "nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "test")
	data, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "TMPDIR="+folder, "HOME="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
}
