// Package keys holds the secrets that Keytray signs with, and the local tokens that tools sign in with.
//
// A newcomer needs four names. [Secret] is a string that prints dots; Reveal is the only way out of it.
// [Ring] finds the keys of a provider: a command-line flag first, then the environment, then the system's
// keychain. [System] is that keychain, with a deadline around every call. [Tokens] makes, checks and revokes
// the tokens of local tools.
//
// What goes wrong with a keychain is told by a [Problem]: a kind for programs, a message and a remedy for
// people. A ring with a broken keychain goes on working with the keys it has.
//
// The package refuses to print, log or marshal a secret, to wait without a limit for a keychain, and to start
// a session bus that nobody asked for.
package keys
