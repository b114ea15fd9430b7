package proxytest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// OllamaServer is a running real Ollama with the tiny models and no others.
type OllamaServer struct {
	// URL is where it listens, without a slash at the end.
	URL string

	cmd    *exec.Cmd
	stop   sync.Once
	exited chan struct{} // closed once the process is gone
	err    error         // how it went, once exited is closed
	log    *ollamaLog
}

// StartOllama starts a real Ollama server of the test's own, with the models TinyModel and
// TinyThinkModel. It is stopped when the test ends. The first call on a machine
// builds the program, which takes some minutes. Where it cannot be built for want of a compiler, a header
// or the source, the test is skipped, unless CI=true, where it fails; -short skips it too.
func StartOllama(tb testing.TB) *OllamaServer {
	tb.Helper()
	if testing.Short() {
		tb.Skip("the real Ollama server is left out of short tests")
	}
	program, err := BuildOllama(tb.Context())
	switch {
	case errors.Is(err, ErrMissing) && os.Getenv("CI") != "true":
		tb.Skip(err)
	case err != nil:
		tb.Fatal(err)
	}
	server, err := RunOllama(tb.Context(), program, tb.TempDir(), "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := server.Stop(); err != nil {
			tb.Errorf("stop ollama: %v\n%s", err, server.log)
		}
	})
	return server
}

// RunOllama starts the program, which keeps everything it writes in the folder, on the address (port 0
// takes a free one), and returns once it has the tiny models. The context bounds the start alone.
// The caller calls Stop.
func RunOllama(ctx context.Context, program, folder, listen string) (*OllamaServer, error) {
	s := &OllamaServer{exited: make(chan struct{}), log: newOllamaLog()}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start ollama: %w", err)
	}
	s.cmd = exec.Command(program, "serve")
	s.cmd.Stdout, s.cmd.Stderr = writer, writer
	s.cmd.SysProcAttr = childAttributes()
	s.cmd.Env = append(ollamaEnvironment(),
		"HOME="+folder, "USERPROFILE="+folder, "OLLAMA_MODELS="+filepath.Join(folder, "models"),
		"OLLAMA_HOST="+listen, "OLLAMA_NO_CLOUD=1")
	started := make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() { s.log.read(reader) })
	go func() {
		// A child that dies with its parent dies with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := s.cmd.Start()
		writer.Close()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
		}
		reading.Wait()
		close(s.exited)
	}()
	if err := <-started; err != nil {
		<-s.exited
		return nil, fmt.Errorf("start ollama: %w", err)
	}
	select {
	case at := <-s.log.address:
		s.URL = "http://" + at
	case <-s.exited:
		return nil, fmt.Errorf("start ollama: it ended at once: %w\n%s", s.err, s.log)
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("start ollama: %w", context.Cause(ctx)), s.Stop())
	}
	if err := s.createModels(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends the server and waits for it; a server that does not end by itself within 10 seconds is killed,
// which is an error. It may be called more than once.
func (s *OllamaServer) Stop() error {
	var err error
	s.stop.Do(func() {
		terminate(s.cmd.Process)
		patience := time.NewTimer(10 * time.Second)
		defer patience.Stop()
		select {
		case <-s.exited:
		case <-patience.C:
			kill(s.cmd.Process)
			<-s.exited
			err = errors.New("ollama did not end when told to; killed")
		}
	})
	return err
}

// AwaitServed waits until the server has finished n requests to the path since it started, however they
// ended. After a client has gone, it tells when the server noticed: an endless answer that nobody cancels
// goes on for about 20,000 tokens.
func (s *OllamaServer) AwaitServed(ctx context.Context, path string, n int) error {
	for {
		served, changed := s.log.count(path)
		if served >= n {
			return nil
		}
		select {
		case <-changed:
		case <-s.exited:
			return fmt.Errorf("wait for ollama to finish %s: it ended: %w", path, s.err)
		case <-ctx.Done():
			return fmt.Errorf("wait for ollama to finish %s (%d of %d): %w", path, served, n, context.Cause(ctx))
		}
	}
}

// createModels gives the server the model file and both templates.
func (s *OllamaServer) createModels(ctx context.Context) error {
	file, err := TinyGGUF()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(file)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	if err := s.post(ctx, "/api/blobs/"+digest, file); err != nil {
		return fmt.Errorf("give ollama the tiny model: %w", err)
	}
	for _, m := range []struct{ name, template string }{{TinyModel, tinyTemplate}, {TinyThinkModel, tinyThinkTemplate}} {
		body, err := json.Marshal(map[string]any{
			"model": m.name, "stream": false,
			"files":    map[string]string{"tiny.gguf": digest},
			"template": strings.TrimSpace(m.template),
			"parameters": map[string]any{
				"num_thread": 1, // more only wait for each other on a model this small
				"num_ctx":    2048,
				"stop":       []string{tinyEnd},
			},
		})
		if err != nil {
			return fmt.Errorf("describe the model %s: %w", m.name, err)
		}
		if err := s.post(ctx, "/api/create", body); err != nil {
			return fmt.Errorf("create the model %s: %w", m.name, err)
		}
	}
	return nil
}

func (s *OllamaServer) post(ctx context.Context, path string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", response.Status, firstLine(answer))
	}
	return nil
}

// ollamaEnvironment is the process's environment without what would steer an Ollama of the user's.
func ollamaEnvironment() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "OLLAMA_") {
			env = append(env, v)
		}
	}
	return env
}
