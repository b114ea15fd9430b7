package proxytest

// Fault is a way in which a provider misbehaves. The names are also models of NewByModel.
type Fault string

// The faults. Those in the middle of a stream happen after Script.After frames; a whole answer is then
// affected as each one says.
const (
	FaultNone Fault = ""

	// Before the answer.
	FaultHang     Fault = "hang"      // no headers, until the client goes
	FaultHTML     Fault = "html"      // 502 with a page, as a gateway in front of the provider
	FaultEmpty    Fault = "empty"     // 200 without a body
	FaultRedirect Fault = "redirect"  // 302 to /elsewhere on the same host (or Script.Header's Location)
	FaultInside   Fault = "inside"    // 200 with an error: the whole body, or the first frame
	FaultNoAnswer Fault = "no-answer" // 200 without choices, content or candidates

	// In the middle of a stream.
	FaultError   Fault = "error-after" // an error event, and the end; a whole answer: the same as FaultInside
	FaultGarbage Fault = "garbage"     // a frame that is no JSON, then the rest; a whole answer: no JSON
	FaultCut     Fault = "cut"         // half a frame, and the connection is closed; a whole answer: half of it
	FaultFin     Fault = "fin"         // a clean end without the stop event; a whole answer: half of it
	FaultStall   Fault = "stall"       // silence until the client goes; a whole answer: half of it

	// At the end of a stream; a whole answer is not affected.
	FaultNoDone   Fault = "no-done"  // Chat: a finish reason, but no [DONE]; elsewhere as FaultNone
	FaultTrailing Fault = "trailing" // one more piece of text after the end

	// All along.
	FaultType       Fault = "wrong-type"  // Content-Type: text/plain
	FaultLarge      Fault = "large"       // one more piece of text, of Script.Size bytes
	FaultGzip       Fault = "gzip"        // compressed, asked or not
	FaultGzipHidden Fault = "gzip-hidden" // compressed, without saying so
	FaultZstd       Fault = "zstd"        // compressed, asked or not
	FaultBomb       Fault = "bomb"        // Script.Size bytes of white space, gzipped to a thousandth of it
)

// Fail is an error of a provider.
type Fail struct {
	Status     int    // 0 is the dialect's way to say that it is overloaded
	Message    string // empty is what providers say for the status
	Reason     string // Gemini's error reason, in the details
	RetryAfter int    // seconds; a header, except in Gemini, which says it in the body
	EchoKey    bool   // the message repeats the caller's key, as careless providers do
}
