package config

import (
	"errors"
	"fmt"
	"strings"
)

// platform holds the rules of an operating system that need not be this one.
type platform struct {
	goos   string
	getenv func(string) string
}

func (p platform) paths(config, data string) Paths {
	return Paths{
		ConfigFolder: config,
		DataFolder:   data,
		Config:       p.join(config, "config.yaml"),
		Ledger:       p.join(data, "ledger.db"),
		Tokens:       p.join(data, "tokens.json"),
		Vault:        p.join(data, "vault.age"),
		Lock:         p.join(data, "keytray.lock"),
	}
}

func (p platform) xdg() (Paths, error) {
	config, data := p.getenv("XDG_CONFIG_HOME"), p.getenv("XDG_DATA_HOME")
	if !p.isAbs(config) || !p.isAbs(data) {
		home, err := p.home("HOME")
		if err != nil {
			return Paths{}, err
		}
		if !p.isAbs(config) {
			config = p.join(home, ".config")
		}
		if !p.isAbs(data) {
			data = p.join(home, ".local", "share")
		}
	}
	return p.paths(p.join(config, "keytray"), p.join(data, "keytray")), nil
}

func (p platform) windows() (Paths, error) {
	roaming, local := p.getenv("AppData"), p.getenv("LocalAppData")
	if !p.isAbs(roaming) || !p.isAbs(local) {
		home, err := p.home("USERPROFILE")
		if err != nil {
			return Paths{}, err
		}
		if !p.isAbs(roaming) {
			roaming = p.join(home, "AppData", "Roaming")
		}
		if !p.isAbs(local) {
			local = p.join(home, "AppData", "Local")
		}
	}
	return p.paths(p.join(roaming, "Keytray"), p.join(local, "Keytray")), nil
}

func (p platform) home(variable string) (string, error) {
	home := p.getenv(variable)
	if !p.isAbs(home) {
		return "", fmt.Errorf("no home folder: %s does not hold an absolute path; set it, or set KEYTRAY_HOME to the folder that Keytray may use", variable)
	}
	return home, nil
}

// expand reads KEYTRAY_HOME. A leading ~ is for files that set variables without a shell.
func (p platform) expand(folder string) (string, error) {
	if folder == "~" || strings.HasPrefix(folder, "~/") || p.goos == "windows" && strings.HasPrefix(folder, `~\`) {
		variable := "HOME"
		if p.goos == "windows" {
			variable = "USERPROFILE"
		}
		home, err := p.home(variable)
		if err != nil {
			return "", err
		}
		return p.join(home, folder[1:]), nil
	}
	if !p.isAbs(folder) {
		return "", errors.New("KEYTRAY_HOME is not an absolute path; set it to one")
	}
	return p.join(folder), nil
}

func (p platform) isAbs(path string) bool {
	if p.goos != "windows" {
		return strings.HasPrefix(path, "/")
	}
	drive := len(path) > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/')
	return drive || strings.HasPrefix(path, `\\`)
}

func (p platform) join(parts ...string) string {
	sep := "/"
	cut := "/"
	if p.goos == "windows" {
		sep, cut = `\`, `\/`
	}
	out := parts[0]
	for len(out) > 1 && strings.Contains(cut, out[len(out)-1:]) && !strings.HasSuffix(out, `:\`) {
		out = out[:len(out)-1]
	}
	for _, part := range parts[1:] {
		if part = strings.Trim(part, cut); part != "" {
			out = strings.TrimRight(out, cut) + sep + part
		}
	}
	return out
}
