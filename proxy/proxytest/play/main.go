// Command play serves a test provider, or the real Ollama with tiny models, for clients that are not Go
// and for trying things by hand. It prints the base URL on stdout once it is ready, and runs until it is
// interrupted:
//
//	go run ./proxy/proxytest/play                  # the model's name says what is answered
//	go run ./proxy/proxytest/play -models          # prints those names
//	go run ./proxy/proxytest/play -ollama          # a real Ollama with the models tiny and tiny-think
//	go run ./proxy/proxytest/play -ollama -prepare # only builds it, and prints where it is
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"keytray/proxy/proxytest"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to serve on; port 0 takes a free one")
	key := flag.String("key", "", "the only provider key to accept; empty accepts any")
	models := flag.Bool("models", false, "print the model names, and end")
	ollama := flag.Bool("ollama", false, "serve the real Ollama; the first time builds it")
	prepare := flag.Bool("prepare", false, "with -ollama: build it, print its path, and end")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *models:
		for _, name := range proxytest.ModelNames() {
			fmt.Println(name)
		}
	case *ollama:
		err = playOllama(ctx, *listen, *prepare)
	default:
		err = playProvider(ctx, *listen, *key)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(1)
	}
}

func playProvider(ctx context.Context, listen, key string) error {
	provider := proxytest.NewByModel()
	provider.Key = key
	server, err := proxytest.Listen(listen, provider)
	if err != nil {
		return err
	}
	defer server.Close()
	fmt.Println(server.URL)
	<-ctx.Done()
	return nil
}

func playOllama(ctx context.Context, listen string, prepare bool) error {
	program, err := proxytest.BuildOllama(ctx)
	if err != nil || prepare {
		fmt.Println(program)
		return err
	}
	folder, err := os.MkdirTemp("", "play-ollama-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	server, err := proxytest.RunOllama(ctx, program, folder, listen)
	if err != nil {
		return err
	}
	fmt.Println(server.URL)
	<-ctx.Done()
	return server.Stop()
}
