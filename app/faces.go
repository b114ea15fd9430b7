package app

import "keytray/store/keys"

// Keychain keeps secrets; a face that is tested gives one of its own to Options.
type Keychain = keys.Keychain

// Remedy says what a person can do about err, as a sentence, or "" if its own
// words are all there is.
func Remedy(err error) string {
	if p := keys.AsProblem(err); p != nil {
		return p.Remedy
	}
	return ""
}
