// Package dialecttest is the contract that every dialect passes: the
// conversations of ../testdata, each in every dialect's form, go through the
// dialect and come out the same.
//
// A dialect's own test is one call of [Run]; package pairs runs every inbound
// dialect against every outbound one. A conversation is a folder with
//
//	D.request.json   what a client of dialect D sends
//	D.received.json  what a provider of dialect D must receive, if that differs
//	D.via.I.received.json  what differs more when I's client asks: a merge patch
//	D.answer.json    the provider's whole answer
//	D.answer.sse     the same answer streamed (.ndjson where lines are frames)
//	D.error.json     in place of an answer, the body of D's refusal
//	D.error.sse      a stream that ends in D's own error event (.ndjson)
//	D.cut.sse        a stream whose connection is lost in the middle (.ndjson)
//	want.json        what the answer says, in neutral terms: a [Summary]
//	D.want.json      what differs from want.json when D answers: a merge patch
//	D.via.I.want.json  what differs more between D's provider and I's client
//
// The want files may also say which Flags and MaxOutput the model has, which
// fields are Lost on the way out, which are Unheld by the prompt that D's
// client's request becomes, and how D's refusal is read: its Status, Kind,
// Message, Code, Param and RetryAfter in seconds. Where a request is Refused
// before it is sent, they name the field at fault. A dialect without files in
// a conversation skips it.
//
// A dialect that asks for a stream in its path does so here where
// chat.request.json does.
package dialecttest

import (
	"testing"

	"keytray/proxy/llm"
)

// Model is the name of the model in every conversation.
const Model = "test-model"

// Run tests out against every conversation that has its files. Requests come
// from clients of in, and answers go back to them; if in is an llm.Outbound
// too, what it wrote is read again and compared.
//
// It must be called from a package folder beside testdata.
func Run(t *testing.T, out llm.Outbound, in llm.Inbound) {
	for _, c := range conversations(t) {
		t.Run(c.name, func(t *testing.T) {
			alone(t, c, out)
			pair(t, c, out, in)
		})
	}
}

// Pairs tests every inbound dialect against every outbound one, in every
// conversation, as [Run] does for one of each.
func Pairs(t *testing.T, ins []llm.Inbound, outs []llm.Outbound) {
	for _, c := range conversations(t) {
		t.Run(c.name, func(t *testing.T) {
			for _, out := range outs {
				t.Run(out.Name(), func(t *testing.T) { alone(t, c, out) })
				for _, in := range ins {
					t.Run(in.Name()+" to "+out.Name(), func(t *testing.T) { pair(t, c, out, in) })
				}
			}
		})
	}
}

// alone tests what does not depend on the client.
func alone(t *testing.T, c conversation, out llm.Outbound) {
	if name := out.Name() + ".answer.json"; c.has(name) {
		t.Run("whole", func(t *testing.T) { answer(t, c, out, name, false) })
	}
	if name := c.stream(out, "answer"); c.has(name) {
		t.Run("stream", func(t *testing.T) {
			answer(t, c, out, name, true)
			t.Run("cut", func(t *testing.T) { cut(t, c, out) })
		})
	}
	if c.has(out.Name() + ".error.json") {
		t.Run("refusal", func(t *testing.T) { refusal(t, c, out) })
	}
	for _, form := range []string{"error", "cut"} {
		if name := c.stream(out, form); c.has(name) {
			t.Run("stream that ends in "+form, func(t *testing.T) { broken(t, c, out, name) })
		}
	}
}

// pair tests the way from in's client to out's provider and back.
func pair(t *testing.T, c conversation, out llm.Outbound, in llm.Inbound) {
	if !c.has(in.Name() + ".request.json") {
		return
	}
	if c.has(out.Name()+".received.json") || c.has(out.Name()+".request.json") || c.want(t, out.Name(), out.Name()+".via."+in.Name()).Refused != "" {
		t.Run("request", func(t *testing.T) { request(t, c, out, in) })
	}
	if name := out.Name() + ".answer.json"; c.has(name) {
		t.Run("whole", func(t *testing.T) { back(t, c, out, in, name, false) })
	}
	if name := c.stream(out, "answer"); c.has(name) {
		t.Run("stream", func(t *testing.T) { back(t, c, out, in, name, true) })
	}
	if c.has(out.Name() + ".error.json") {
		t.Run("refusal", func(t *testing.T) { refusalBack(t, c, out, in) })
	}
	for _, form := range []string{"error", "cut"} {
		if name := c.stream(out, form); c.has(name) {
			t.Run("stream that ends in "+form, func(t *testing.T) { brokenBack(t, c, out, in, name) })
		}
	}
}
