package proxytest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// ggufAlign is the format's default alignment of tensor data, in bytes.
const ggufAlign = 32

// The value types of GGUF metadata that a gguf can hold (gguf_metadata_value_type in the format's document).
const (
	ggufUint32  uint32 = 4
	ggufInt32   uint32 = 5
	ggufFloat32 uint32 = 6
	ggufBool    uint32 = 7
	ggufString  uint32 = 8
	ggufArray   uint32 = 9
)

// gguf is a GGUF file, version 3, in the making: metadata in order and F32 tensors in order.
type gguf struct {
	meta    []ggufEntry
	tensors []ggufTensor
}

type ggufEntry struct {
	key   string
	value any // uint32, float32, bool, string, []string or []int32
}

// ggufTensor is a tensor of 32-bit floats. shape[0] is the dimension whose elements lie next to each other.
type ggufTensor struct {
	name  string
	shape []int
	data  []float32
}

func (g *gguf) set(key string, value any) { g.meta = append(g.meta, ggufEntry{key, value}) }

func (g *gguf) add(name string, data []float32, shape ...int) {
	g.tensors = append(g.tensors, ggufTensor{name, shape, data})
}

// bytes lays the file out. It fails if a metadata value has a type that it cannot write, or if a
// tensor's data does not fill its shape.
func (g *gguf) bytes() ([]byte, error) {
	var w ggufWriter
	w.WriteString("GGUF")
	w.u32(3)
	w.u64(len(g.tensors))
	w.u64(len(g.meta))
	for _, e := range g.meta {
		w.str(e.key)
		if err := w.value(e.value); err != nil {
			return nil, fmt.Errorf("write gguf metadata %s: %w", e.key, err)
		}
	}
	offset := 0
	for _, t := range g.tensors {
		size := 1
		w.str(t.name)
		w.u32(uint32(len(t.shape)))
		for _, n := range t.shape {
			w.u64(n)
			size *= n
		}
		if size != len(t.data) {
			return nil, fmt.Errorf("write gguf tensor %s: shape %v needs %d values, not %d", t.name, t.shape, size, len(t.data))
		}
		w.u32(0) // F32
		w.u64(offset)
		offset += aligned(4 * size)
	}
	for _, t := range g.tensors {
		w.pad()
		for _, v := range t.data {
			w.u32(math.Float32bits(v))
		}
	}
	w.pad()
	return w.Bytes(), nil
}

func aligned(n int) int { return (n + ggufAlign - 1) / ggufAlign * ggufAlign }

// ggufWriter writes the format's primitive values; everything is little-endian.
type ggufWriter struct{ bytes.Buffer }

func (w *ggufWriter) u32(v uint32) { w.Write(binary.LittleEndian.AppendUint32(nil, v)) }

func (w *ggufWriter) u64(v int) { w.Write(binary.LittleEndian.AppendUint64(nil, uint64(v))) }

func (w *ggufWriter) str(s string) {
	w.u64(len(s))
	w.WriteString(s)
}

func (w *ggufWriter) pad() { w.Write(make([]byte, aligned(w.Len())-w.Len())) }

func (w *ggufWriter) value(value any) error {
	switch v := value.(type) {
	case uint32:
		w.u32(ggufUint32)
		w.u32(v)
	case float32:
		w.u32(ggufFloat32)
		w.u32(math.Float32bits(v))
	case bool:
		w.u32(ggufBool)
		if v {
			w.WriteByte(1)
		} else {
			w.WriteByte(0)
		}
	case string:
		w.u32(ggufString)
		w.str(v)
	case []string:
		w.u32(ggufArray)
		w.u32(ggufString)
		w.u64(len(v))
		for _, s := range v {
			w.str(s)
		}
	case []int32:
		w.u32(ggufArray)
		w.u32(ggufInt32)
		w.u64(len(v))
		for _, n := range v {
			w.u32(uint32(n))
		}
	default:
		return fmt.Errorf("no gguf type for %T", value)
	}
	return nil
}
