package keys

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	tokensVersion = 1
	tokensLimit   = 4 << 20 // bytes: a file beyond this is none of ours
)

// tokensFile is tokens.json.
type tokensFile struct {
	Version int         `json:"version"`
	Tools   []tokenLine `json:"tools"`
}

type tokenLine struct {
	Tool     string     `json:"tool"`
	SHA256   string     `json:"sha256"` // of the token, in hex
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used,omitempty"`
}

var errNewer = errors.New("written by a newer Keytray: update this one")

// readTokens reads the file; a missing one is empty. A *damage error means that it is there and holds something else.
func readTokens(path string) (entries []entry, info fs.FileInfo, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, nil, err
	}
	if info.Size() > tokensLimit {
		return nil, info, &damage{fmt.Errorf("it is %d bytes long", info.Size())}
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(f); err != nil {
		return nil, nil, err
	}
	entries, err = parseTokens(text.Bytes())
	return entries, info, err
}

// damage marks content that is no list of tokens, as opposed to a file that could not be read.
type damage struct{ err error }

func (d *damage) Error() string { return d.err.Error() }
func (d *damage) Unwrap() error { return d.err }

func parseTokens(text []byte) ([]entry, error) {
	var file tokensFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, &damage{err}
	}
	if file.Version > tokensVersion {
		return nil, errNewer
	}
	if file.Version < 1 {
		return nil, &damage{errors.New("it has no version")}
	}
	entries := make([]entry, 0, len(file.Tools))
	seen := map[string]bool{}
	for _, line := range file.Tools {
		sum, err := hex.DecodeString(line.SHA256)
		if err == nil && len(sum) != len(digest{}) {
			err = errors.New("a hash of the wrong length")
		}
		if err == nil {
			err = CheckTool(line.Tool)
		}
		if err == nil && seen[line.Tool] {
			err = fmt.Errorf("the tool %q is there twice", line.Tool)
		}
		if err != nil {
			return nil, &damage{err}
		}
		seen[line.Tool] = true
		e := entry{tool: line.Tool, sum: digest(sum), created: line.Created.UTC(), used: &usedAt{}}
		if line.LastUsed != nil {
			e.used.Store(line.LastUsed.UnixNano())
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// writeTokens replaces the file with entries: a new file, synced, readable by its owner alone, renamed over the old one.
func writeTokens(path string, entries []entry) (info fs.FileInfo, err error) {
	file := tokensFile{Version: tokensVersion, Tools: []tokenLine{}}
	for _, e := range entries {
		line := tokenLine{Tool: e.tool, SHA256: hex.EncodeToString(e.sum[:]), Created: e.created}
		if used := e.lastUsed(); !used.IsZero() {
			line.LastUsed = &used
		}
		file.Tools = append(file.Tools, line)
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, err
	}
	return replaceFile(path, append(text, '\n'))
}

func replaceFile(path string, text []byte) (info fs.FileInfo, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp") // CreateTemp makes it 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(text); err != nil {
		return nil, err
	}
	if err = f.Sync(); err != nil {
		return nil, err
	}
	if err = f.Close(); err != nil {
		return nil, err
	}
	if err = renameOver(f.Name(), path); err != nil {
		return nil, err
	}
	if dir, openErr := os.Open(filepath.Dir(path)); openErr == nil {
		_ = dir.Sync() // Windows cannot, and needs not
		_ = dir.Close()
	}
	return os.Stat(path)
}

// renameOver tries for a moment on Windows, where a file cannot be replaced while another process reads it.
func renameOver(from, to string) error {
	retry := time.NewTicker(lockPause)
	defer retry.Stop()
	err := os.Rename(from, to)
	for tries := 0; err != nil && runtime.GOOS == "windows" && tries < 50; tries++ {
		<-retry.C
		err = os.Rename(from, to)
	}
	return err
}

// keepDamaged moves the file aside, and gives the new name.
func keepDamaged(path string, now time.Time) (string, error) {
	kept := fmt.Sprintf("%s.damaged-%s", path, now.UTC().Format("20060102-150405.000"))
	return kept, os.Rename(path, kept)
}

// lockTokens keeps other processes from changing the file, for 2 seconds of waiting at most.
func (t *Tokens) lockTokens(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return lockFile(ctx, t.path+".lock")
}
