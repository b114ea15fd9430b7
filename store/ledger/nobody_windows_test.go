package ledger

import "testing"

func asNobody(t *testing.T) { t.Skip("no root on Windows") }
