package keys

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Keychains cannot be listed through go-keyring, so Keytray keeps the names of its keys in one more item. Its
// account is "index" and its value is JSON: {"v":1,"keys":["openai/default","openai/work"]}. A list too long
// for one item is split: the head then says {"v":1,"gen":3,"parts":2} and the names are in "index/3/1" and
// "index/3/2". Parts are written before the head, under a new generation each time, so that a crash leaves the
// old list or the new one.

const (
	indexAccount = "index"
	indexVersion = 1
	indexSize    = 1900 // bytes of one item: fits Windows' 2,560 and, in base64, macOS's line of 4,096
	indexParts   = 64
)

type index struct {
	Version int      `json:"v"`
	Gen     int      `json:"gen,omitempty"`
	Parts   int      `json:"parts,omitempty"`
	Keys    []string `json:"keys,omitempty"`

	names   []name   // what Keys, or the parts, hold
	strange []string // entries that are no names
	raw     string   // the head of a damaged list, to be kept
}

func partAccount(gen, part int) string { return fmt.Sprintf("%s/%d/%d", indexAccount, gen, part) }

// readIndex reads the list of names. A missing index is an empty one. The error is the keychain's, or a
// Damaged problem; with Damaged the index still holds what could be read.
func readIndex(ctx context.Context, kc Keychain) (index, error) {
	whole, err := kc.Get(ctx, indexAccount)
	if errors.Is(err, ErrNotFound) {
		return index{Version: indexVersion}, nil
	}
	if err != nil {
		return index{}, err
	}
	var head index
	if err := json.Unmarshal([]byte(whole), &head); err != nil || head.Version < 1 || head.Parts < 0 || head.Parts > indexParts {
		return index{Version: indexVersion, raw: whole}, damagedIndex(err)
	}
	if head.Version > indexVersion {
		return index{Version: head.Version}, &Problem{
			Kind: Damaged, Message: "the list of keys in the keychain was written by a newer Keytray",
			Remedy: "Update Keytray; this one will not change the list.",
		}
	}
	accounts := head.Keys
	var broken error
	for part := 1; part <= head.Parts; part++ {
		var piece index
		text, err := kc.Get(ctx, partAccount(head.Gen, part))
		if err != nil && !errors.Is(err, ErrNotFound) {
			return index{}, err
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &piece)
		}
		if err != nil {
			broken, head.raw = damagedIndex(err), whole
			continue
		}
		accounts = append(accounts, piece.Keys...)
	}
	for _, account := range accounts {
		if n, err := parseName(account); err != nil {
			head.strange = append(head.strange, account)
		} else if head.find(n) < 0 {
			head.names = append(head.names, n)
		}
	}
	return head, broken
}

func damagedIndex(err error) *Problem {
	return &Problem{
		Damaged, "the list of keys in the keychain cannot be read",
		"Add the missing keys again under their old labels; a copy of the list is kept in the keychain, in the item index/damaged.", err,
	}
}

// find gives the place of n in the list, or -1.
func (x index) find(n name) int {
	for i, have := range x.names {
		if have.same(n) {
			return i
		}
	}
	return -1
}

// plan encodes names, in one item or in a head and parts. It fails before anything is written.
func (x index) plan(names []name) (head index, parts []string, err error) {
	head = index{Version: indexVersion, Gen: x.Gen, names: names}
	piece := index{Version: indexVersion}
	size := 0
	flush := func() error {
		text, err := json.Marshal(piece)
		parts = append(parts, string(text))
		piece.Keys, size = nil, 0
		return err
	}
	for _, n := range names {
		if cost := len(n.account()) + 3; size+cost > indexSize {
			if err := flush(); err != nil {
				return index{}, nil, err
			}
		}
		piece.Keys = append(piece.Keys, n.account())
		size += len(n.account()) + 3
	}
	if len(parts) == 0 {
		head.Keys = piece.Keys
		return head, nil, nil
	}
	if err := flush(); err != nil {
		return index{}, nil, err
	}
	if len(parts) > indexParts {
		return index{}, nil, &Problem{
			Kind: TooLarge, Message: fmt.Sprintf("%d keys are more than the keychain's list can hold", len(names)),
			Remedy: "Remove keys that are no longer used.",
		}
	}
	head.Gen, head.Parts = x.Gen+1, len(parts)
	return head, parts, nil
}

// write replaces the list x in the keychain with names.
func (x index) write(ctx context.Context, kc Keychain, names []name) error {
	if x.Version > indexVersion {
		return &Problem{Kind: Damaged, Message: "the list of keys was written by a newer Keytray", Remedy: "Update Keytray."}
	}
	head, parts, err := x.plan(names)
	if err != nil {
		return err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	if x.raw != "" {
		if err := kc.Set(ctx, indexAccount+"/damaged", x.raw); err != nil {
			return fmt.Errorf("keeping a copy of the damaged list of keys: %w", err)
		}
	}
	for i, part := range parts {
		if err := kc.Set(ctx, partAccount(head.Gen, i+1), part); err != nil {
			return fmt.Errorf("writing the list of keys: %w", err)
		}
	}
	if err := kc.Set(ctx, indexAccount, string(text)); err != nil {
		return fmt.Errorf("writing the list of keys: %w", err)
	}
	if x.raw != "" {
		return nil // the damaged list's parts belong to its copy
	}
	for part := 1; part <= x.Parts; part++ { // names only: one that stays behind does no harm
		_ = kc.Delete(ctx, partAccount(x.Gen, part))
	}
	return nil
}
