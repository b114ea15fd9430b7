//go:build linux && !nogui

package ui_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience bounds each wait for a real program; a loaded machine needs some.
const patience = 60 * time.Second

// desk is a desktop of its own: an X server, a session bus, a window manager
// and, if wanted, a panel that shows trays. Nothing of the user's is touched.
type desk struct {
	t       *testing.T
	home    string
	env     []string // for every program on it
	address string   // the session bus, "" for none
	bus     *dbus.Conn
	panel   *child
}

// newDesk starts a desktop that ends with the test.
func newDesk(t *testing.T) *desk {
	need(t, "Xvfb", "xfwm4", "xdotool", "import")
	d := &desk{t: t, home: t.TempDir()}
	runtimeDir := d.folder("run")
	d.env = []string{
		"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "HOME=" + d.home,
		"XDG_CONFIG_HOME=" + d.folder("config"), "XDG_DATA_HOME=" + d.folder("data"), "XDG_CACHE_HOME=" + d.folder("cache"),
		"XDG_RUNTIME_DIR=" + runtimeDir, "XDG_SESSION_TYPE=x11", "XDG_CURRENT_DESKTOP=XFCE",
		"NO_AT_BRIDGE=1", "LIBGL_ALWAYS_SOFTWARE=1", "GDK_BACKEND=x11", "GSETTINGS_BACKEND=memory",
	}
	d.env = append(d.env, "DISPLAY=:"+d.startX())
	d.startBus()
	d.spawn(nil, "xfwm4", "--compositor=off")
	d.await("a window manager", func() error {
		out, err := d.output("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")
		if err == nil && !strings.Contains(out, "window id") {
			err = errors.New(out)
		}
		return err
	})
	return d
}

func (d *desk) folder(name string) string {
	d.t.Helper()
	path := filepath.Join(d.home, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// startX starts an X server on a free display and returns its number.
func (d *desk) startX() string {
	d.t.Helper()
	return d.tells("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", screenWidth, screenHeight), "-nolisten", "tcp", "-noreset")
}

// startBus starts a session bus that can start xfconf, for the panel, and
// nothing else: no keychain, which is a real part of its own.
func (d *desk) startBus() {
	d.t.Helper()
	need(d.t, "dbus-daemon")
	services := d.folder("services")
	const xfconf = "/usr/share/dbus-1/services/org.xfce.Xfconf.service"
	if text, err := os.ReadFile(xfconf); err == nil {
		d.write(filepath.Join(services, "org.xfce.Xfconf.service"), string(text))
	}
	file := filepath.Join(d.home, "bus.conf")
	d.write(file, `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=`+filepath.Join(d.home, "session")+`</listen>
  <auth>EXTERNAL</auth>
  <servicedir>`+services+`</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`)
	d.address = d.tells("dbus-daemon", "--config-file="+file, "--nofork", "--print-address=3")
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+d.address)
	bus, err := dbus.Connect(d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = bus.Close() })
	d.bus = bus
}

// startPanel starts a panel at the top, with a tray at its left end, and waits
// until trays are shown.
func (d *desk) startPanel() {
	d.t.Helper()
	need(d.t, "xfce4-panel")
	channels := d.folder("config/xfce4/xfconf/xfce-perchannel-xml")
	d.write(filepath.Join(channels, "xfce4-panel.xml"), `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
`)
	d.panel = d.spawn(nil, "xfce4-panel", "--disable-wm-check")
	d.await("a panel that shows trays", func() error {
		var v dbus.Variant
		err := d.bus.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").Call(
			"org.freedesktop.DBus.Properties.Get", 0, "org.kde.StatusNotifierWatcher", "IsStatusNotifierHostRegistered").Store(&v)
		if err == nil && v.Value() != true {
			err = errors.New("it has no host")
		}
		return err
	})
}

func (d *desk) write(file, text string) {
	d.t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// tells starts a program that writes one line on file descriptor 3 once it is
// ready, and returns that line.
func (d *desk) tells(name string, args ...string) string {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	defer r.Close()
	c := d.spawn(w, name, args...)
	if err := errors.Join(w.Close(), r.SetReadDeadline(time.Now().Add(patience))); err != nil {
		d.t.Fatal(err)
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		d.t.Fatalf("%s did not get ready: %v\n%s", name, err, c.said())
	}
	return strings.TrimSpace(line)
}

// child is a program with its own process group, killed when the test ends.
type child struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}

	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what the program says.
func (c *child) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.Write(p)
}

func (c *child) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// spawn starts a program on the desk; third is its file descriptor 3.
func (d *desk) spawn(third *os.File, name string, args ...string) *child {
	d.t.Helper()
	return start(d.t, d.env, third, name, args...)
}

func start(t *testing.T, env []string, third *os.File, name string, args ...string) *child {
	t.Helper()
	c := &child{name: filepath.Base(name), cmd: exec.Command(name, args...), ended: make(chan struct{})}
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = env, c, c
	if third != nil {
		c.cmd.ExtraFiles = []*os.File{third}
	}
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.cmd.WaitDelay = time.Second // a grandchild may hold the output open
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.cmd.Wait(); close(c.ended) }()
	t.Cleanup(func() {
		_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
		<-c.ended
		if t.Failed() && c.said() != "" {
			t.Logf("%s said:\n%s", c.name, c.said())
		}
	})
	return c
}

// exit waits until the program ends, and returns its exit code (-1 for a signal).
func (c *child) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-c.ended:
		return c.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatalf("%s does not end\n%s", c.name, c.said())
		return -1
	}
}

func (c *child) running() bool {
	select {
	case <-c.ended:
		return false
	default:
		return true
	}
}

// output runs a program on the desk to its end.
func (d *desk) output(name string, args ...string) (string, error) {
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Env = d.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return strings.TrimSpace(string(out)), err
}

// x moves the mouse and presses keys, as xdotool's arguments say.
func (d *desk) x(args ...string) {
	d.t.Helper()
	if out, err := d.output("xdotool", args...); err != nil {
		d.t.Fatal(err, out)
	}
}

// await tries until it succeeds, and says what was missing if it never does.
func (d *desk) await(what string, try func() error) { await(d.t, what, try) }

func await(t *testing.T, what string, try func() error) {
	t.Helper()
	deadline := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("no %s: %v", what, err)
		}
	}
}

// need skips a test where programs are missing; in CI that is a failure.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, "%s is missing: packaging/scripts/deps.sh test installs it", p)
		}
	}
}

func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
