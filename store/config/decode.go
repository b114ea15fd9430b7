package config

import "slices"

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
		if round := cycle(cfg, route.Name, nil); round != nil {
			r.add(at, "leads back to itself ("+join(round, " to ")+")", "name a provider's model as provider/model")
		}
	}
}

// cycle returns the way from a route back to itself, or nil.
func cycle(cfg *Config, name string, way []string) []string {
	if len(way) > 0 && way[0] == name {
		return append(way, name)
	}
	route, ok := cfg.Route(name)
	if !ok || slices.Contains(way, name) {
		return nil
	}
	way = append(way, name)
	for _, next := range route.Models() {
		if round := cycle(cfg, next, slices.Clone(way)); round != nil {
			return round
		}
	}
	return nil
}
