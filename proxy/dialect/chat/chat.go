// Package chat speaks OpenAI Chat Completions to clients, and to the many
// providers that took it over.
package chat

// Dialect is the chat dialect, inbound and outbound. The zero value is ready.
type Dialect struct{}

// Name is "chat".
func (Dialect) Name() string { return "chat" }
