package app

import "sync"

// crew is goroutines, and calls under way, that Close waits for. The zero value
// takes on work.
type crew struct {
	mu     sync.Mutex
	closed bool
	wait   sync.WaitGroup
}

// join takes one more on, unless the crew is dismissed; who joined calls leave.
func (c *crew) join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.wait.Add(1)
	}
	return !c.closed
}

func (c *crew) leave() { c.wait.Done() }

// Go runs f on a goroutine, unless the crew is dismissed.
func (c *crew) Go(f func()) bool {
	if !c.join() {
		return false
	}
	go func() {
		defer c.leave()
		f()
	}()
	return true
}

// dismiss takes on no more, and returns when all have left.
func (c *crew) dismiss() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wait.Wait()
}
