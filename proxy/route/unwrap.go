package route

import "keytray/proxy/llm"

// Unwrap is the model's own target, for who asks what it can do.
func (w Watched) Unwrap() llm.Target { return w.Target }
