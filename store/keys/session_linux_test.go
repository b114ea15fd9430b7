package keys

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// The tests below run against a real gnome-keyring. go-keyring keeps one connection for the whole process, so
// each scenario gets a process of its own, this test binary again, in a session bus, a home and a runtime folder of its own.

const (
	scenarioVar = "KEYTRAY_TEST_SCENARIO"
	password    = "correct horse"
)

type scenario struct {
	run      func(t *testing.T)
	services string // lines of a service file, for what the bus may start by itself
	noBus    bool
}

func TestKeyring(t *testing.T) {
	need(t, "gnome-keyring-daemon", "dbus-run-session", "dbus-daemon")
	for name, s := range scenarios() {
		t.Run(name, func(t *testing.T) { runScenario(t, name, s) })
	}
}

// TestInside is what TestKeyring starts.
func TestInside(t *testing.T) {
	name := os.Getenv(scenarioVar)
	if name == "" {
		t.Skip("runs inside TestKeyring")
	}
	scenarios()[name].run(t)
}

// need skips the test where a program is missing; on the machine that decides, that is a failure.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is missing: install gnome-keyring and dbus", p)
			}
			t.Skipf("%s is missing", p)
		}
	}
}

func runScenario(t *testing.T, name string, s scenario) {
	dir, err := os.MkdirTemp("", "keytray") // short: it holds sockets
	must(t, err)
	defer os.RemoveAll(dir)
	for _, sub := range []string{"run", "home", "services", "bin"} {
		must(t, os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	config := filepath.Join(dir, "bus.conf")
	must(t, os.WriteFile(config, fmt.Appendf(nil, `<busconfig><type>session</type><listen>unix:dir=%[1]s/run</listen>
<auth>EXTERNAL</auth><servicedir>%[1]s/services</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`, dir), 0o600))
	if s.services != "" {
		must(t, os.WriteFile(filepath.Join(dir, "services", "org.freedesktop.secrets.service"), []byte("[D-BUS Service]\nName=org.freedesktop.secrets\n"+s.services), 0o600))
	}
	// Were dbus-launch ever called, it would leave a mark rather than a stray bus.
	must(t, os.WriteFile(filepath.Join(dir, "bin", "dbus-launch"), fmt.Appendf(nil, "#!/bin/sh\ntouch %s/launched\nexit 1\n", dir), 0o700))

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	args := []string{"dbus-run-session", "--config-file=" + config, "--", os.Args[0], "-test.run=^TestInside$", "-test.v", "-test.timeout=20s"}
	if s.noBus {
		args = args[3:]
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = []string{
		scenarioVar + "=" + name, "PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"),
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"), "LC_ALL=C.UTF-8", "GORACE=atexit_sleep_ms=10", "CI=" + os.Getenv("CI"),
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("%s", out)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	if strings.Contains(string(out), "CANARY") {
		t.Error("the secret is in the output")
	}
	if !strings.Contains(string(out), "--- PASS: TestInside") && !strings.Contains(string(out), "--- FAIL: TestInside") {
		t.Error("the scenario did not run")
	}
	if _, err := os.Stat(filepath.Join(dir, "launched")); err == nil {
		t.Error("dbus-launch was called")
	}
	if left := strays(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// strays finds processes of the scenario by its folder in their environment, gives those that do not end within two seconds, and kills them.
func strays(t *testing.T, dir string) []string {
	deadline, tick := time.After(2*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		left := map[int]string{}
		found, err := filepath.Glob("/proc/[0-9]*/environ")
		must(t, err)
		for _, path := range found {
			env, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(env), dir) {
				continue
			}
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
			if pid != os.Getpid() && len(line) > 0 {
				left[pid] = strings.ReplaceAll(string(line), "\x00", " ")
			}
		}
		if len(left) == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			var names []string
			for pid, line := range left {
				names = append(names, line)
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			return names
		}
	}
}

// keyringDaemon is a gnome-keyring-daemon that a scenario started.
type keyringDaemon struct{ cmd *exec.Cmd }

// startDaemon starts one and waits until it answers on the bus. With a password it makes or unlocks the login
// keyring.
func startDaemon(t *testing.T, pass string) *keyringDaemon {
	t.Helper()
	args := []string{"--foreground", "--components=secrets"}
	if pass != "" {
		args = append(args, "--unlock")
	}
	d := &keyringDaemon{exec.Command("gnome-keyring-daemon", args...)}
	d.cmd.Stdin = strings.NewReader(pass)
	must(t, d.cmd.Start())
	t.Cleanup(d.kill)
	waitFor(t, func() bool { return owner(t, secretsName) == uint32(d.cmd.Process.Pid) })
	return d
}

func (d *keyringDaemon) signal(t *testing.T, s os.Signal) {
	t.Helper()
	must(t, d.cmd.Process.Signal(s))
	want := map[os.Signal]string{syscall.SIGSTOP: "T", syscall.SIGCONT: "S"}[s]
	waitFor(t, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
		fields := strings.Fields(string(stat))
		return err != nil || want == "" || len(fields) > 2 && fields[2] == want
	})
}

func (d *keyringDaemon) kill() {
	if d.cmd.ProcessState == nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	}
}

// unlockLogin unlocks the login keyring with its password and without a dialog, as only GNOME Keyring can.
func unlockLogin(t *testing.T, pass string) {
	t.Helper()
	conn := testBus(t)
	defer conn.Close()
	service := conn.Object(secretsName, secretsPath)
	var nothing dbus.Variant
	var session dbus.ObjectPath
	must(t, service.Call(serviceIface+".OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&nothing, &session))
	master := fakeItem{Session: session, Parameters: []byte{}, Value: []byte(pass), ContentType: "text/plain"}
	must(t, service.Call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0, loginPath, master).Err)
}

// lockLogin locks the login keyring.
func lockLogin(t *testing.T) {
	t.Helper()
	var done []dbus.ObjectPath
	var prompt dbus.ObjectPath
	conn := testBus(t)
	defer conn.Close()
	must(t, conn.Object(secretsName, secretsPath).Call(serviceIface+".Lock", 0, []dbus.ObjectPath{loginPath}).Store(&done, &prompt))
	if !slices.Contains(done, loginPath) {
		t.Fatalf("the keyring is not locked: %v, %v", done, prompt)
	}
}

func testBus(t *testing.T) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	must(t, err)
	return conn
}

// owner gives the process that owns a name on the bus, or 0.
func owner(t *testing.T, name string) uint32 {
	t.Helper()
	conn := testBus(t)
	defer conn.Close()
	var pid uint32
	if conn.BusObject().Call(busIface+".GetConnectionUnixProcessID", 0, name).Store(&pid) != nil {
		return 0
	}
	return pid
}

// waitFor looks every few milliseconds until ok, and gives up with the test's own deadline in mind.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	tick, end := time.NewTicker(5*time.Millisecond), time.After(15*time.Second)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("waited in vain")
		}
	}
}
