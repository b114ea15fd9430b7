// Package config is Keytray's config.yaml as an immutable value.
//
// Three names are enough to use it: [Locate] says where everything lives, [Open] reads the file (and writes a
// commented one at the first start), and [Store.Edit] changes single settings while every comment, every blank
// line and the order stay as the user left them. [Store.Current] is one atomic load.
//
// What it refuses to do: run on a file with a mistake in it (the last good settings stay, and [Store.Problems]
// says which line is wrong and why), overwrite a file that has a mistake in it, accept a key of a provider
// (secrets live in the keychain), or ignore a word that it does not know.
package config

// Config is what one good config.yaml says, with defaults filled in. It is shared by everyone who asked for it,
// so nobody may change it or anything it holds. Lists keep the order of the file.
type Config struct {
	// Listen is host:port; the host is a loopback address or localhost unless ListenBeyondLoopback.
	Listen string
	// ListenBeyondLoopback permits a Listen address that other machines can reach.
	ListenBeyondLoopback bool
	// Active is the tray's switch: ActiveAuto, ActiveOffline, a provider's id or a route's name. Whether the
	// provider or route exists is for [Options.Check] to say.
	Active string
	// Providers are overrides of built-in providers and providers of the user's own.
	Providers []Provider
	// WithoutToken says what a client that sends no token may use.
	WithoutToken WithoutToken
	// Routes are the user's named targets.
	Routes []Route
	// Tools are the settings of local programs, by the name of their token.
	Tools []Tool
	// Budget limits what all tools spend together.
	Budget Budget
	// KeepResponses keeps answers of the Responses API in memory, so that clients can continue and fetch them by id.
	KeepResponses bool
	// Ledger says how the ledger is kept.
	Ledger Ledger
	// PriceUpdate says when the list of prices is looked up anew.
	PriceUpdate PriceUpdate
	// Origins are the browser origins that may call, each scheme://host or scheme://host:port in lower case.
	Origins []string
	// StandIns say which models a provider answers with, when it is active and asked for a model it lacks.
	StandIns []StandIn
}

// The values of [Config.Active] that are neither a provider nor a route.
const (
	ActiveAuto    = "auto"
	ActiveOffline = "offline"
)

// DefaultListen is where Keytray listens unless told otherwise; 5397 spells KEYS.
const DefaultListen = "127.0.0.1:5397"

// WithoutToken says what a client without a token may use.
type WithoutToken string

// The values of [WithoutToken]: nothing, models that run on this machine, everything.
const (
	TokenRefuse WithoutToken = "refuse"
	TokenLocal  WithoutToken = "local"
	TokenAny    WithoutToken = "any"
)

// Provider is one entry of providers. Zero fields leave the built-in entry of the same id as it is; an entry
// without a built-in one needs Dialect and BaseURL, which [Options.Check] sees to.
type Provider struct {
	// ID is lower case: letters, digits, dots, dashes and underscores.
	ID string
	// Dialect is chat, responses, messages, gemini, ollama or converse.
	Dialect string
	// BaseURL is an absolute http or https URL without user, query and fragment, as it was written.
	BaseURL string
	// KeyEnv names the environment variable that holds the key; it never holds the key itself.
	KeyEnv string
	// Models are names as the provider knows them.
	Models []string
	// Headers are sent with every call, in the order of the file. None of them authenticates.
	Headers []Header
	// Settings are parts of the provider's addresses that only the user knows, such as a region, by name. Which
	// provider has which is for [Options.Check] to say. None holds a key.
	Settings []Setting
	// Deployments are the user's own names of models.
	Deployments []Deployment
	// Off hides the provider: it is neither listed nor called.
	Off bool
	// Rotate spreads conversations over all keys of the provider, which are
	// otherwise used one after the other.
	Rotate bool
	// Budget limits what is spent there, and Keys what is spent with single keys.
	Budget Budget
	Keys   []KeyBudget
	// Prices are what the user pays for single models; they win over all lists.
	Prices []ModelPrice
	// Discount is what the provider takes off its list prices, in millionths: 200,000 is 20 %. Models that have a price
	// here get none.
	Discount int64
}

// ModelPrice is what the user pays for one model.
type ModelPrice struct {
	Model string
	// Rates are in the order of [PriceKinds]; what is left out is as it is listed.
	Rates []Rate
}

// Rate is the price of one kind of token, or of what a kind's name says.
type Rate struct {
	Kind string
	Pico int64 // pico-USD for a million tokens, or for one per_image and the like
}

// KeyBudget limits what is spent with the key of that label.
type KeyBudget struct {
	Label  string
	Budget Budget
}

// Setting is one part of a provider's addresses: region, profile, project, location and the like.
type Setting struct{ Name, Value string }

// Deployment is the user's own name of a model.
type Deployment struct{ Model, Name string }

// Header is one HTTP header that a provider wants with every call.
type Header struct{ Name, Value string }

// Tool is what config.yaml says of one local program.
type Tool struct {
	Name   string
	Budget Budget
	// Models are what the tool may ask for: models, routes, or a provider's id
	// and a slash for all of its models. None is no limit.
	Models []string
}

// Budget limits spending. A nil limit is no limit; a limit of 0 lets nothing that costs money through.
type Budget struct {
	// Day and Month are pico-USD (1 USD is 1e12) in the user's local day and calendar month.
	Day, Month *int64
	// AtLimit says what happens at the limit; never empty.
	AtLimit AtLimit
}

// AtLimit says what happens to a call once its budget is spent.
type AtLimit string

// The values of [AtLimit]: the call gets an error, or local models answer it.
const (
	LimitBlock   AtLimit = "block"
	LimitOffline AtLimit = "offline"
)

// Ledger says how the ledger is kept.
type Ledger struct {
	Sync Sync
	// KeepDays is after how many days single rows are dropped; their sums stay. 0 keeps them for good.
	KeepDays int
	// Detail says what new rows hold.
	Detail Detail
}

// Detail says what a row of the ledger holds.
type Detail string

// The values of [Detail]: all but content; or counts and costs alone, without the models' names and errors' texts.
const (
	DetailFull   Detail = "full"
	DetailCounts Detail = "counts"
)

// PriceUpdate says when the list of prices is looked up anew.
type PriceUpdate string

// The values of [PriceUpdate]: when the user asks for it, or each week.
const (
	UpdateAsked  PriceUpdate = "asked"
	UpdateWeekly PriceUpdate = "weekly"
)

// Sync says what a finished row survives.
type Sync string

// The values of [Sync]: a killed process, or a power cut too at the price of waiting for the disk each time.
const (
	SyncNormal Sync = "normal"
	SyncFull   Sync = "full"
)

// StandIn names the models that a provider answers with in place of ones it lacks. An empty name leaves the
// choice to the catalog.
type StandIn struct{ Provider, Large, Small string }

// Defaults returns the settings of an empty file.
func Defaults() *Config {
	return &Config{
		Listen:       DefaultListen,
		Active:       ActiveAuto,
		WithoutToken: TokenLocal,
		Budget:       Budget{AtLimit: LimitBlock},
		Ledger:       Ledger{Sync: SyncNormal, Detail: DetailFull},
		PriceUpdate:  UpdateAsked,
	}
}

// Provider returns the entry of that id.
func (c *Config) Provider(id string) (Provider, bool) {
	return find(c.Providers, func(p Provider) bool { return p.ID == id })
}

// Route returns the route of that name.
func (c *Config) Route(name string) (Route, bool) {
	return find(c.Routes, func(r Route) bool { return r.Name == name })
}

// Tool returns the settings of the tool of that name.
func (c *Config) Tool(name string) (Tool, bool) {
	return find(c.Tools, func(t Tool) bool { return t.Name == name })
}

// StandIn returns the stand-ins of that provider.
func (c *Config) StandIn(provider string) (StandIn, bool) {
	return find(c.StandIns, func(s StandIn) bool { return s.Provider == provider })
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	for _, v := range list {
		if is(v) {
			return v, true
		}
	}
	var none T
	return none, false
}
