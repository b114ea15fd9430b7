package catalog

import (
	"bytes"
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
	l.add(u.Images, choice{as: perImage})
	l.add(u.Characters, choice{as: perMillionCharacters})
	l.add(u.AudioMS, choice{as: perMinute})
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
		r = r.times(l.factor).times(l.less)
		l.total.add(n, r)
		l.some = true
		if c.floor {
			l.worse(AtLeast)
		}
		if l.shaky[c.as] {
			l.worse(Estimated)
		}
		l.note(c.as, r)
		return
	}
	l.worse(AtLeast)
}

// searches bills them: at the user's own price, the model's fee, or that of all
// the provider's models.
func (l *line) searches(m *model) {
	fee := m.costs.Search
	switch {
	case l.rates[perThousandSearches].told():
		l.add(l.usage.Searches, choice{as: perThousandSearches})
		return
	case !fee.one.told():
		fee = l.provider.search
	}
	l.fee("search_per_1k", l.usage.Searches, fee)
}

// fee bills n calls at a price for 1,000.
func (l *line) fee(name string, n int64, f fee) {
	if n <= 0 {
		return
	}
	if !f.one.told() {
		l.worse(AtLeast)
		return
	}
	l.total.add(n, f.one.times(l.less))
	l.some = true
	if l.ctx.Sum {
		return
	}
	usd := f.usd
	if l.less != one {
		usd = f.one.times(l.less).times(rate{1, 1_000_000_000}).String()
	}
	l.used = append(append(l.field(name), usd...), '"')
}

func (l *line) note(of bucket, r rate) {
	if l.ctx.Sum {
		return
	}
	l.used = append(r.appendUSD(l.field(bucketNames[of]), of), '"')
}

// field begins a field of the row's price, up to its string.
func (l *line) field(name string) []byte {
	if l.used == nil {
		l.used = make([]byte, 0, 128)
	}
	return append(append(append(l.used, `,"`...), name...), `":"`...)
}

// object is the line's price as JSON: which entry, tier and length it was,
// and USD per million tokens (fees: per 1,000) with every factor in it.
func (l *line) object(m *model) []byte {
	b := make([]byte, 0, 256)
	b = appendString(append(b, `{"model":`...), m.ID)
	if f := l.price.from(); f != "" {
		b = appendString(append(b, `,"from":`...), f)
	}
	if l.price.Hours != nil {
		b = append(b, `,"by_hour":true`...)
	}
	if l.long != nil {
		b = strconv.AppendInt(append(b, `,"over":`...), l.long.Over, 10)
	}
	if l.tier != "" {
		b = appendString(append(b, `,"tier":`...), l.tier)
	}
	if l.factor != one {
		b = appendString(append(b, `,"place":`...), l.factor.String())
	}
	if l.less != one {
		b = appendString(append(b, `,"discount":`...), percent(l.less))
	}
	b = append(b, l.used...)
	if len(l.price.Source) > 0 {
		b = appendString(append(b, `,"source":`...), l.price.Source[0])
	}
	return append(b, '}')
}

// shown is the bill's price: the line of the model that was asked, and in
// "also" those of others.
func (b *bill) shown() []byte {
	if len(b.lines) == 0 {
		return nil
	}
	out := b.lines[0]
	if len(b.lines) == 1 {
		return out
	}
	out = append(out[:len(out)-1], `,"also":[`...)
	return append(append(out, bytes.Join(b.lines[1:], []byte{','})...), "]}"...)
}

// appendString adds a JSON string.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' {
			q, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // a string always marshals
			}
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
