package cli

import (
	"syscall"
	"unsafe"
)

// leaveConsole closes the console that the system opened for Keytray alone, as
// a double click makes it do: it would stay beside the window, and closing it
// would end Keytray. The console of a shell that Keytray was started from stays.
func leaveConsole() {
	kernel := syscall.NewLazyDLL("kernel32.dll")
	var processes [2]uint32
	n, _, _ := kernel.NewProc("GetConsoleProcessList").Call(uintptr(unsafe.Pointer(&processes[0])), uintptr(len(processes)))
	if n == 1 {
		_, _, _ = kernel.NewProc("FreeConsole").Call() // if it fails, the console stays
	}
}
