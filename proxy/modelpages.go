package proxy

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"keytray/proxy/llm"
)

// most is how many models a page holds. It is also what a page holds that is
// asked for without a size: a client that asks for no second page sees all.
const most = 1000

// anthropicInfo is an entry of Anthropic's model list (ModelInfo).
type anthropicInfo struct {
	Type           string `json:"type"`
	ID             string `json:"id"`
	DisplayName    string `json:"display_name"`
	CreatedAt      string `json:"created_at"` // the epoch if it is not known
	MaxInputTokens int    `json:"max_input_tokens,omitempty"`
	MaxTokens      int    `json:"max_tokens,omitempty"`
}

func anthropicModel(m Model) any {
	return anthropicInfo{"model", m.ID, m.title(), day(m), m.Context, m.MaxOutput}
}

// day is when a model was made, as RFC 3339.
func day(m Model) string { return time.Unix(m.Created, 0).UTC().Format(time.RFC3339) }

// listAnthropic pages with before_id, after_id and limit.
func (h *Handler) listAnthropic(w http.ResponseWriter, r *http.Request, all []Model) {
	in, q := inbound("messages"), r.URL.Query()
	limit, err := pageSize(q, "limit")
	if err != nil {
		h.fail(w, in, err)
		return
	}
	page := struct {
		Data    []any   `json:"data"`
		HasMore bool    `json:"has_more"`
		FirstID *string `json:"first_id"`
		LastID  *string `json:"last_id"`
	}{}
	first, end := 0, len(all)
	for _, cursor := range []string{"after_id", "before_id"} {
		id := q.Get(cursor)
		if id == "" {
			continue
		}
		at := slices.IndexFunc(all, func(m Model) bool { return m.ID == id })
		if at < 0 {
			h.fail(w, in, llm.Invalid(cursor, "%s names a model that is not in the list any more; ask for the list from its start", cursor))
			return
		}
		if cursor == "after_id" {
			first = at + 1
		} else {
			end = max(at, first)
		}
	}
	if q.Get("before_id") != "" {
		page.HasMore = end-first > limit
		first = max(first, end-limit)
	} else {
		page.HasMore = end-first > limit
		end = min(end, first+limit)
	}
	page.Data = shaped(all[first:end], anthropicModel)
	if end > first {
		page.FirstID, page.LastID = &all[first].ID, &all[end-1].ID
	}
	h.json(w, in, page)
}

// googleInfo is an entry of Google's model list (genai.Model).
type googleInfo struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	DisplayName string   `json:"displayName"`
	Input       int      `json:"inputTokenLimit,omitempty"`
	Output      int      `json:"outputTokenLimit,omitempty"`
	Methods     []string `json:"supportedGenerationMethods"`
	Thinking    bool     `json:"thinking,omitempty"`
}

func googleModel(m Model) any {
	return googleInfo{
		"models/" + m.ID, "1", m.title(), m.Context, m.MaxOutput,
		[]string{"generateContent", "countTokens"},
		m.Flags.Has(llm.FlagReasoning),
	}
}

// listGoogle pages with pageSize and pageToken, which is the last model seen.
func (h *Handler) listGoogle(w http.ResponseWriter, r *http.Request, all []Model) {
	in, q := inbound("gemini"), r.URL.Query()
	size, err := pageSize(q, "pageSize")
	if err != nil {
		h.fail(w, in, err)
		return
	}
	if token := q.Get("pageToken"); token != "" {
		id, err := base64.RawURLEncoding.DecodeString(token)
		at := slices.IndexFunc(all, func(m Model) bool { return m.ID == string(id) })
		if err != nil || at < 0 {
			h.fail(w, in, llm.Invalid("pageToken", "pageToken is of no list that holds now; ask for the first page again"))
			return
		}
		all = all[at+1:]
	}
	page := struct {
		Models []any  `json:"models"`
		Next   string `json:"nextPageToken,omitempty"`
	}{}
	if len(all) > size {
		all = all[:size]
		page.Next = base64.RawURLEncoding.EncodeToString([]byte(all[size-1].ID))
	}
	page.Models = shaped(all, googleModel)
	h.json(w, in, page)
}

// pageSize reads how many entries a page is to hold.
func pageSize(q url.Values, param string) (int, error) {
	s := q.Get(param)
	if s == "" {
		return most, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return 0, llm.Invalid(param, "%s must be a number from 1 to %d", param, most)
	}
	return min(n, most), nil
}
