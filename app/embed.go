package app

import (
	"fmt"

	"keytray/proxy/catalog"
	"keytray/proxy/dialect/chat"
	"keytray/proxy/dialect/embed"
	"keytray/proxy/dialect/gemini"
	ollamadialect "keytray/proxy/dialect/ollama"
	"keytray/proxy/llm"
)

// embedder is the form in which a provider makes embeddings, and where.
func (a *App) embedder(p catalog.Provider) (llm.Outbound, string, error) {
	base := a.baseURL(p)
	switch p.Dialect {
	case "chat", "responses":
		if own := a.also(p, "other"); own != "" && p.ID == cohereProvider { // its other endpoint takes no input_type
			return embed.Dialect{Form: embed.Cohere, Refusals: chat.Dialect{}}, own, nil
		}
		return embed.Dialect{Form: embed.OpenAI, Refusals: chat.Dialect{}}, base, nil
	case "gemini":
		return embed.Dialect{Form: embed.Gemini, Refusals: gemini.Dialect{}}, base, nil
	case "ollama":
		return embed.Dialect{Form: embed.Ollama, Refusals: ollamadialect.Dialect{}}, base, nil
	}
	return nil, "", &llm.Error{
		Kind: llm.NotFound, Code: "unsupported", Param: "model",
		Message: fmt.Sprintf("%s makes no embeddings; ask for an embedding model of another provider, such as openai/text-embedding-3-small or one of Ollama's", p.Name),
	}
}

const cohereProvider = "cohere"

// embeds tells whether a request asks for embeddings.
func embeds(r *llm.Request) bool {
	_, ok := r.Inbound.(embed.Dialect)
	return ok
}
