package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// repriceWait bounds how long a command waits for the running Keytray to price
// calls anew: a million of them take minutes.
const repriceWait = time.Hour

// repricing is the running one's answer.
type repricing struct {
	Models []Repriced `json:"models"`
	Error  string     `json:"error,omitempty"`
}

// repriceThere has the running Keytray, which writes the ledger, price calls
// anew. fs.ErrNotExist: none runs.
func (a *App) repriceThere(ctx context.Context, f RowFilter) ([]Repriced, error) {
	filter, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, repriceWait)
	defer cancel()
	b, err := askRunning(ctx, a.runningFile(), "reprice?filter="+url.QueryEscape(string(filter)))
	if err != nil {
		return nil, err
	}
	var said repricing
	if err := json.Unmarshal(b, &said); err != nil {
		return nil, fmt.Errorf("the running Keytray gave no answer that can be read: %w", err)
	}
	if said.Error != "" {
		err = errors.New(said.Error)
	}
	return said.Models, err
}

// repriceFor is the running one's side. It stops when who asked goes away.
func (a *App) repriceFor(w http.ResponseWriter, r *http.Request) {
	var f RowFilter
	if err := json.Unmarshal([]byte(r.URL.Query().Get("filter")), &f); err != nil {
		http.Error(w, "no filter", http.StatusBadRequest)
		return
	}
	var said repricing
	var err error
	if said.Models, err = a.Reprice(r.Context(), f, true); err != nil {
		said.Error = err.Error()
	}
	_ = json.NewEncoder(w).Encode(said) // who asked has gone, or has it
}
