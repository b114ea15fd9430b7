package responses

import ()

// Readers of single JSON values, found by llm.Fields. Each names the field at
// fault in its error. Null is absent: the zero value, or nil.
