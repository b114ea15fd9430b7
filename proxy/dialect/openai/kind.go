package openai

import (
	"strings"

	"keytray/proxy/llm"
)

// kindOfCode knows the codes and types that say more than a status does.
func kindOfCode(code, message string) llm.ErrorKind {
	switch strings.ToLower(code) {
	case "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance",
		"insufficient_credits", "payment_required", "exceeded_current_quota_error", "credits_exhausted":
		return llm.NoCredit
	case "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "too_many_requests",
		"resource_exhausted", "tokens", "requests", "rate_limited":
		return llm.RateLimited
	case "invalid_api_key", "authentication_error", "invalid_authentication_error", "unauthenticated",
		"incorrect_api_key", "account_deactivated":
		return llm.Unauthorized
	case "permission_error", "permission_denied", "unsupported_country_region_territory":
		return llm.Forbidden
	case "model_not_found", "not_found_error", "deploymentnotfound", "resource_not_found_error":
		return llm.NotFound
	case "overloaded_error", "engine_overloaded", "engine_overloaded_error", "server_overloaded", "unavailable",
		"service_unavailable", "model_overloaded":
		return llm.Overloaded
	case "content_filter", "content_policy_violation", "responsibleaipolicyviolation", "moderation_blocked",
		"data_inspection_failed":
		return llm.Filtered
	case "context_length_exceeded", "string_above_max_length":
		return llm.BadRequest
	case "timeout", "deadline_exceeded":
		return llm.Timeout
	}
	if lower := strings.ToLower(message); strings.Contains(lower, "insufficient balance") || strings.Contains(lower, "credit balance is too low") {
		return llm.NoCredit
	}
	return ""
}
