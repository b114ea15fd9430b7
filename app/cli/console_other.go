//go:build !windows

package cli

// leaveConsole does nothing where starting a program opens no console.
func leaveConsole() {}
