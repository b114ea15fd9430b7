package ledger

import "testing"

// TestOldFile opens what the first version wrote: its rows, sums and groups are still there, and new ones join them.
func TestOldFile(t *testing.T) {
	path := file(t)
	all, err := steps()
	if err != nil {
		t.Fatal(err)
	}
	rawExec(t, path, all[0]+`;
		INSERT INTO groups VALUES (7, 'codex', 'openai', 'm', 'work');
		INSERT INTO attempts VALUES (1, 'r', 1000000, 7, 'chat', 'm', 'safe', 1, 0, '', NULL, 'ok', 200, '', NULL, 5, 30, 'exact',
			NULL, 30, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0);
		INSERT INTO rollup VALUES (0, 0, 7, 1, 1, 0, 0, 0, 0, 0, 30, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
			(1, 0, 7, 96, 1, 0, 0, 0, 0, 0, 30, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0),
			(2, 0, 0, 96, 1, 0, 0, 0, 0, 0, 30, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0);
		PRAGMA application_id=1263817305; PRAGMA user_version=1`)
	l := open(t, path, Options{})
	finish(t, l, Row{Tool: "codex", Provider: "openai", Model: "m", Key: "work", Route: "safe", Status: StatusOK, CostPico: pico(12), CostKind: CostExact, SavedPico: pico(3)})
	rows, err := l.Rows(t.Context(), Filter{})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if old := rows[1]; old.Route != "safe" || *old.CostPico != 30 || old.Tool != "codex" || old.SavedPico != nil {
		t.Errorf("the old row is %+v", old)
	}
	sums, err := l.Spend(t.Context(), Query{By: []By{ByTool}})
	if err != nil || len(sums) != 1 || sums[0].CostPico != 42 || sums[0].SavedPico != 3 || sums[0].Calls != 2 {
		t.Errorf("sums %+v, %v", sums, err)
	}
}
