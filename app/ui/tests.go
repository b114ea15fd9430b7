//go:build !nogui

package ui

import (
	"encoding/json"
	"maps"

	"keytray/app"
	"keytray/app/view"
)

// prefTests is where the last tests of keys are kept. There is no secret in
// them: a label, and what the provider said.
const prefTests = "key-tests"

type keptTest struct {
	Key  view.KeyID
	Test view.Tested
}

// recallTests reads the last tests of keys.
func (s *shell) recallTests() {
	var kept []keptTest
	if json.Unmarshal([]byte(s.fyne.Preferences().String(prefTests)), &kept) != nil {
		return // none were kept, or by another version: tests can be made again
	}
	for _, k := range kept {
		s.tests[k.Key] = k.Test
	}
}

// keepTest remembers a test of a key.
func (s *shell) keepTest(k app.Key, t app.KeyTest, err error) {
	kept := view.Tested{At: s.now(), OK: t.OK && err == nil, Said: t.Said, Took: t.Took}
	if err != nil {
		kept.Said = err.Error()
	}
	kept.Said = view.Clip(kept.Said, 300)
	s.tests[view.KeyID{Provider: k.Provider, Label: k.Label, Source: k.Source}] = kept
	s.storeTests()
}

// dropTests forgets the tests of a key that is another now.
func (s *shell) dropTests(provider, label string) {
	maps.DeleteFunc(s.tests, func(k view.KeyID, _ view.Tested) bool { return k.Provider == provider && k.Label == label })
	s.storeTests()
}

func (s *shell) storeTests() {
	var list []keptTest
	for k, t := range s.tests {
		list = append(list, keptTest{k, t})
	}
	if b, err := json.Marshal(list); err == nil {
		s.fyne.Preferences().SetString(prefTests, string(b))
	}
}

func (s *shell) anyTested() bool {
	for _, t := range s.tests {
		if t.OK {
			return true
		}
	}
	return false
}
