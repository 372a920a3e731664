package apierror

import (
	"net/http"
	"time"
)

// Code names an error of Outrigger's own, as callers, logs and metrics see it. The README's
// error table says what each one means.
type Code string

// The codes.
const (
	BadRequest                  Code = "bad_request"
	ClientTokenRequired         Code = "client_token_required"
	OriginNotAllowed            Code = "origin_not_allowed"
	HostNotAllowed              Code = "host_not_allowed"
	MethodNotAllowed            Code = "method_not_allowed"
	IdempotencyKeyInUse         Code = "idempotency_key_in_use"
	IdempotencyOutcomeUnknown   Code = "idempotency_outcome_unknown"
	IdempotencyKeyReused        Code = "idempotency_key_reused"
	IdempotencyStoreUnavailable Code = "idempotency_store_unavailable"
	RequestTooLarge             Code = "request_too_large"
	UpstreamAmbiguous           Code = "upstream_ambiguous"
	WebSocketRefused            Code = "websocket_refused"
	LocalRateLimit              Code = "local_rate_limit"
	UpstreamUnreachable         Code = "upstream_unreachable"
	UpstreamBroke               Code = "upstream_broke"
	CircuitOpen                 Code = "circuit_open"
	SpoolFull                   Code = "spool_full"
	ResourcesExhausted          Code = "resources_exhausted" // descriptors, ports or memory of this machine
	Draining                    Code = "draining"
	UpstreamTimeout             Code = "upstream_timeout"
	TunnelRefused               Code = "tunnel_refused"
	TunnelFailed                Code = "tunnel_failed"
	TunnelsFull                 Code = "tunnels_full"
)

// table has the status and type of each code. What varies, the message and the wait, is
// added where the error is made.
var table = map[Code]Error{
	BadRequest:                  {Status: http.StatusBadRequest, Type: "invalid_request_error"},
	ClientTokenRequired:         {Status: http.StatusUnauthorized, Type: "authentication_error"}, // 407 to a CONNECT
	OriginNotAllowed:            {Status: http.StatusForbidden, Type: "permission_error"},
	HostNotAllowed:              {Status: http.StatusForbidden, Type: "permission_error"},
	MethodNotAllowed:            {Status: http.StatusMethodNotAllowed, Type: "invalid_request_error"},
	IdempotencyKeyInUse:         {Status: http.StatusConflict, Type: "conflict_error", Later: true, RetryAfter: time.Second},
	IdempotencyOutcomeUnknown:   {Status: http.StatusConflict, Type: "conflict_error"},
	IdempotencyKeyReused:        {Status: http.StatusUnprocessableEntity, Type: "invalid_request_error"},
	IdempotencyStoreUnavailable: {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	RequestTooLarge:             {Status: http.StatusRequestEntityTooLarge, Type: "invalid_request_error"},
	UpstreamAmbiguous:           {Status: http.StatusFailedDependency, Type: "api_connection_error"}, // see policy.UnsureStatus
	WebSocketRefused:            {Status: http.StatusUpgradeRequired, Type: "invalid_request_error"},
	LocalRateLimit:              {Status: http.StatusTooManyRequests, Type: "rate_limit_error", Later: true},
	UpstreamUnreachable:         {Status: http.StatusBadGateway, Type: "api_connection_error"},
	UpstreamBroke:               {Status: http.StatusBadGateway, Type: "api_connection_error"},
	CircuitOpen:                 {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true},
	SpoolFull:                   {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	ResourcesExhausted:          {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	Draining:                    {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
	UpstreamTimeout:             {Status: http.StatusGatewayTimeout, Type: "timeout_error"},
	TunnelRefused:               {Status: http.StatusForbidden, Type: "permission_error"},
	TunnelFailed:                {Status: http.StatusBadGateway, Type: "api_connection_error"},
	TunnelsFull:                 {Status: http.StatusServiceUnavailable, Type: "server_error", Later: true, RetryAfter: time.Second},
}
