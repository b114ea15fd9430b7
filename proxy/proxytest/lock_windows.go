package proxytest

import (
	"errors"
	"syscall"
)

// errSharingViolation is Windows' answer where a file is open elsewhere and not shared.
const errSharingViolation syscall.Errno = 32

// tryLock takes the lock, or says that another holds it: it opens the file without sharing it.
func tryLock(path string) (unlock func(), held bool, err error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, false, err
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
		syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharingViolation) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	return func() { syscall.CloseHandle(handle) }, false, nil
}
