package config

import (
	"os"
	"runtime"
	"time"
)

// Rename puts a file in the place of another, whole or not at all. Windows refuses that while anybody reads the old one,
// so there it is tried again for a moment.
func Rename(from, to string) error {
	retry := time.NewTicker(5 * time.Millisecond)
	defer retry.Stop()
	err := os.Rename(from, to)
	for tries := 0; err != nil && runtime.GOOS == "windows" && tries < 100; tries++ {
		<-retry.C
		err = os.Rename(from, to)
	}
	return err
}
