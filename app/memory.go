package app

// Remembered is how many tool calls Keytray keeps signatures and encrypted
// reasoning of, for tools that cannot carry them from turn to turn, and how
// many bytes of memory that takes.
func (a *App) Remembered() (calls, bytes int) { return a.vault.Size() }

// Forget drops all of that. Conversations go on without it.
func (a *App) Forget() { a.vault.Clear() }
