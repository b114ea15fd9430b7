// Package proxytest is the other end of a provider's wire, for tests, benchmarks and trying things by hand.
//
// Provider answers in four dialects at once, whichever path it is called on and whether a whole answer or
// a stream is asked for. It says what a Script says, at the pace that the test sets, misbehaves on demand,
// and keeps what it was sent:
//
//	provider := proxytest.New(proxytest.Script{Parts: proxytest.Parts(proxytest.Text("Hel", "lo"))})
//	server := proxytest.Start(t, provider)
//	... call server.URL + "/v1/chat/completions" ...
//	provider.Last().Header.Get("Authorization")
//
// NewByModel lets the model name choose the script ("text", "tools", "error-429", "cut"), for clients that
// are not Go; package play serves it on a port. Fast answers with as little work as possible, for
// benchmarks. StartOllama runs the real Ollama server with a tiny model.
package proxytest
