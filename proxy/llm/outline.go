package llm

import "bytes"

// Outline is what the one scan of [Scan] found in a body: where its top-level
// fields lie, and whether there may be opaque data below them.
type Outline struct {
	Opaque Opaque
	size   int
	fields []span
}

// span is where a field's key, without quotes, and its value lie.
type span struct{ key, keyEnd, value, valueEnd int }

// Opaque tells what a body holds of signatures and encrypted reasoning, each
// of which is for the provider alone that made it.
type Opaque uint8

const (
	OpaqueNone   Opaque = iota // nothing at all
	OpaqueOwn                  // some, of providers
	OpaqueSealed               // some that [Seal] packed, or a body that was not looked at
)

// see looks at a string below the top level, key or value. It knows the words
// that opaque data of any dialect stands under, or beside: reasoning_details,
// signature, thoughtSignature, encrypted_content, thinking.
func (o *Opaque) see(s []byte) {
	if len(s) < len("thinking") {
		return
	}
	known := false
	switch s[len(s)-1] {
	case 'e':
		known = bytes.HasSuffix(s, []byte("ignature"))
	case 's':
		known = bytes.HasSuffix(s, []byte("_details"))
	case 't':
		known = bytes.HasSuffix(s, []byte("_content"))
	case 'g':
		known = bytes.HasSuffix(s, []byte("thinking"))
	}
	if known {
		*o = max(*o, OpaqueOwn)
	}
	if s[0] == sealedBase64[0] && bytes.HasPrefix(s, []byte(sealedBase64)) {
		*o = OpaqueSealed
	}
}

// Scan is [Fields], and makes an outline, so that nobody needs to scan the body
// for its fields again. There is none if visit stopped the scan.
func Scan(b []byte, visit func(key, value []byte, at int) bool) (*Outline, error) {
	o := &Outline{size: len(b), fields: make([]span, 0, 16)}
	whole := true
	err := fields(b, &o.Opaque, func(key, value []byte, at int) bool {
		start := cap(b) - cap(key) // where key lies in b
		o.fields = append(o.fields, span{start, start + len(key), at, at + len(value)})
		whole = visit(key, value, at)
		return whole
	})
	if err != nil || !whole {
		return nil, err
	}
	return o, nil
}

// Fields visits the top-level fields of the body as [Fields] does, without a
// scan if [Peek] left an outline of it.
func (r *Request) Fields(visit func(key, value []byte, at int) bool) error {
	o := r.Outline
	if o == nil || o.size != len(r.Raw) {
		return Fields(r.Raw, visit)
	}
	for _, f := range o.fields {
		if !visit(r.Raw[f.key:f.keyEnd], r.Raw[f.value:f.valueEnd], f.value) {
			break
		}
	}
	return nil
}

// MayHold tells whether the body may hold opaque data that is not for the
// provider of c: data that [Seal] packed, or any at all where that of another
// provider is known.
func (r *Request) MayHold(c *Call) bool {
	o := r.Outline
	if o == nil || o.size != len(r.Raw) {
		return true
	}
	return o.Opaque == OpaqueSealed || o.Opaque == OpaqueOwn && c.Foreign != nil
}
