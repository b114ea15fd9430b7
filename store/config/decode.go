package config

import "fmt"

// Parse reads the text of a config.yaml; file is the name that problems carry. It returns Problems, all that can
// be found at once, or the settings with defaults filled in. It touches no disk and may be called at once.
func Parse(file string, text []byte) (*Config, error) {
	cfg, _, problems := parse(file, text)
	if problems != nil {
		return nil, problems
	}
	return cfg, nil
}

// parse also returns the tree, by which the place of a setting can be found later.
func parse(file string, text []byte) (*Config, *node, Problems) {
	src, problems := newSource(file, text)
	if problems != nil {
		return nil, nil, problems
	}
	root, problems := src.parse()
	if problems != nil {
		return nil, nil, problems
	}
	r := &reader{file: file}
	cfg := Defaults()
	r.settings(root, cfg)
	r.between(root, cfg)
	if len(r.problems) > 0 {
		return nil, root, r.sorted()
	}
	return cfg, root, nil
}

func (r *reader) settings(root *node, cfg *Config) {
	var listen *node
	r.fields(root, []field{
		{"listen", func(n *node) { listen = n }},
		{"listen_beyond_loopback", func(n *node) { r.truth(n, &cfg.ListenBeyondLoopback) }},
		{"active", func(n *node) { r.active(n, &cfg.Active) }},
		{"providers", func(n *node) {
			r.named(n, "provider id", checkID, func(id string, n *node) { cfg.Providers = append(cfg.Providers, r.provider(id, n)) })
		}},
		{"without_token", func(n *node) { word(r, n, &cfg.WithoutToken, TokenRefuse, TokenLocal, TokenAny) }},
		{"keep_responses", func(n *node) { r.truth(n, &cfg.KeepResponses) }},
		{"routes", func(n *node) {
			r.named(n, "route name", checkRouteName, func(name string, n *node) { cfg.Routes = append(cfg.Routes, r.route(name, n)) })
		}},
		{"tools", func(n *node) {
			r.named(n, "tool name", checkToolName, func(name string, n *node) { cfg.Tools = append(cfg.Tools, r.tool(name, n)) })
		}},
		{"budget", func(n *node) { r.budget(n, &cfg.Budget) }},
		{"ledger", func(n *node) {
			r.fields(n, []field{
				{"sync", func(n *node) { word(r, n, &cfg.Ledger.Sync, SyncNormal, SyncFull) }},
				{"keep_days", func(n *node) { r.days(n, &cfg.Ledger.KeepDays) }},
				{"detail", func(n *node) { word(r, n, &cfg.Ledger.Detail, DetailFull, DetailCounts) }},
			})
		}},
		{"prices", func(n *node) {
			r.fields(n, []field{{"update", func(n *node) { word(r, n, &cfg.PriceUpdate, UpdateAsked, UpdateWeekly) }}})
		}},
		{"origins", func(n *node) { cfg.Origins = r.texts(n, r.origin) }},
		{"stand_ins", func(n *node) {
			r.named(n, "provider id", checkID, func(id string, n *node) { cfg.StandIns = append(cfg.StandIns, r.standIn(id, n)) })
		}},
	})
	if listen != nil {
		r.listen(listen, cfg)
	}
}

func (r *reader) active(n *node, to *string) {
	s, ok := r.text(n)
	if !ok {
		return
	}
	if s != ActiveAuto && s != ActiveOffline && checkID(s) != "" && checkRouteName(s) != "" {
		r.add(n, "is neither auto, offline, a provider nor a route", "")
		return
	}
	*to = s
}

func (r *reader) standIn(provider string, n *node) StandIn {
	s := StandIn{Provider: provider}
	r.fields(n, []field{
		{"large", func(n *node) { s.Large, _ = r.model(n) }},
		{"small", func(n *node) { s.Small, _ = r.model(n) }},
	})
	if n.kind == isTable && s.Large == "" && s.Small == "" && len(n.entries) == 0 {
		r.add(n, "names no model", "give large, small or both, such as {large: gpt-6, small: gpt-6-mini}")
	}
	return s
}

// between checks what no setting can tell alone.
func (r *reader) between(root *node, cfg *Config) {
	for _, route := range cfg.Routes {
		at := root.get("routes").get(route.Name)
		if at == nil {
			continue
		}
		if _, clash := cfg.Provider(route.Name); clash {
			r.add(at, "has the name of a provider, so active could mean either", "give the route another name")
		}
		if round := cycle(cfg, route.Name, route.Name, map[string]bool{}); round != nil {
			r.add(at, "leads back to itself ("+join(round, " to ")+")", "name a provider's model as provider/model")
		}
	}
	if len(r.problems) > 0 {
		return // of routes without an end, nothing can be counted
	}
	known := map[string]int{}
	for _, route := range cfg.Routes {
		if at := root.get("routes").get(route.Name); at != nil && breadth(cfg, route.Target, known) > mostModels {
			r.add(at, fmt.Sprintf("leads to more than %d models", mostModels), "leave some routes in it out")
			return // those that lead to it are too broad for the same reason
		}
	}
}

// mostModels is to how many models a route may lead, each counted as often as it is named: a call looks at them all.
const mostModels = 1000

// breadth is to how many models a target leads, or more than mostModels. known are the routes that are counted already.
func breadth(cfg *Config, t Target, known map[string]int) int {
	if route, ok := cfg.Route(t.Model); ok {
		if _, counted := known[t.Model]; !counted {
			known[t.Model] = breadth(cfg, route.Target, known)
		}
		return known[t.Model]
	}
	n := 1
	for i, o := range t.Of {
		n = min(n+breadth(cfg, o, known), mostModels+1)
		if i == 0 {
			n-- // a strategy is none itself
		}
	}
	if t.By != "" {
		n = min(n+breadth(cfg, Target{Model: t.By}, known), mostModels+1)
	}
	return n
}

// cycle returns the way from a route to another, or nil. seen are the routes that do not lead there.
func cycle(cfg *Config, from, to string, seen map[string]bool) []string {
	route, ok := cfg.Route(from)
	if !ok || seen[from] {
		return nil
	}
	seen[from] = true
	for _, next := range route.Models() {
		if next == to {
			return []string{from, to}
		}
		if way := cycle(cfg, next, to, seen); way != nil {
			return append([]string{from}, way...)
		}
	}
	return nil
}
