package catalog

import (
	"encoding/json"
	"strconv"

	"keytray/proxy/llm"
)

// line is the part of a bill that one model makes.
type line struct {
	*bill
	*tariff
	usage *llm.Usage
	used  []byte // the rates that were used, as JSON fields
}

// choice is a rate that a bucket may be billed at; floor marks one that is
// only the least that it can cost.
type choice struct {
	as    bucket
	floor bool
}

// tokens adds every bucket of the usage.
func (l *line) tokens() {
	u := l.usage
	thought := min(u.Reasoning, u.Output)
	if !l.rates[reasoning].told() {
		thought = 0 // billed as the output that it is part of
	}
	l.add(u.Input, choice{as: input})
	l.add(u.CacheRead, choice{as: cacheRead}, choice{as: input})
	l.add(u.CacheWrite5m, choice{as: cacheWrite5m}, choice{as: input})
	l.add(u.CacheWrite1h, choice{as: cacheWrite1h}, choice{cacheWrite5m, true}, choice{as: input})
	l.add(u.Output-thought, choice{as: output})
	l.add(thought, choice{as: reasoning})
	l.add(u.AudioInput, choice{as: audioInput}, choice{input, true})
	l.add(u.AudioCacheRead, choice{as: audioCacheRead}, choice{as: audioInput}, choice{cacheRead, true}, choice{input, true})
	l.add(u.AudioOutput, choice{as: audioOutput}, choice{output, true})
	l.add(u.ImageInput, choice{as: imageInput}, choice{as: input})
	l.add(u.ImageCacheRead, choice{as: imageCacheRead}, choice{as: imageInput}, choice{as: cacheRead}, choice{as: input})
	l.add(u.ImageOutput, choice{as: imageOutput}, choice{output, true})
}

// add bills n tokens at the first choice that has a price.
func (l *line) add(n int64, choices ...choice) {
	if n == 0 {
		return
	}
	if n < 0 {
		l.worse(Estimated) // the provider's counts contradict each other
		return
	}
	for _, c := range choices {
		r := l.rates[c.as]
		if !r.told() {
			continue
		}
		r = r.times(l.factor)
		l.total.add(n, r)
		l.some = true
		if c.floor {
			l.worse(AtLeast)
		}
		if l.shaky[c.as] {
			l.worse(Estimated)
		}
		l.note(bucketNames[c.as], r.million())
		return
	}
	l.worse(AtLeast)
}

// fee bills n calls at USD per 1,000.
func (l *line) fee(name string, n int64, perThousand string) {
	if n <= 0 {
		return
	}
	r, err := perCall(perThousand)
	if perThousand == "" || err != nil {
		l.worse(AtLeast)
		return
	}
	l.total.add(n, r)
	l.some = true
	l.note(name, perThousand)
}

func (l *line) note(name, usd string) {
	key := `"` + name + `":`
	l.used = append(append(append(append(append(l.used, ','), key...), '"'), usd...), '"')
}

// object is the line's price as JSON: which entry, tier and length it was,
// and USD per million tokens (fees: per 1,000) with every factor in it.
func (l *line) object(m *model) []byte {
	b := append([]byte(`,{"model":`), quote(m.ID)...)
	if f := l.price.from(); f != "" {
		b = append(append(b, `,"from":`...), quote(f)...)
	}
	if l.price.Hours != nil {
		b = append(b, `,"by_hour":true`...)
	}
	if l.long != nil {
		b = strconv.AppendInt(append(b, `,"over":`...), l.long.Over, 10)
	}
	if l.tier != "" {
		b = append(append(b, `,"tier":`...), quote(l.tier)...)
	}
	if l.factor != one {
		b = append(append(b, `,"place":`...), quote(decimal(l.factor, 1))...)
	}
	b = append(b, l.used...)
	if len(l.price.Source) > 0 {
		b = append(append(b, `,"source":`...), quote(l.price.Source[0])...)
	}
	return append(b, '}')
}

// shown is the bill's price: the line of the model that was asked, and in
// "also" those of others.
func (b *bill) shown() []byte {
	if len(b.show) == 0 {
		return nil
	}
	all := append(append([]byte{'['}, b.show[1:]...), ']')
	var lines []json.RawMessage
	if json.Unmarshal(all, &lines) != nil || len(lines) == 0 {
		return nil
	}
	if len(lines) == 1 {
		return lines[0]
	}
	rest := all[1+len(lines[0])+1:]
	out := append(lines[0][:len(lines[0])-1:len(lines[0])-1], `,"also":[`...)
	return append(append(out, rest...), '}')
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // a string always marshals
	}
	return b
}
