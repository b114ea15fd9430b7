package turns

import "keytray/proxy/llm"

// What models are told of a format: by a system prompt, and by a tool.
const (
	JSONOnly = "Answer with one JSON object and with nothing else: no words around it, no code fence."
	JSONTool = "Gives the final answer: its input is the answer. Call it once, when no other tool is needed any more."
)

// AskForJSON asks the model for JSON, where nothing can hold it to that.
func (v *Conversation) AskForJSON() {
	v.c.Lose("response_format: the model is only asked for JSON, not held to it")
	v.Instruct(llm.Block{Kind: llm.Text, Text: JSONOnly})
}

// FormatTool is the tool whose input is an answer in a format, which an
// [Answer] gives as text (A22).
func (n *Names) FormatTool(f *llm.Format) llm.Tool {
	want := f.Name
	if want == "" {
		want = "answer"
	}
	n.call.FormatTool = n.Free(want)
	return llm.Tool{Name: n.call.FormatTool, Description: JSONTool}
}
