package app

// Remembered is how many tool calls Keytray keeps signatures and encrypted
// reasoning of, for tools that cannot carry them from turn to turn, and how
// many bytes of memory that takes.
func (a *App) Remembered() (calls, bytes int) { return a.vault.Size() }

// Forget drops all of that, and what is kept of answers. Conversations go on
// without it, unless they go on from an answer by its id.
func (a *App) Forget() {
	a.vault.Clear()
	a.door.Forget()
}

// KeptResponses is how many answers are kept for tools to continue or fetch
// again by their id, and how many bytes of memory that takes.
func (a *App) KeptResponses() (answers, bytes int) { return a.door.Kept() }
