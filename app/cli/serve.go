package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"keytray/app"
	"keytray/app/view"
)

func (f *face) serveCommand() *cobra.Command {
	var listen string
	var given []string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer local tools, without a window",
		Long: `Serve answers local tools until it is stopped (Ctrl-C or SIGTERM); answers
under way may then end, for 10 seconds. Once it is ready it prints one line on
standard output, with the address:

  listening http://127.0.0.1:5397

The log goes to standard error. The address is listen in config.yaml; --listen
overrides it for this start.

--key gives a key for this start only; it comes before the environment and the
keychain. Other programs on this computer can see the flags of a running one,
and the shell may keep them in its history: prefer keytray keys add, or the
provider's environment variable.`,
		Example: `  keytray serve
  keytray serve --listen 127.0.0.1:0
  OPENAI_API_KEY=... keytray serve`,
		Args: exactly(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			addr, err := listenAddress(listen)
			if err != nil {
				return usage(cmd, err)
			}
			keys, err := givenKeys(given)
			if err != nil {
				return usage(cmd, err)
			}
			return f.serve(cmd, app.Options{Serve: true, Listen: addr, Keys: keys, Log: f.logger()})
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "", "address to listen on, instead of the one in config.yaml; port 0 is any free one")
	cmd.Flags().StringArrayVar(&given, "key", nil, "a key, as PROVIDER=KEY; others can see it, see above (repeatable)")
	return cmd
}

func (f *face) serve(cmd *cobra.Command, o app.Options) error {
	ctx := cmd.Context()
	a, err := f.open(ctx, o)
	if errors.Is(err, app.ErrRunning) {
		return fmt.Errorf("%w; stop that one first, or set KEYTRAY_HOME to another folder", err)
	}
	if err != nil {
		return err
	}
	err = f.answer(ctx, cmd, a, o)
	return errors.Join(err, a.Close())
}

// answer serves until ctx ends.
func (f *face) answer(ctx context.Context, cmd *cobra.Command, a *app.App, o app.Options) error {
	for provider := range o.Keys {
		if _, err := provide(a, provider); err != nil {
			return usage(cmd, fmt.Errorf("--key: %w", err))
		}
	}
	changed, cancel := a.Subscribe()
	defer cancel()
	if err := a.Start(); err != nil {
		return err
	}
	addr, err := a.Addr()
	if err != nil {
		return err
	}
	fmt.Fprintf(f.out(), "listening http://%s\n", addr)
	said := map[string]string{}
	for {
		tell(o.Log, said, a.Status().Problems)
		for _, w := range a.TakeWarnings() {
			title, text := view.BudgetWarning(w, time.Now())
			o.Log.Warn(title, "about", "budget", "said", text)
		}
		if now, _ := a.Addr(); now != addr && now != "" {
			addr = now // listen was changed in config.yaml
			o.Log.Info("listening", "address", "http://"+addr)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			o.Log.Info("stopping: answers under way may end")
			return nil
		}
	}
}

// tell logs each problem when it appears, and that nothing is wrong any more
// with what it was about; one that goes and comes back is told again. said is
// what each is about.
func tell(log *slog.Logger, said map[string]string, problems []app.Problem) {
	now, about := map[string]bool{}, map[string]bool{}
	for _, p := range problems {
		id := p.About + p.Message
		now[id], about[p.About] = true, true
		if _, told := said[id]; !told {
			said[id] = p.About
			log.Warn(p.Message, "about", p.About, "remedy", p.Remedy)
		}
	}
	settled := map[string]bool{}
	for id, was := range said {
		if now[id] {
			continue
		}
		delete(said, id)
		if !about[was] && !settled[was] {
			settled[was] = true
			log.Info("in order again", "about", was)
		}
	}
}

// listenAddress checks --listen: it is for this computer alone. A bare port is
// one of 127.0.0.1.
func listenAddress(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if _, err := strconv.ParseUint(s, 10, 16); err == nil {
		return "127.0.0.1:" + s, nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("--listen %s is no address: write host:port, such as 127.0.0.1:5397", quote(s))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", fmt.Errorf("--listen %s has no port from 0 to 65535", quote(s))
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("--listen takes an address that only this computer can reach, such as 127.0.0.1:%s; to let other machines in, set listen and listen_beyond_loopback in config.yaml", port)
	}
	return s, nil
}

// givenKeys reads --key PROVIDER=KEY. Its errors never repeat what was given.
func givenKeys(given []string) (map[string]string, error) {
	keys := map[string]string{}
	for _, g := range given {
		provider, key, ok := strings.Cut(g, "=")
		provider = strings.TrimSpace(provider)
		switch {
		case !ok:
			return nil, errors.New("--key takes PROVIDER=KEY, such as openai=YOUR-KEY")
		case provider == "" || key == "":
			return nil, errors.New("--key takes PROVIDER=KEY, and one of the two is empty")
		case keys[provider] != "":
			return nil, fmt.Errorf("--key gives two keys for %s: give one", quote(provider))
		}
		keys[provider] = key
	}
	return keys, nil
}
