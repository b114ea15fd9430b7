//go:build !nogui

package ui

import (
	"context"
	"reflect"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"keytray/app"
	"keytray/app/view"
)

// prefNoTray remembers that a missing tray was spoken of.
const prefNoTray = "said-no-tray"

// runner joins the window, the tray and Keytray's changes.
type runner struct {
	k      Keytray
	app    fyne.App
	opt    Options
	shell  *shell
	tray   *tray // nil where there can be none
	host   *host
	hosted bool // the tray is in view somewhere
	crew   *crew
	stop   context.CancelFunc
}

func newRunner(k Keytray, f fyne.App, o Options) *runner {
	ctx, stop := context.WithCancel(context.Background())
	r := &runner{k: k, app: f, opt: o, crew: &crew{ctx: ctx}, stop: stop}
	f.Settings().SetTheme(look{f.Preferences().StringWithFallback(prefTheme, "system")})
	w := f.NewWindow("Keytray")
	r.shell = newShell(k, r.crew, f, w, o.Log)
	r.shell.recallTests()
	r.host = findHost(ctx)
	r.hosted = r.host.present
	if d, ok := f.(desktop.App); ok && r.host.possible {
		r.tray = newTray(d, r.act)
	}
	r.shell.closing = r.close
	w.SetCloseIntercept(r.close)
	return r
}

// run blocks until the user quits or ctx ends. Its error is a display that
// cannot be reached.
func (r *runner) run(ctx context.Context) error {
	err := reach(func() {
		r.begin(ctx)
		r.app.Run()
	})
	r.stop()
	r.crew.wait.Wait()
	r.host.close()
	return err
}

// begin shows what there is to show, and says what follows once Fyne runs.
func (r *runner) begin(ctx context.Context) {
	r.shell.state = view.TrayState{Status: r.k.Status(), Choices: r.k.Choices()}
	if r.tray != nil {
		r.tray.draw(view.NewTray(r.shell.state))
	}
	r.shell.side.say(r.shell.state)
	if !r.opt.Hidden || !r.hosted {
		r.shell.show()
	}
	r.sayTray()
	r.app.Lifecycle().SetOnStarted(func() {
		r.crew.wait.Go(func() { r.follow(r.crew.ctx) })
		// Fyne ends at a signal by itself, but not at one that came before it ran.
		r.crew.wait.Go(func() {
			select {
			case <-ctx.Done():
				fyne.Do(r.app.Driver().Quit)
			case <-r.crew.ctx.Done():
			}
		})
		r.crew.wait.Go(func() {
			r.host.follow(r.crew.ctx, func(present bool) {
				fyne.Do(func() { r.hosted = present; r.sayTray() })
			})
		})
	})
}

// close is what the window's own button does: with a tray, Keytray goes on.
func (r *runner) close() {
	if r.hosted {
		r.shell.hide()
		return
	}
	r.app.Quit()
}

// sayTray says once what is different where no tray is shown, and always what
// closing the window does there.
func (r *runner) sayTray() {
	const title = "This desktop shows no tray"
	if r.hosted {
		r.shell.side.remark("")
		if r.shell.banner.title.Text == title { // a panel came later
			r.shell.say("", "")
		}
		return
	}
	r.shell.side.remark("No tray here: closing the window quits Keytray.")
	if p := r.app.Preferences(); !p.Bool(prefNoTray) {
		p.SetBool(prefNoTray, true)
		r.shell.say(title, "So Keytray lives in this window: minimise it to keep Keytray running, close it to quit. "+
			"On GNOME, the AppIndicator extension brings the tray back. Without a window there is keytray serve.")
	}
}

// act does what a row of the tray's menu says. It is called on Fyne's goroutine.
func (r *runner) act(it view.Item) {
	s := r.shell
	switch it.Act {
	case view.ActShow:
		s.show()
	case view.ActSpend:
		s.choose(atSpend)
		s.show()
	case view.ActUse:
		s.use(it.Arg)
	case view.ActCopy:
		s.copy(it.Arg)
	case view.ActPause:
		s.pause(true)
	case view.ActResume:
		s.pause(false)
	case view.ActQuit:
		r.app.Quit()
	case view.ActNone:
	}
}

const (
	windowPace = 250 * time.Millisecond // between two drawings of a window in view
	trayPace   = time.Second            // and of the tray
	clockPace  = 30 * time.Second       // for what changes with time alone: "3 min ago", a new day
)

// follow takes up changes until ctx ends.
func (r *runner) follow(ctx context.Context) {
	changed, cancel := r.k.Subscribe()
	defer cancel()
	clock := time.NewTicker(clockPace)
	defer clock.Stop()
	var shown view.Tray
	var shownAt time.Time
	for {
		st := read(ctx, r.k, time.Now())
		notify(r.app, r.k.TakeWarnings(), time.Now())
		fyne.Do(func() {
			if ctx.Err() == nil {
				r.shell.apply(st)
			}
		})
		var due <-chan time.Time
		if next := view.NewTray(st); r.tray != nil && !reflect.DeepEqual(next, shown) {
			if wait := trayPace - time.Since(shownAt); wait > 0 {
				due = time.After(wait)
			} else {
				shown, shownAt = next, time.Now()
				fyne.Do(func() {
					if ctx.Err() == nil {
						r.tray.draw(next)
					}
				})
			}
		}
		select {
		case <-time.After(windowPace):
		case <-ctx.Done():
			return
		}
		select {
		case <-changed:
		case <-due:
		case <-clock.C:
		case <-ctx.Done():
			return
		}
	}
}

// notify shows each warning as one of the system's notifications. It waits for
// the desktop, so it runs beside Fyne.
func notify(f fyne.App, all []app.Warning, now time.Time) {
	for _, w := range all {
		f.SendNotification(fyne.NewNotification(view.BudgetWarning(w, now)))
	}
}
