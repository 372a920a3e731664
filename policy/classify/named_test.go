package classify

import (
	"slices"
	"strings"
	"testing"
)

// coded is a refusal whose case is told by its code, typed one by its type, and spoken one by its text alone.
func coded(status int, code, message string) Attempt {
	return answer(status, `{"error":{"message":"`+message+`","type":"invalid_request_error","code":"`+code+`"}}`)
}

func typed(status int, kind, message string) Attempt {
	return answer(status, `{"type":"error","error":{"type":"`+kind+`","message":"`+message+`"}}`)
}

func spoken(status int, message string) Attempt {
	return answer(status, `{"error":{"message":"`+message+`"}}`)
}

func inStream(data string) Attempt { return event("", data) }

// TestCodesAreReadAsWords: members that were made up, of each case and under statuses that say something else.
func TestCodesAreReadAsWords(t *testing.T) {
	for name, tt := range map[string]kindCase{
		"CreditsError under 401":       {typed(401, "CreditsError", "No payment method."), OutcomeQuota, Credential},
		"FreeUsageLimitError":          {typed(429, "FreeUsageLimitError", "Rate limit exceeded. Please try again later."), OutcomeQuota, Credential},
		"a usage limit, kebab":         {coded(403, "usage-limit-exceeded", "no"), OutcomeQuota, Credential},
		"a monthly limit":              {coded(429, "MonthlyLimitReached", "no"), OutcomeQuota, Credential},
		"an inactive subscription":     {coded(403, "subscription_inactive", "no"), OutcomeQuota, Credential},
		"a canceled subscription":      {coded(401, "SUBSCRIPTION_CANCELED", "no"), OutcomeQuota, Credential},
		"an ended trial":               {coded(403, "trial.expired", "no"), OutcomeQuota, Credential},
		"a quota under 400":            {coded(400, "QuotaExceeded", "no"), OutcomeQuota, Credential},
		"a quota under 500":            {coded(500, "quota_exhausted", "no"), OutcomeQuota, Credential},
		"a quota, glued":               {coded(403, "quotaexceeded", "no"), OutcomeQuota, Credential},
		"a balance, glued":             {coded(400, "AccountBalanceTooLow", "no"), OutcomeQuota, Credential},
		"a negative balance":           {coded(503, "NEGATIVE_BALANCE", "no"), OutcomeQuota, Credential},
		"payment past due":             {coded(403, "payment_past_due", "no"), OutcomeQuota, Credential},
		"a budget":                     {coded(400, "team_budget_exceeded", "no"), OutcomeQuota, Credential},
		"a spending cap":               {coded(429, "spending_cap_reached", "no"), OutcomeQuota, Credential},
		"a daily cost":                 {coded(403, "dailyCostLimitExceeded", "no"), OutcomeQuota, Credential},
		"a problem's address":          {answer(403, `{"type":"https://example.com/probs/out-of-credit","title":"You do not have enough credit."}`), OutcomeQuota, Credential},
		"an error that is a name":      {answer(403, `{"error":"insufficient_credit_balance"}`), OutcomeQuota, Credential},
		"a rate under 401":             {coded(401, "RateLimitExceeded", "no"), OutcomeRateLimited, Credential},
		"a rate under 403":             {coded(403, "userRequestRateLimited", "no"), OutcomeRateLimited, Credential},
		"throttled under 400":          {coded(400, "request_throttled", "no"), OutcomeRateLimited, Credential},
		"too many under 503":           {coded(503, "TooManyRequestsException", "no"), OutcomeRateLimited, Credential},
		"concurrency under 403":        {coded(403, "concurrent_limit_exceeded", "no"), OutcomeRateLimited, Credential},
		"parallel calls":               {coded(400, "TooManyParallelRequests", "no"), OutcomeRateLimited, Credential},
		"a concurrency quota":          {coded(403, "concurrency_quota_exceeded", "no"), OutcomeRateLimited, Credential},
		"a quota of a minute":          {coded(403, "requests_per_minute_quota_exceeded", "no"), OutcomeRateLimited, Credential},
		"busy under 400":               {coded(400, "engine_busy", "no"), OutcomeOverloaded, Upstream},
		"busy under 429":               {coded(429, "SystemBusyException", "no"), OutcomeOverloaded, Upstream},
		"a busy model":                 {coded(500, "MODEL_BUSY", "no"), OutcomeOverloaded, Model},
		"no capacity under 502":        {coded(502, "insufficient-capacity", "no"), OutcomeOverloaded, Upstream},
		"no workers":                   {coded(503, "NoWorkersAvailable", "no"), OutcomeOverloaded, Upstream},
		"a model under 401":            {coded(401, "ModelNotSupported", "no"), OutcomeModel, Model},
		"a model under 403":            {coded(403, "unknown-model", "no"), OutcomeModel, Model},
		"a model under 503":            {coded(503, "model_does_not_exist", "no"), OutcomeModel, Model},
		"a model under 422":            {coded(422, "ModelNotFoundError", "no"), OutcomeModel, Model},
		"a model under 400, glued":     {coded(400, "modelnotfound", "no"), OutcomeModel, Model},
		"a retired model":              {coded(400, "model_retired", "no"), OutcomeModel, Model},
		"a region under 401":           {coded(401, "RegionNotSupported", "no"), OutcomeRegion, Upstream},
		"a country under 403":          {coded(403, "country_blocked", "no"), OutcomeRegion, Upstream},
		"a location under 400":         {coded(400, "USER_LOCATION_UNSUPPORTED", "no"), OutcomeRegion, Upstream},
		"a context under 500":          {coded(500, "ContextWindowExceeded", "no"), OutcomeNeverFits, Request},
		"an input under 422":           {coded(422, "input_too_long", "no"), OutcomeNeverFits, Request},
		"a prompt, camel":              {coded(400, "promptTokensLimitExceeded", "no"), OutcomeNeverFits, Request},
		"token limit under 400":        {coded(400, "token_limit_exceeded", "no"), OutcomeNeverFits, Request},
		"loading under 400":            {coded(400, "model_is_loading", "no"), OutcomeLoading, Model},
		"warming under 503":            {coded(503, "MODEL_WARMING_UP", "no"), OutcomeLoading, Model},
		"starting under 502":           {coded(502, "endpoint_starting", "no"), OutcomeLoading, Model},
		"not ready under 404":          {coded(404, "DeploymentNotReady", "no"), OutcomeLoading, Model},
		"a key that is disabled":       {coded(403, "KeyDisabled", "no"), OutcomeCredential, Credential},
		"a key under 400":              {coded(400, "api_key_expired", "no"), OutcomeCredential, Credential},
		"an access token under 400":    {coded(400, "AccessTokenRevoked", "no"), OutcomeCredential, Credential},
		"an account under 400":         {coded(400, "account_deactivated_by_admin", "no"), OutcomeCredential, Credential},
		"credentials under 403":        {coded(403, "invalid.credentials", "no"), OutcomeCredential, Credential},
		"not entitled under 403":       {coded(403, "UserNotEntitledError", "no"), OutcomeEntitlement, Request},
		"a plan under 401":             {coded(401, "plan_not_supported", "no"), OutcomeEntitlement, Request},
		"a tier under 400":             {coded(400, "tier_too_low_upgrade_required", "no"), OutcomeEntitlement, Request},
		"a feature":                    {coded(403, "feature_not_enabled", "no"), OutcomeEntitlement, Request},
		"verification":                 {coded(403, "EmailVerificationRequired", "no"), OutcomeEntitlement, Request},
		"a stream's subscription":      {inStream(`{"error":{"message":"no","type":"subscription_expired"}}`), OutcomeQuota, Credential},
		"a stream's busy server":       {inStream(`{"error":{"message":"no","type":"server_busy"}}`), OutcomeOverloaded, Upstream},
		"a stream's rate":              {inStream(`{"error":{"message":"no","type":"ThrottlingError"}}`), OutcomeRateLimited, Credential},
		"a stream's model":             {inStream(`{"error":{"message":"no","code":"ModelNotExist"}}`), OutcomeModel, Model},
		"a stream's loading deploy":    {inStream(`{"error":{"message":"no","code":"deployment_loading"}}`), OutcomeLoading, Model},
		"hours for a type of a plan":   {answer(429, `{"error":{"type":"SubscriptionUsageLimitError"}}`, "Retry-After: 7200"), OutcomeQuota, Credential},
		"hours for a quota":            {answer(429, `{"error":{"code":"quota_exceeded"}}`, "Retry-After: 18000"), OutcomeQuota, Credential},
		"no tokens under 403":          {coded(403, "out_of_tokens", "no"), OutcomeQuota, Credential},
		"Google's, of a model":         {answer(429, `{"error":{"code":429,"message":"Individual quota reached. Resets in 160h20m10s.","status":"RESOURCE_EXHAUSTED","details":[{"reason":"QUOTA_EXHAUSTED"}]}}`), OutcomeQuota, Model},
		"a weekly limit without words": {answer(429, `{"error":{"code":"weekly_limit_exceeded"}}`), OutcomeQuota, Credential},
	} {
		t.Run(name, func(t *testing.T) { tt.check(t) })
	}
}

// TestCodesOfOtherThingsKeepTheirStatus: the false friends of those.
func TestCodesOfOtherThingsKeepTheirStatus(t *testing.T) {
	for name, tt := range map[string]kindCase{
		"a parameter called model":      {coded(400, "invalid_model_parameter", "no"), OutcomeRejected, Request},
		"a parameter called quota":      {coded(400, "quota_value_invalid", "no"), OutcomeRejected, Request},
		"a parameter called region":     {coded(422, "unsupported_region_format", "no"), OutcomeRejected, Request},
		"a missing region":              {coded(400, "region_missing", "no"), OutcomeRejected, Request},
		"a missing model":               {coded(400, "missing_model", "no"), OutcomeRejected, Request},
		"what a model cannot do":        {coded(400, "model_does_not_support_tools", "no"), OutcomeRejected, Request},
		"what a model cannot see":       {coded(400, "image_input_not_supported_by_model", "no"), OutcomeRejected, Request},
		"an idempotency key":            {coded(400, "invalid_idempotency_key", "no"), OutcomeRejected, Request},
		"a cache key under 403":         {coded(403, "prompt_cache_key_invalid", "no"), OutcomeRejected, Request},
		"a duplicate key":               {coded(400, "duplicate_key_not_allowed", "no"), OutcomeRejected, Request},
		"an unknown key of a JSON":      {coded(400, "unknown_key", "no"), OutcomeRejected, Request},
		"a token of a text":             {coded(400, "invalid_token", "no"), OutcomeRejected, Request},
		"a stop token":                  {coded(422, "stop_token_not_allowed", "no"), OutcomeRejected, Request},
		"a thinking budget":             {coded(400, "thinking_budget_too_low", "no"), OutcomeRejected, Request},
		"a credit card":                 {coded(400, "credit_card_not_allowed", "no"), OutcomeRejected, Request},
		"a sample rate":                 {coded(400, "sample_rate_limit_exceeded", "no"), OutcomeRejected, Request},
		"too many images":               {coded(400, "too_many_images", "no"), OutcomeRejected, Request},
		"too many tools":                {coded(400, "TooManyTools", "no"), OutcomeRejected, Request},
		"a busy conversation":           {coded(400, "conversation_busy", "no"), OutcomeRejected, Request},
		"a file that is not there":      {coded(404, "file_location_not_found", "no"), OutcomeRejected, Request},
		"a subscription not found":      {coded(404, "webhook_not_found", "no"), OutcomeRejected, Request},
		"a file that does not load":     {coded(400, "image_loading_failed", "no"), OutcomeRejected, Request},
		"moderation":                    {coded(400, "moderation_blocked", "no"), OutcomeRejected, Request},
		"a generation's limit":          {coded(400, "generatelimits", "no"), OutcomeRejected, Request},
		"a word that holds another":     {coded(400, "monkey_patching_disabled", "no"), OutcomeRejected, Request},
		"explanation, not plan":         {coded(400, "explanation_not_allowed", "no"), OutcomeRejected, Request},
		"a frontier, not a tier":        {coded(400, "frontier_not_allowed", "no"), OutcomeRejected, Request},
		"permission under 403":          {coded(403, "permission_denied", "no"), OutcomeRejected, Request},
		"forbidden":                     {coded(403, "forbidden", "no"), OutcomeRejected, Request},
		"a wrong key":                   {coded(401, "invalid_api_key", "no"), OutcomeCredential, Credential},
		"an expired token":              {coded(401, "token_expired", "no"), OutcomeCredential, Credential},
		"unauthorized":                  {coded(401, "unauthorized", "no"), OutcomeCredential, Credential},
		"an authentication error":       {typed(401, "authentication_error", "invalid x-api-key"), OutcomeCredential, Credential},
		"a bare 401":                    {answer(401, ``), OutcomeCredential, Credential},
		"an ordinary rate limit":        {coded(429, "rate_limit_exceeded", "Rate limit reached for requests"), OutcomeRateLimited, Model},
		"a quota under 429":             {coded(429, "quota_exceeded", "no"), OutcomeRateLimited, Credential},
		"a quota of tokens under 429":   {coded(429, "token_quota_exceeded", "no"), OutcomeRateLimited, Model},
		"a quota of a short wait":       {answer(429, `{"error":{"code":"quota_exceeded"}}`, "Retry-After: 20"), OutcomeRateLimited, Credential},
		"a rate of hours":               {answer(429, `{"error":{"code":"rate_limited"}}`, "Retry-After: 7200"), OutcomeRateLimited, Credential},
		"a daily limit of a short wait": {answer(429, `{"error":{"code":"daily_limit_exceeded"}}`, "Retry-After: 43"), OutcomeRateLimited, Credential},
		"OpenAI's empty account":        {coded(429, "insufficient_quota", "You exceeded your current quota"), OutcomeQuota, Credential},
		"a server error":                {coded(500, "internal_server_error", "no"), OutcomeFailed, Upstream},
		"a model that failed":           {coded(500, "model_error", "no"), OutcomeFailed, Upstream},
		"a model's bad output":          {coded(500, "invalid_model_output", "no"), OutcomeFailed, Request},
		"a model that did not load":     {coded(500, "model_loading_failed", "no"), OutcomeFailed, Upstream},
		"a load balancer":               {coded(502, "load_balancer_error", "no"), OutcomeFailed, Upstream},
		"a storage quota":               {coded(403, "storage_quota_exceeded", "no"), OutcomeRejected, Request},
		"a bucket of memory":            {coded(500, "gpu_memory_usage_limit_exceeded", "no"), OutcomeFailed, Upstream},
		"a bad gateway":                 {coded(502, "upstream_connection_error", "no"), OutcomeFailed, Upstream},
		"a subscription's id":           {coded(400, "subscription_id_required", "no"), OutcomeRejected, Request},
		"a subscription, not found":     {coded(404, "subscription_not_found", "no"), OutcomeRejected, Request},
		"a user who is gone":            {coded(404, "user_deleted", "no"), OutcomeRejected, Request},
		"a limit out of range":          {coded(400, "batch_limit_per_day_out_of_range", "no"), OutcomeRejected, Request},
		"a file that is not ready":      {coded(400, "file_not_ready", "no"), OutcomeRejected, Request},
		"a sentence for a code":         {coded(400, "the quota of what you asked for in this very long code was exceeded by far", "no"), OutcomeRejected, Request},
	} {
		t.Run(name, func(t *testing.T) { tt.check(t) })
	}
}

func (c kindCase) check(t *testing.T) {
	t.Helper()
	if v := Classify(c.in); v.Outcome != c.outcome || v.Scope != c.scope {
		t.Errorf("rule %s: got %s of %s, want %s of %s", v.Rule, v.Outcome, v.Scope, c.outcome, c.scope)
	}
}

func TestCodesAreSplitIntoWords(t *testing.T) {
	for code, want := range map[string]string{
		"GoUsageLimitError":     "go usage limit error",
		"APIKeyDisabled":        "api key disabled",
		"SYSTEM_BUSY":           "system busy",
		"model-not.found":       "model not found",
		"Throttling.RateQuota":  "throttling rate quota",
		"toomanyrequests":       "too many requests",
		"ratelimitexceeded":     "ratelimit exceeded",
		"generatelimits":        "generatelimits",
		"local:quota":           "local quota",
		"1302":                  "",
		"":                      "",
		"\u00dcberlastError":    "überlast error",
		strings.Repeat("x", 99): strings.Repeat("x", 99),
	} {
		if got := codeWords(code); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%q: got %q, want %q", code, got, want)
		}
	}
}

// TestACodeInAStreamStandsForItsStatus: the answer that a caller gets instead.
func TestACodeInAStreamStandsForItsStatus(t *testing.T) {
	for code, want := range map[string]int{
		"subscription_expired": 402, "quota_reached": 402, "request_throttled": 429, "input_too_long": 400,
		"server_busy": 503, "ModelNotExist": 404, "RegionError": 403, "feature_not_enabled": 403, "api_key_revoked": 401,
		"x": 500,
	} {
		if v := Classify(inStream(`{"error":{"message":"no","code":"` + code + `"}}`)); v.Status != want {
			t.Errorf("%s: got %d (%s), want %d", code, v.Status, v.Rule, want)
		}
	}
}
