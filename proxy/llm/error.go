package llm

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrorKind says what kind of failure it was, in terms all dialects share.
type ErrorKind string

// The kinds of error.
const (
	BadRequest   ErrorKind = "invalid_request"
	Unauthorized ErrorKind = "authentication"
	Forbidden    ErrorKind = "permission"
	NotFound     ErrorKind = "not_found"
	TooLarge     ErrorKind = "too_large"
	RateLimited  ErrorKind = "rate_limit"
	NoCredit     ErrorKind = "no_credit" // the account's money or quota is used up
	OverBudget   ErrorKind = "budget"    // the user's own limit on spending is reached
	Overloaded   ErrorKind = "overloaded"
	ServerError  ErrorKind = "server_error"
	Filtered     ErrorKind = "content_filter"
	Timeout      ErrorKind = "timeout"
	Unreachable  ErrorKind = "unreachable" // no answer: refused, no such host, reset
	Cut          ErrorKind = "cut"         // the answer stopped in the middle
	Garbage      ErrorKind = "bad_answer"  // the provider's answer cannot be read
	Canceled     ErrorKind = "canceled"    // the client went away
	Internal     ErrorKind = "internal"    // Keytray's own fault
)

// Error is a refusal or a failure, of a provider or of Keytray itself.
type Error struct {
	Status     int // HTTP status for the client; 0 is derived from Kind
	Kind       ErrorKind
	Message    string // for people: what happened, to what, what to do next
	Code       string // the provider's own code or type, if it gave one
	Param      string // the request's field at fault, if known
	RetryAfter time.Duration
	Provider   string // who refused; "" is Keytray
	Outbound   string // the dialect of Raw
	Raw        []byte // the provider's own error body, nil if there was none
	Header     http.Header
	Cause      error
}

// Error is the message with who said it.
func (e *Error) Error() string {
	if e.Provider != "" {
		return e.Provider + ": " + e.Message
	}
	return e.Message
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Retryable tells whether another target, or the same one later, may answer.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case BadRequest, TooLarge, Filtered, Canceled, Internal:
		return false
	case Unauthorized, Forbidden, NotFound, NoCredit:
		return true // not here, but another provider may
	default:
		return true
	}
}

// HTTPStatus is the status to answer with.
func (e *Error) HTTPStatus() int {
	if e.Status >= 400 {
		return e.Status
	}
	switch e.Kind {
	case BadRequest, Filtered:
		return http.StatusBadRequest
	case Unauthorized:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case RateLimited:
		return http.StatusTooManyRequests
	case NoCredit, OverBudget:
		return http.StatusPaymentRequired
	case Overloaded:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusGatewayTimeout
	case Canceled:
		return 499
	case Internal:
		return http.StatusInternalServerError
	default:
		return http.StatusBadGateway
	}
}

// StatusIn is the status to answer with in a client's dialect. What a provider
// says in another one may be a word for a wrong key where clients know 401
// alone; in its own dialect its status stays.
func (e *Error) StatusIn(dialect string) int {
	if e.Kind == Unauthorized && e.Outbound != dialect {
		return http.StatusUnauthorized
	}
	return e.HTTPStatus()
}

// KindOf is the kind that an HTTP status alone suggests.
func KindOf(status int) ErrorKind {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusPaymentRequired:
		return NoCredit
	case http.StatusForbidden:
		return Forbidden
	case http.StatusNotFound:
		return NotFound
	case http.StatusRequestEntityTooLarge:
		return TooLarge
	case http.StatusTooManyRequests:
		return RateLimited
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return Timeout
	case http.StatusServiceUnavailable, 529:
		return Overloaded
	}
	switch {
	case status >= 500:
		return ServerError
	case status >= 400:
		return BadRequest
	default:
		return Garbage
	}
}

// AsError makes any error an [*Error]; one that is none yet is Internal.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Message: err.Error(), Cause: err}
}

// Invalid is the refusal of a client's malformed field.
func Invalid(param, format string, args ...any) *Error {
	return &Error{Kind: BadRequest, Param: param, Message: fmt.Sprintf(format, args...)}
}
