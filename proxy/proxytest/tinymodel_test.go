package proxytest

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// TestTinyChains follows the weights as a runner would: normalise the embedding, multiply by the output
// matrix, take the best. Each token of each chain must be followed by its successor, far ahead of the rest.
func TestTinyChains(t *testing.T) {
	tokens, types, ids := tinyVocabulary()
	if len(tokens) != len(types) || len(tokens) != len(ids) {
		t.Fatalf("%d tokens, %d types, %d ids", len(tokens), len(types), len(ids))
	}
	embeddings, output := tinyWeights(ids)
	follows := map[string]string{}
	for _, chain := range tinyChains() {
		for i, from := range chain[:len(chain)-1] {
			if to := follows[from]; to != "" && to != chain[i+1] {
				t.Errorf("%q is followed by %q and by %q", from, to, chain[i+1])
			}
			follows[from] = chain[i+1]
		}
	}
	for from, to := range follows {
		row := embeddings[ids[from]*tinyWidth:][:tinyWidth]
		best, second, winner := math.Inf(-1), math.Inf(-1), -1
		for id := range tokens {
			var logit float64
			for k, v := range output[id*tinyWidth:][:tinyWidth] {
				logit += float64(v) * float64(row[k]) * math.Sqrt(tinyWidth) // a unit vector's root mean square is 1/√width
			}
			if logit > best {
				best, second, winner = logit, best, id
			} else if logit > second {
				second = logit
			}
		}
		if winner != ids[to] {
			t.Errorf("after %q comes %q, want %q", from, tokens[winner], to)
		}
		if best-second < 100 {
			t.Errorf("after %q: %q leads by %.0f only; a hot sampler could take another", from, to, best-second)
		}
	}
}

func TestTinyGGUF(t *testing.T) {
	one, err := TinyGGUF()
	if err != nil {
		t.Fatal(err)
	}
	two, err := TinyGGUF()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("two calls give different bytes")
	}
	if !bytes.HasPrefix(one, []byte("GGUF\x03\x00\x00\x00")) {
		t.Errorf("starts with %x", one[:8])
	}
	if n := binary.LittleEndian.Uint64(one[8:]); n != 3+9*tinyLayers {
		t.Errorf("%d tensors", n)
	}
	if len(one)%ggufAlign != 0 {
		t.Errorf("%d bytes do not end on a multiple of %d", len(one), ggufAlign)
	}
}

func TestGGUFRefuses(t *testing.T) {
	var wrongType gguf
	wrongType.set("k", 3.5)
	if _, err := wrongType.bytes(); err == nil {
		t.Error("a float64 was written, and no reader would know it")
	}
	var wrongShape gguf
	wrongShape.add("t", make([]float32, 3), 2, 2)
	if _, err := wrongShape.bytes(); err == nil {
		t.Error("a tensor shorter than its shape was written")
	}
}
