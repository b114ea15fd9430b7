package llm

import (
	"errors"
	"testing"
)

func TestContest(t *testing.T) {
	var outer, inner Contest
	one := inner.Enter(outer.Enter(t.Context(), 0), 0)
	two := inner.Enter(outer.Enter(t.Context(), 0), 1)
	other := outer.Enter(t.Context(), 1)
	part := WithNote(one, Note{Part: PartShare})
	if !Claim(t.Context()) || !Claim(part) {
		t.Error("what is in no contest has lost it")
	}
	for range 2 {
		if !Claim(other) {
			t.Error("the first has not won")
		}
	}
	if Claim(one) || Claim(two) {
		t.Error("a second has won")
	}
	var again Contest
	if !Claim(again.Enter(part, 3)) || again.Win(2) || !again.Win(3) {
		t.Error("a race inside a part is not decided by itself")
	}
	if err := Lost(); err.Kind != Canceled || !errors.Is(err, ErrLost) || err.Retryable() {
		t.Errorf("%+v", err)
	}
}
