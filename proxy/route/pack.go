package route

import (
	"encoding/binary"

	"keytray/proxy/llm"
)

// A kept answer is written down field by field, always in the same order:
// numbers as varints, strings behind their length, and of events and usages a
// mask of the fields that are there before those. What has written it reads it,
// in the same run of the program, so it needs no names and no version.

// pack writes an answer down.
func (k *kept) pack() []byte {
	size := 256 + len(k.Body)
	for i := range k.Events {
		size += 16 + len(k.Events[i].Text)
	}
	p := packer{make([]byte, 0, size)}
	p.num(uint64(len(k.Body)))
	p.b = append(p.b, k.Body...)
	p.str(k.Target)
	p.str(k.Type)
	p.num(mask(k.Copied, k.Stream))
	p.num(uint64(len(k.Lost)))
	for _, s := range k.Lost {
		p.str(s)
	}
	p.usage(&k.Usage)
	p.num(uint64(len(k.Events)))
	for i := range k.Events {
		p.event(&k.Events[i])
	}
	return p.b
}

// unpack reads an answer, whose body shares b's memory; false if b is none.
func unpack(b []byte) (k kept, ok bool) {
	u := unpacker{b: b}
	if n := u.many(); n > 0 {
		k.Body, u.b = u.b[:n:n], u.b[n:]
	}
	u.s = string(u.b)
	k.Target, k.Type = u.str(), u.str()
	has := u.num()
	k.Copied, k.Stream = has&1 != 0, has&2 != 0
	for range u.many() {
		k.Lost = append(k.Lost, u.str())
	}
	u.usage(&k.Usage)
	if n := u.many(); n > 0 {
		k.Events = make([]llm.Event, n)
		for i := range k.Events {
			u.event(&k.Events[i])
		}
	}
	return k, !u.bad && len(u.b) == 0
}

// texts are an event's strings.
func texts(e *llm.Event) [7]*string {
	return [...]*string{&e.Text, &e.ID, &e.Name, (*string)(&e.Why), &e.Tier, &e.Opaque, &e.Origin}
}

// counts are a usage's numbers.
func counts(u *llm.Usage) [17]*int64 {
	return [...]*int64{
		&u.Input, &u.CacheRead, &u.CacheWrite5m, &u.CacheWrite1h, &u.Output, &u.Reasoning, (*int64)(&u.Stated),
		&u.Searches, &u.Images, &u.Characters, &u.AudioMS,
		&u.AudioInput, &u.AudioCacheRead, &u.AudioOutput, &u.ImageInput, &u.ImageCacheRead, &u.ImageOutput,
	}
}

// mask has a bit for each that is true, the first the lowest.
func mask(bits ...bool) (m uint64) {
	for i, b := range bits {
		if b {
			m |= 1 << i
		}
	}
	return m
}

type packer struct{ b []byte }

func (p *packer) num(n uint64) { p.b = binary.AppendUvarint(p.b, n) }
func (p *packer) int(n int64)  { p.b = binary.AppendVarint(p.b, n) }

func (p *packer) str(s string) {
	p.num(uint64(len(s)))
	p.b = append(p.b, s...)
}

func (p *packer) event(e *llm.Event) {
	p.b = append(p.b, byte(e.Kind), byte(e.Block))
	p.int(int64(e.Index))
	all := texts(e)
	has := mask(e.Usage != nil, e.Cite != nil)
	for i, s := range all {
		if *s != "" {
			has |= 4 << i
		}
	}
	p.num(has)
	for _, s := range all {
		if *s != "" {
			p.str(*s)
		}
	}
	if e.Usage != nil {
		p.usage(e.Usage)
	}
	if c := e.Cite; c != nil {
		p.str(c.URL)
		p.str(c.Title)
		p.str(c.Quote)
		p.int(int64(c.Start))
		p.int(int64(c.End))
	}
}

func (p *packer) usage(u *llm.Usage) {
	all := counts(u)
	has := mask(u.HasStated, u.Known)
	for i, n := range all {
		if *n != 0 {
			has |= 4 << i
		}
	}
	p.num(has)
	for _, n := range all {
		if *n != 0 {
			p.int(*n)
		}
	}
	p.num(uint64(len(u.Also)))
	for i := range u.Also {
		p.str(u.Also[i].Model)
		p.usage(&u.Also[i].Usage)
	}
}

type unpacker struct {
	b   []byte
	s   string // ends with b's bytes; strings are cut out of it without a copy of each
	bad bool
}

// end gives up.
func (u *unpacker) end() { u.b, u.bad = nil, true }

func (u *unpacker) num() uint64 {
	n, size := binary.Uvarint(u.b)
	if size <= 0 {
		u.end()
		return 0
	}
	u.b = u.b[size:]
	return n
}

func (u *unpacker) int() int64 {
	n, size := binary.Varint(u.b)
	if size <= 0 {
		u.end()
		return 0
	}
	u.b = u.b[size:]
	return n
}

// many is a number of things, each of which takes a byte at least.
func (u *unpacker) many() int {
	n := u.num()
	if n > uint64(len(u.b)) {
		u.end()
		return 0
	}
	return int(n)
}

func (u *unpacker) str() string {
	n := u.many()
	at := len(u.s) - len(u.b)
	u.b = u.b[n:]
	return u.s[at : at+n]
}

func (u *unpacker) event(e *llm.Event) {
	if len(u.b) < 2 {
		u.end()
		return
	}
	e.Kind, e.Block = llm.EventKind(u.b[0]), llm.BlockKind(u.b[1])
	u.b = u.b[2:]
	e.Index = int(u.int())
	has := u.num()
	for i, s := range texts(e) {
		if has&(4<<i) != 0 {
			*s = u.str()
		}
	}
	if has&1 != 0 {
		e.Usage = &llm.Usage{}
		u.usage(e.Usage)
	}
	if has&2 != 0 {
		e.Cite = &llm.Citation{URL: u.str(), Title: u.str(), Quote: u.str(), Start: int(u.int()), End: int(u.int())}
	}
}

func (u *unpacker) usage(to *llm.Usage) {
	has := u.num()
	to.HasStated, to.Known = has&1 != 0, has&2 != 0
	for i, n := range counts(to) {
		if has&(4<<i) != 0 {
			*n = u.int()
		}
	}
	for range u.many() {
		also := llm.OtherUsage{Model: u.str()}
		u.usage(&also.Usage)
		to.Also = append(to.Also, also)
	}
}
