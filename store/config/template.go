package config

// first is the file that the first start writes: every setting with what it does, and the defaults.
const first = `# Keytray's settings. Changes apply when the file is saved; a mistake changes nothing, and Keytray says which line.
# The window and the command line edit this file too and keep your comments. Keys are never kept here:
# they are in the system's keychain (keytray keys add).

# Where tools connect. Only this machine can reach 127.0.0.1.
# For another address add: listen_beyond_loopback: true
listen: 127.0.0.1:5397

# The switch in the tray: auto (each model at its own provider), offline (only models on this machine),
# or the name of a provider or route that answers everything.
active: auto

# What programs that send no token may use: refuse (nothing), local (models on this machine), any (everything).
without_token: local

# true keeps answers of the Responses API in memory for a day, so that any model can continue them by their id.
keep_responses: false

# Providers: change a built-in one, switch it off, or add your own.
# Dialects: chat, messages, gemini, ollama. Prices that you pay are in US dollars for a million tokens,
# or for what they are named by: per_image, per_minute (of sound), per_1m_characters (of speech), per_1k_searches (and rankings).
providers:
  # openai: {base_url: "http://127.0.0.1:9001/v1"}
  # groq: {off: true}
  # bedrock: {region: us-east-1, profile: work}
  # vertex: {project: my-project, location: global}
  # azure: {resource: my-resource, deployments: {gpt-5-mini: my-mini}}
  # lab: {dialect: chat, base_url: "http://127.0.0.1:8000/v1", key_env: LAB_KEY, models: [qwen3]}
  # mistral: {discount: 20%, prices: {mistral-large-latest: {input: 1.2, output: 3}}}

# Routes: names of your own that work as model names.
routes:
  # quick: groq/llama-3.3-70b-versatile
  # safe: {fallback: [anthropic/claude-sonnet-5-5, ollama/qwen3]}

# While one provider is active and lacks the model that was asked for, it answers with these.
stand_ins:
  # openai: {large: gpt-6.1-sol, small: gpt-6-luna}

# Web pages that may call from a browser. None may unless it is listed.
origins:
  # - http://localhost:3000

# asked: newer prices are looked up with keytray prices update, or under Settings, alone. weekly: each week too; they are
# used if you agree.
prices:
  update: asked

# normal: the spending record survives a crash of Keytray. full: a power cut too; each answer waits for the disk.
# keep_days drops single calls after so many days and keeps their sums. detail: counts keeps no models' names.
ledger:
  sync: normal
`
