//go:build unix

package proxytest

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the lock, or says that another holds it.
func tryLock(path string) (unlock func(), held bool, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, false, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		held = errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR)
		if held {
			err = nil
		}
		return nil, held, err
	}
	return func() { file.Close() }, false, nil
}
