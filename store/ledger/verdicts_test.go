package ledger

import "testing"

func TestVerdictsOutliveTheProcess(t *testing.T) {
	path := file(t)
	l := open(t, path, Options{})
	l.AddVerdict(Verdict{"p/a", "code", 1, 0.5})
	l.AddVerdict(Verdict{"p/a", "code", 2, 1.5})
	l.AddVerdict(Verdict{"p/a", "chat", 1, 1})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, path, Options{})
	got, err := l.Verdicts(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, v := range got {
		if v.Task == "code" && (v.Calls != 3 || v.Score != 2) {
			t.Errorf("%+v", v)
		}
	}
}
