package app

import "encoding/json"

// launcher says how a program is pointed at Keytray: by its environment and its
// arguments, so that no file of its own is touched.
type launcher struct {
	program string
	env     func(base, token string) []string
	args    func(base string) []string
	models  func(base string, all []Model) []string // more environment, for programs that must be told the models
}

// launchers are the programs that `keytray run` knows. What all programs are
// given is in shared.
var launchers = map[string]launcher{
	"aider": {program: "aider"},
	"claude": {program: "claude", env: func(_, token string) []string {
		// Beside a token, a key of another kind would make it ask which to use.
		return []string{"ANTHROPIC_AUTH_TOKEN=" + token, "ANTHROPIC_API_KEY="}
	}},
	"codex": {program: "codex", args: func(base string) []string {
		return []string{
			"-c", `model_provider="keytray"`,
			"-c", `model_providers.keytray={name="Keytray",base_url="` + base + `/v1",wire_api="responses",env_key="KEYTRAY_TOKEN"}`,
		}
	}},
	"gemini": {program: "gemini"},
	"goose": {program: "goose", env: func(base, _ string) []string {
		return []string{"OPENAI_HOST=" + base, "OPENAI_BASE_PATH=v1/chat/completions", "GOOSE_PROVIDER=openai"}
	}},
	"opencode": {program: "opencode", models: opencodeConfig},
	"qwen":     {program: "qwen"},
}

// shared is set for any program: what the official SDKs read.
func shared(base, token string) []string {
	return []string{
		"OPENAI_BASE_URL=" + base + "/v1", "OPENAI_API_BASE=" + base + "/v1", "OPENAI_API_KEY=" + token,
		"ANTHROPIC_BASE_URL=" + base, "ANTHROPIC_API_KEY=" + token,
		"GOOGLE_GEMINI_BASE_URL=" + base, "GEMINI_API_KEY=" + token, "GOOGLE_API_KEY=" + token,
		"OLLAMA_HOST=" + base, "OLLAMA_API_KEY=" + token,
		"KEYTRAY_BASE_URL=" + base, "KEYTRAY_TOKEN=" + token,
	}
}

// opencodeConfig is opencode's configuration in its environment, which lays it
// over its files. opencode must be told the models.
func opencodeConfig(base string, all []Model) []string {
	models := map[string]any{}
	for _, m := range all {
		models[m.ID] = map[string]any{"name": m.ID}
	}
	b, err := json.Marshal(map[string]any{"provider": map[string]any{"keytray": map[string]any{
		"npm": "@ai-sdk/openai-compatible", "name": "Keytray", "models": models,
		"options": map[string]string{"baseURL": base + "/v1", "apiKey": "{env:KEYTRAY_TOKEN}"},
	}}})
	if err != nil {
		return nil // of texts alone, it does not fail
	}
	return []string{"OPENCODE_CONFIG_CONTENT=" + string(b)}
}
