package proxytest

import (
	_ "embed"
	"fmt"
	"math"
	"math/rand/v2"
)

// What the tiny models say, and how their templates are asked for it. The answers are the same at any
// temperature, because the next token depends on the current one alone and its logit is hundreds above
// every other.
const (
	// TinyModel answers with TinyText, or calls a tool; see TinyTool, TinySystemBoth and TinySystemLoop.
	TinyModel = "tiny"
	// TinyThinkModel thinks TinyThought and answers TinyConclusion, unless thinking is switched off,
	// which gets TinyText. It supports no tools.
	TinyThinkModel = "tiny-think"

	// TinyText is the plain answer: 11 tokens, and the token that ends it.
	TinyText = "Hello, this is Keytray's tiny model speaking: caffè."
	// TinyThought is what TinyThinkModel thinks.
	TinyThought = "Two plus two makes four"
	// TinyConclusion is what TinyThinkModel answers after thinking.
	TinyConclusion = "Four!"

	// TinyTool is the function that TinyModel calls, with TinyToolArguments, when the request has tools and
	// its last message is not a tool result. The request must offer a function of this name.
	TinyTool = "get_weather"
	// TinyToolArguments are the arguments of TinyTool, as JSON.
	TinyToolArguments = `{"city":"Paris"}`
	// TinySecondTool is called after TinyTool, in the same answer, with TinySecondToolArguments, when the
	// system prompt is TinySystemBoth. The request must offer both functions.
	TinySecondTool = "get_time"
	// TinySecondToolArguments are the arguments of TinySecondTool, as JSON.
	TinySecondToolArguments = `{"zone":"Europe/Paris"}`

	// TinySystemBoth as the system prompt asks for two tool calls in one answer.
	TinySystemBoth = "both"
	// TinySystemLoop as the system prompt asks for an answer without an end ("one, two, three, one, ..."),
	// to be cut by the client or by a limit of tokens.
	TinySystemLoop = "loop"
	// TinyLoop is the piece that an endless answer repeats.
	TinyLoop = "one, two, three, "
)

// Ollama renders one of these (Go templates of its own) to make the prompt; the token that ends the
// prompt chooses the chain that the model then follows.
var (
	//go:embed testdata/tiny.tmpl
	tinyTemplate string
	//go:embed testdata/tiny-think.tmpl
	tinyThinkTemplate string
)

const tinyEnd = "<|eot|>"

// tinyControl are the tokens that only templates write. The first three are, in this order, what starts a
// prompt, ends an answer and fills a batch.
func tinyControl() []string {
	return []string{
		"<|bos|>", tinyEnd, "<|pad|>", "<|system|>", "<|user|>", "<|tool|>",
		"<|assistant|>", "<|reason|>", "<|call|>", "<|both|>", "<|loop|>",
	}
}

// tinyChains are the answers, token by token, each behind the control token that starts it. A token
// appears in one place only: it decides alone what follows it. Two tokens of TinyText split a rune.
func tinyChains() [][]string {
	return [][]string{
		{
			"<|assistant|>", "Hello", ",", " this", " is", " Keytray's", " tiny", " model", " speaking",
			": caff\xc3", "\xa8", ".", tinyEnd,
		},
		{"<|reason|>", "<think>", "Two", " plus", " two", " makes", " four", "</think>", "Four", "!", tinyEnd},
		{"<|call|>", `{"name":`, `"get_weather"`, `,"parameters":`, `{"city":`, `"Paris"`, `}}`, tinyEnd},
		{
			"<|both|>", `{"name": "get_`, `weather", "parameters": `, `{"city": "`, `Paris"}}`,
			` {"name": "get_`, `time", "parameters": `, `{"zone": "`, `Europe/Paris"}}`, tinyEnd,
		},
		{"<|loop|>", "one,", " two,", " three,", " one,", " two,"},
	}
}

// The shape of the model: small enough to be made in a moment, and otherwise an ordinary llama.
const (
	tinyLayers = 2
	tinyWidth  = 64
	tinyHeads  = 4
	tinyKV     = 2
	tinyInner  = 128
	// tinyScale stretches the logits so far that sampling has no choice left.
	tinyScale = 64
)

// tinyVocabulary returns the tokens in the order of their ids, in the byte alphabet of GPT-2, with their
// types in GGUF's numbering (1 normal, 3 control), and the id of each by its plain text.
func tinyVocabulary() (tokens []string, types []int32, ids map[string]int) {
	ids = map[string]int{}
	add := func(text, token string, kind int32) {
		if _, known := ids[text]; !known {
			ids[text] = len(tokens)
			tokens = append(tokens, token)
			types = append(types, kind)
		}
	}
	for _, t := range tinyControl() {
		add(t, t, 3)
	}
	for b := range 256 {
		text := string([]byte{byte(b)})
		add(text, byteAlphabet(text), 1)
	}
	for _, chain := range tinyChains() {
		for _, text := range chain {
			add(text, byteAlphabet(text), 1)
		}
	}
	return tokens, types, ids
}

// byteAlphabet spells bytes in the printable letters that GPT-2's tokenizer uses for them.
func byteAlphabet(text string) string {
	var out []rune
	for _, b := range []byte(text) {
		switch r := rune(b); {
		case r == 0xad:
			out = append(out, 0x143)
		case r <= 0x20:
			out = append(out, r+0x100)
		case r >= 0x7f && r <= 0xa0:
			out = append(out, r+0xa2)
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

// tinyWeights returns the embeddings of the tokens (random, one unit long, the same in every run) and the
// output rows: a token's row is the sum of the embeddings of the tokens that it follows, stretched.
func tinyWeights(ids map[string]int) (embeddings, output []float32) {
	random := rand.New(rand.NewPCG(5397, 0))
	embeddings = make([]float32, len(ids)*tinyWidth)
	output = make([]float32, len(ids)*tinyWidth)
	for id := range len(ids) {
		row := embeddings[id*tinyWidth:][:tinyWidth]
		var square float64
		for i := range row {
			v := random.NormFloat64()
			row[i], square = float32(v), square+v*v
		}
		for i := range row {
			row[i] /= float32(math.Sqrt(square))
		}
	}
	for _, chain := range tinyChains() {
		for i, text := range chain[1:] {
			from, to := embeddings[ids[chain[i]]*tinyWidth:], output[ids[text]*tinyWidth:]
			for k := range tinyWidth {
				to[k] += tinyScale * from[k]
			}
		}
	}
	return embeddings, output
}

// TinyGGUF returns the file of the tiny model, the same bytes each time: a llama of 2 layers whose
// attention and feed-forward outputs are zero, so that what follows a token is decided by the embedding
// and the output matrix alone, while the tokenizer, template, runner, sampler and parsers of the program
// that runs it all do their real work. Both models are this file, with different templates.
func TinyGGUF() ([]byte, error) {
	tokens, types, ids := tinyVocabulary()
	var g gguf
	g.set("general.architecture", "llama")
	g.set("general.name", "keytray tiny")
	g.set("general.size_label", "tiny")
	g.set("general.file_type", uint32(0)) // all F32
	g.set("llama.block_count", uint32(tinyLayers))
	g.set("llama.context_length", uint32(4096))
	g.set("llama.embedding_length", uint32(tinyWidth))
	g.set("llama.feed_forward_length", uint32(tinyInner))
	g.set("llama.attention.head_count", uint32(tinyHeads))
	g.set("llama.attention.head_count_kv", uint32(tinyKV))
	g.set("llama.attention.layer_norm_rms_epsilon", float32(1e-5))
	g.set("llama.rope.dimension_count", uint32(tinyWidth/tinyHeads))
	g.set("llama.rope.freq_base", float32(10000))
	g.set("llama.vocab_size", uint32(len(tokens)))
	g.set("tokenizer.ggml.model", "gpt2")
	g.set("tokenizer.ggml.pre", "gpt-2")
	g.set("tokenizer.ggml.tokens", tokens)
	g.set("tokenizer.ggml.token_type", types)
	g.set("tokenizer.ggml.merges", []string{"Ġ t", "t h"})
	g.set("tokenizer.ggml.bos_token_id", uint32(0))
	g.set("tokenizer.ggml.eos_token_id", uint32(1))
	g.set("tokenizer.ggml.padding_token_id", uint32(2))
	g.set("tokenizer.ggml.add_bos_token", true)
	g.set("tokenizer.ggml.add_eos_token", false)

	embeddings, output := tinyWeights(ids)
	g.add("token_embd.weight", embeddings, tinyWidth, len(tokens))
	g.add("output_norm.weight", filled(tinyWidth, 1), tinyWidth)
	g.add("output.weight", output, tinyWidth, len(tokens))
	const kv = tinyWidth / tinyHeads * tinyKV
	for layer := range tinyLayers {
		matrix := func(name string, value float32, shape ...int) {
			size := 1
			for _, n := range shape {
				size *= n
			}
			g.add(fmt.Sprintf("blk.%d.%s.weight", layer, name), filled(size, value), shape...)
		}
		matrix("attn_norm", 1, tinyWidth)
		matrix("attn_q", 0, tinyWidth, tinyWidth)
		matrix("attn_k", 0, tinyWidth, kv)
		matrix("attn_v", 0, tinyWidth, kv)
		matrix("attn_output", 0, tinyWidth, tinyWidth)
		matrix("ffn_norm", 1, tinyWidth)
		matrix("ffn_gate", 0, tinyWidth, tinyInner)
		matrix("ffn_up", 0, tinyWidth, tinyInner)
		matrix("ffn_down", 0, tinyInner, tinyWidth)
	}
	return g.bytes()
}

func filled(n int, value float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = value
	}
	return out
}
