package app

import (
	"keytray/store/keys"
	"keytray/store/ledger"
)

// Keychain keeps secrets; a face that is tested gives one of its own to Options.
type Keychain = keys.Keychain

// RowStatus says how an attempt stands or ended: running, ok, error, aborted,
// cut, interrupted.
type RowStatus = ledger.Status

// Remedy says what a person can do about err, as a sentence, or "" if its own
// words are all there is.
func Remedy(err error) string {
	if p := keys.AsProblem(err); p != nil {
		return p.Remedy
	}
	return ""
}
