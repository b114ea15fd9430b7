//go:build !nogui

package ui

import (
	"context"
	"errors"
	"testing"

	"fyne.io/fyne/v2/test"
)

// TestLoadsBecomeOne: while a load is under way, any number of further ones
// become one.
func TestLoadsBecomeOne(t *testing.T) {
	test.NewTempApp(t)
	c := &crew{ctx: t.Context()}
	s := &stage{crew: c}
	s.enter()
	reads, drawn := make(chan int), make(chan int, 10)
	read := func(context.Context) (int, error) { return <-reads, nil }
	ask := func() {
		load(s, read, func(v int, err error) {
			drawn <- v
		})
	}
	ask()
	ask()
	ask()
	reads <- 1
	close(reads) // the second and the third are one, and read at once
	c.wait.Wait()
	if len(drawn) != 2 || <-drawn != 1 {
		t.Fatalf("drew %d times more than once", len(drawn))
	}
	<-drawn
	ask()
	c.wait.Wait()
	if len(drawn) != 1 {
		t.Errorf("then %d times", len(drawn))
	}
}

// TestLeavingStopsTheWork: what a screen reads ends when it goes out of view,
// and is not drawn.
func TestLeavingStopsTheWork(t *testing.T) {
	test.NewTempApp(t)
	c := &crew{ctx: t.Context()}
	s := &stage{crew: c}
	load(s, func(context.Context) (int, error) { t.Error("a screen out of view reads"); return 0, nil }, func(int, error) {})
	s.enter()
	begun := make(chan struct{})
	load(s, func(ctx context.Context) (int, error) {
		close(begun)
		<-ctx.Done()
		return 0, ctx.Err()
	}, func(int, error) { t.Error("a screen out of view is drawn") })
	<-begun
	s.leave()
	c.wait.Wait()
}

// TestActionsEndInTheirOwnTime: what the user asked for is not given up with
// the screen.
func TestActionsEndInTheirOwnTime(t *testing.T) {
	test.NewTempApp(t)
	ctx, cancel := context.WithCancel(t.Context())
	c := &crew{ctx: ctx}
	s := &stage{crew: c}
	s.enter()
	begun, goOn, got := make(chan struct{}), make(chan struct{}), make(chan error, 2)
	wrong := errors.New("wrong")
	c.act(func(ctx context.Context) error {
		close(begun)
		<-goOn
		return errors.Join(wrong, ctx.Err())
	}, func(err error) { got <- err })
	<-begun
	s.leave()
	close(goOn)
	if err := <-got; !errors.Is(err, wrong) || errors.Is(err, context.Canceled) {
		t.Errorf("the action ended with %v", err)
	}
	c.act(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, func(error) { t.Error("told after the end") })
	cancel()
	c.wait.Wait()
}
