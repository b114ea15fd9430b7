// Package app is Keytray without a face: it opens the folder, the keychain, the
// ledger and the catalog, builds the route table from them, and serves.
//
// Open makes an [App]; Start listens; Close drains. Each use case that the
// window and the command line share is a method in a file of its own: keys.go,
// use.go, spend.go, requests.go, doctor.go and so on. Faces get plain values and
// never reach into the stores.
package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"keytray/assets"
	"keytray/proxy"
	"keytray/proxy/catalog"
	"keytray/proxy/route"
	"keytray/proxy/upstream"
	"keytray/proxy/vault"
	"keytray/store/config"
	"keytray/store/keys"
	"keytray/store/ledger"
)

// Version is set by the build.
var Version = "0.1.0"

// Options say how to open Keytray. The zero value opens the user's own folder
// for a command that serves nothing.
type Options struct {
	// Serve opens the ledger for writing and follows changes of the files.
	// Only one process can; see ErrRunning.
	Serve bool
	// Listen overrides the address in config.yaml; "" does not.
	Listen string
	// Keys are given on the command line, by provider.
	Keys map[string]string
	// Getenv reads the environment; nil is os.Getenv.
	Getenv func(string) string
	// Log gets what goes wrong; nil is nowhere.
	Log *slog.Logger
	// Keychain replaces the system's, in tests.
	Keychain keys.Keychain
}

// ErrRunning means that another Keytray serves from the same folder.
var ErrRunning = errors.New("another Keytray is running already")

// App is an open Keytray. All its methods may be called at once.
type App struct {
	opt      Options
	log      *slog.Logger
	getenv   func(string) string
	paths    config.Paths
	config   *config.Store
	ring     *keys.Ring
	tokens   *keys.Tokens
	kc       keys.Keychain
	catalog  atomic.Pointer[catalog.Catalog] // with the config's overrides
	base     *catalog.Catalog                // as built in
	network  *upstream.Network
	google   googleTokens
	ollama   *ollama
	health   route.Health // of all providers
	answers  route.Answers
	fits     fits
	judging  judging
	purses   purses
	warnings warnings
	lists    lists
	builds   sync.Mutex // one rebuild at a time
	table    atomic.Pointer[table]
	door     *proxy.Handler
	vault    *vault.Vault // what clients' dialects cannot carry from turn to turn
	changes  changes
	paused   atomic.Bool
	strange  strangers
	own      string // the token that this process calls itself with
	// pricesFrom stands in for models.dev in tests.
	pricesFrom string
	looking    sync.Mutex    // held during the weekly look for prices
	read       chan struct{} // closed when the keychain was read, or could not be

	controlSecret string // guarded by changes.mu, as is show
	show          func()

	beside   atomic.Pointer[holdings] // of the running Keytray, as a command knows it; see holdings
	kept     kept
	ledgerMu sync.Mutex
	ledger   *ledger.Ledger

	server serving
	closed []func() error // in reverse order
	crew   crew
	stop   context.CancelFunc
	ctx    context.Context
}

// Open opens Keytray's folder. What is missing or broken (a config.yaml with
// a mistake, no keychain, a full disk) does not stop it: Status says so. Its
// errors are ErrRunning, a folder that cannot be used, or a key given on the
// command line that cannot be one. The caller closes the App.
func Open(ctx context.Context, o Options) (*App, error) {
	a := &App{opt: o, log: o.Log, getenv: o.Getenv, own: rand.Text(), read: make(chan struct{}), vault: vault.New(vault.Limits{})}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.getenv == nil {
		a.getenv = os.Getenv
	}
	a.ctx, a.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := a.open(ctx); err != nil {
		_ = a.Close() // the first error is the one to tell
		return nil, err
	}
	return a, nil
}

func (a *App) open(ctx context.Context) error {
	var err error
	if a.paths, err = config.Locate(runtime.GOOS, a.getenv); err != nil {
		return err
	}
	if err := a.paths.Create(); err != nil {
		return err
	}
	if a.base, err = catalog.Load(assets.Providers()); err != nil {
		return fmt.Errorf("read the built-in providers: %w", err)
	}
	a.loadPrices()
	if a.opt.Serve {
		if err := a.openLedger(ctx); err != nil {
			return err
		}
	}
	a.purses.load, a.purses.warn = a.spentSince, a.warned
	a.network = upstream.NewNetwork()
	a.onClose(func() error { a.network.Close(); return nil })
	a.ollama = &ollama{network: a.network, changed: a.changed, behind: func(f func(context.Context)) {
		a.crew.Go(func() { f(a.ctx) })
	}}
	a.config = config.Open(a.paths.Config, config.Options{Check: a.checkConfig, Watch: a.opt.Serve})
	a.onClose(a.config.Close)
	if err := a.openKeys(); err != nil {
		return err
	}
	a.learn(a.config.Current())
	a.config.Subscribe(func(c *config.Config, _ config.Problems) {
		a.learn(c)
		a.relisten()
		a.changed()
	})
	a.ring.Subscribe(func() { a.rebuild(); a.changed() })
	a.door = proxy.New(proxy.Options{
		Table:   func() proxy.Table { return a.table.Load() },
		Token:   a.checkToken,
		Without: a.withoutToken,
		Origin:  a.originAllowed,
		Host:    a.hostAllowed,
		Paused:  a.paused.Load,
		Log:     a.log,

		KeepResponses: func() bool { return a.config.Current().KeepResponses },
	})
	if a.opt.Serve {
		a.crew.Go(a.recall)
		a.background()
	}
	return nil
}

// openKeys makes the ring and the tokens; neither waits for the keychain.
func (a *App) openKeys() error {
	flags := make(map[string]keys.Secret, len(a.opt.Keys))
	for p, k := range a.opt.Keys {
		s, err := keys.NewSecret(k)
		if err != nil {
			return fmt.Errorf("the key given for %s cannot be used: %w", p, err)
		}
		flags[p] = s
	}
	if a.kc = a.opt.Keychain; a.kc == nil {
		system := keys.System(keys.DefaultService, 0)
		a.kc = system
		a.onClose(system.Close)
	}
	a.ring = keys.NewRing(keys.Options{
		Flags: flags, Env: a.getenv, EnvVars: envVars(a.base), Keychain: a.kc,
		LockFile: a.paths.Lock + ".keys",
	})
	a.onClose(a.ring.Close)
	static := map[string]keys.Secret{}
	if t := a.getenv("KEYTRAY_TOKEN"); t != "" {
		s, err := keys.NewSecret(t)
		if err != nil {
			return fmt.Errorf("KEYTRAY_TOKEN cannot be used: %w", err)
		}
		static["env"] = s
	}
	var err error
	if a.tokens, err = keys.OpenTokens(a.paths.Tokens, a.kc, keys.TokensOptions{Static: static}); err != nil {
		return err
	}
	return nil
}

// background starts what a serving App does beside answering.
func (a *App) background() {
	a.crew.Go(func() {
		ctx, cancel := context.WithTimeout(a.ctx, keys.DefaultTimeout)
		defer cancel()
		if err := a.ring.Load(ctx); err != nil {
			a.log.Debug("the keychain cannot be read", "err", err) // Status says so
		}
		a.rebuild()
		close(a.read)
	})
	a.crew.Go(func() {
		a.tokens.Keep(a.ctx, func(err error) { a.log.Warn("tokens", "err", err) })
	})
	a.crew.Go(a.watchPrices)
	a.crew.Go(a.watchRetention)
	rows, cancel := a.ledger.Subscribe()
	a.crew.Go(func() {
		defer cancel()
		quiet := time.NewTimer(afterStart)
		defer quiet.Stop()
		for {
			select {
			case <-rows:
				a.changed()
				quiet.Reset(quietFor)
			case <-quiet.C:
				runtime.GC() // what is pooled goes with the second
				debug.FreeOSMemory()
				continue
			case <-a.ctx.Done():
				return
			}
			select { // the faces look anew at each change
			case <-time.After(betweenRows):
			case <-a.ctx.Done():
				return
			}
		}
	})
}

const (
	// betweenRows is how often faces are told of new rows, at most.
	betweenRows = 100 * time.Millisecond
	// afterStart and quietFor are when memory goes back to the system: what
	// starting used, and what busy times did once no row has come for a while.
	// The runtime does so too, in minutes.
	afterStart, quietFor = 2 * time.Second, 5 * time.Second
)

// Close stops serving, waits for answers under way (10 s at most, then they are
// cut), and closes everything that Open opened: the ledger last, when each of
// them has its row.
func (a *App) Close() error {
	var errs []error
	a.server.close()
	a.stop()
	if a.door != nil {
		a.door.Close()
	}
	a.server.calls.dismiss()
	a.crew.dismiss()
	for i := len(a.closed) - 1; i >= 0; i-- {
		errs = append(errs, a.closed[i]())
	}
	a.closed = nil
	a.ledgerMu.Lock()
	defer a.ledgerMu.Unlock()
	if a.ledger != nil {
		errs = append(errs, a.ledger.Close()) // it stays, and says that it is closed
	}
	return errors.Join(errs...)
}

func (a *App) onClose(f func() error) { a.closed = append(a.closed, f) }

// Paths says where everything lives.
func (a *App) Paths() config.Paths { return a.paths }

func (a *App) openLedger(ctx context.Context) error {
	sync := ledger.SyncNormal
	if c, err := os.ReadFile(a.paths.Config); err == nil {
		if parsed, err := config.Parse(a.paths.Config, c); err == nil && parsed.Ledger.Sync == config.SyncFull {
			sync = ledger.SyncFull
		}
	}
	l, err := ledger.Open(ctx, a.paths.Ledger, ledger.Options{Sync: sync})
	if errors.Is(err, ledger.ErrInUse) {
		return fmt.Errorf("%w (%s)", ErrRunning, a.paths.DataFolder)
	}
	if err != nil {
		return err
	}
	a.ledger = l
	return nil
}

// book is the ledger; a command that serves nothing opens it for reading, when
// it first asks.
func (a *App) book() (*ledger.Ledger, error) {
	a.ledgerMu.Lock()
	defer a.ledgerMu.Unlock()
	if a.ledger != nil {
		return a.ledger, nil
	}
	ctx, cancel := context.WithTimeout(a.ctx, 10*time.Second)
	defer cancel()
	l, err := ledger.Open(ctx, a.paths.Ledger, ledger.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	a.ledger = l
	return l, nil
}
