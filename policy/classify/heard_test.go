package classify

import "testing"

// TestTextsAreHeardUnderAnyStatus: what a text says of quota, rates, loading and capacity counts inside a 200's stream and
// under a 5xx without a code as it does under 429, and quota and verification under 400 and 403.
func TestTextsAreHeardUnderAnyStatus(t *testing.T) {
	stream := func(message string) Attempt { return inStream(`{"error":{"message":"` + message + `"}}`) }
	for name, tt := range map[string]kindCase{
		"stream: a quota":              {stream("Your quota has been exhausted."), OutcomeQuota, Credential},
		"stream: no credits":           {stream("Insufficient credits, please top up."), OutcomeQuota, Credential},
		"stream: a monthly limit":      {stream("You have reached your monthly request limit."), OutcomeQuota, Credential},
		"stream: Chinese quota":        {stream("用户额度不足"), OutcomeQuota, Credential},
		"stream: loading":              {stream("The model is loading, please wait"), OutcomeLoading, Model},
		"stream: warming":              {stream("Endpoint is warming up"), OutcomeLoading, Model},
		"stream: rate-limited":         {stream("You are being rate-limited. Try again in 8 seconds."), OutcomeRateLimited, Credential},
		"stream: too many":             {stream("Error: too many requests"), OutcomeRateLimited, Credential},
		"stream: a minute's quota":     {stream("Quota exceeded: 20 requests per minute"), OutcomeRateLimited, Model},
		"stream: a quoted 429":         {stream("Request failed with status code 429"), OutcomeRateLimited, Credential},
		"stream: a quoted 503":         {stream("Error code: 503 - upstream said no"), OutcomeFailed, Upstream},
		"stream: overloaded":           {stream("All workers are overloaded"), OutcomeOverloaded, Upstream},
		"stream: a model":              {stream("Model xyz does not exist"), OutcomeModel, Model},
		"stream: too long":             {stream("This model's maximum context length is 8192 tokens"), OutcomeNeverFits, Request},
		"500: a quota":                 {spoken(500, "Upstream quota exceeded"), OutcomeQuota, Credential},
		"503: no balance":              {spoken(503, "Insufficient account balance"), OutcomeQuota, Credential},
		"500: a rate":                  {spoken(500, "Rate limit exceeded, please slow down"), OutcomeRateLimited, Credential},
		"502: too many":                {spoken(502, "Too many concurrent requests"), OutcomeRateLimited, Credential},
		"403: a quota":                 {spoken(403, "You have used up your quota."), OutcomeQuota, Credential},
		"400: a quota":                 {spoken(400, "Quota exceeded. Please contact sales."), OutcomeQuota, Credential},
		"401: a quota":                 {spoken(401, "Your team's quota is exhausted"), OutcomeQuota, Credential},
		"403: a trial":                 {spoken(403, "Your free trial has ended."), OutcomeQuota, Credential},
		"400: a subscription":          {spoken(400, "Your subscription has been cancelled"), OutcomeQuota, Credential},
		"403: a payment":               {spoken(403, "Your last payment failed."), OutcomeQuota, Credential},
		"403: an e-mail":               {spoken(403, "Please verify your email address to use the API."), OutcomeEntitlement, Request},
		"403: a phone":                 {spoken(403, "Phone verification is required"), OutcomeEntitlement, Request},
		"401: a plan":                  {spoken(401, "Your plan does not include this model"), OutcomeEntitlement, Model},
		"401: a model":                 {spoken(401, "The requested model foo-2 is not supported"), OutcomeModel, Model},
		"422: a model":                 {spoken(422, "Model foo-2 does not exist"), OutcomeModel, Model},
		"400: a cold model":            {spoken(400, "The model is currently loading, try again shortly"), OutcomeLoading, Model},
		"403: a key":                   {spoken(403, "This key has been revoked"), OutcomeCredential, Credential},
		"400: no key of a provider":    {spoken(400, "No OpenAI API key configured"), OutcomeCredential, Credential},
		"503: no channel":              {spoken(503, "No available channel for model gpt-4 under group default"), OutcomeModel, Model},
		"403: free requests":           {spoken(403, "You have exhausted your free requests. Please subscribe to continue."), OutcomeQuota, Credential},
		"403: a wallet":                {spoken(403, "Your wallet is empty. Top up to continue."), OutcomeQuota, Credential},
		"403: invoices":                {spoken(403, "Your account has unpaid invoices"), OutcomeQuota, Credential},
		"400: a billing period":        {spoken(400, "You have reached the maximum usage for this billing period."), OutcomeQuota, Credential},
		"403: your country":            {spoken(403, "Access from your country is not permitted"), OutcomeRegion, Upstream},
		"404: your region":             {spoken(404, "The service is not available in your region"), OutcomeRegion, Upstream},
		"451":                          {spoken(451, "Unavailable"), OutcomeRegion, Upstream},
		"403: an identity":             {spoken(403, "You must complete identity verification to use this model"), OutcomeEntitlement, Model},
		"401: a failed payment":        {answer(401, `{"detail":{"status":"payment_issue","message":"no"}}`), OutcomeQuota, Credential},
		"401: a permission":            {answer(401, `{"detail":{"status":"missing_permissions","message":"The API key you used is missing the permission x."}}`), OutcomeRejected, Request},
		"500: a model":                 {spoken(500, "model 'x' not found, try pulling it first"), OutcomeModel, Model},
		"500: a context":               {spoken(500, "input (9000 tokens) is larger than the max context size (4096 tokens)"), OutcomeNeverFits, Request},
		"500: no GPU":                  {spoken(500, "No GPU available"), OutcomeOverloaded, Upstream},
		"a limit on a model by its id": {spoken(429, "Rate-limited on claude-opus-4"), OutcomeRateLimited, Model},
	} {
		t.Run(name, func(t *testing.T) { tt.check(t) })
	}
}

// TestTextsOfOtherThingsAreNotHeard: the false friends of those.
func TestTextsOfOtherThingsAreNotHeard(t *testing.T) {
	stream := func(message string) Attempt { return inStream(`{"error":{"message":"` + message + `"}}`) }
	const quoted = "Invalid value for messages[0].content: expected an array of parts but got the text: "
	for name, tt := range map[string]kindCase{
		"a prompt about a quota":        {spoken(400, quoted+"my quota is exhausted"), OutcomeRejected, Request},
		"a prompt about a trial":        {spoken(422, quoted+"Your free trial has ended"), OutcomeRejected, Request},
		"a prompt about a model":        {spoken(422, quoted+"model x does not exist"), OutcomeRejected, Request},
		"a prompt about loading":        {spoken(400, quoted+"the model is currently loading"), OutcomeRejected, Request},
		"a prompt about keys":           {spoken(400, quoted+"this api key has been revoked"), OutcomeRejected, Request},
		"a prompt about a balance":      {spoken(422, quoted+"my credits are exhausted"), OutcomeRejected, Request},
		"a field that is required":      {spoken(422, "Field required: model"), OutcomeRejected, Request},
		"a quota field":                 {spoken(400, "Unknown parameter: 'quota'."), OutcomeRejected, Request},
		"a region field":                {spoken(400, "'region' must be one of us, eu"), OutcomeRejected, Request},
		"tokens that must be positive":  {spoken(400, "max_tokens must be a positive integer"), OutcomeRejected, Request},
		"an image that cannot load":     {spoken(400, "Error while loading the image"), OutcomeRejected, Request},
		"what a model cannot do":        {spoken(400, "This model does not support image input"), OutcomeRejected, Request},
		"a tool that is missing":        {spoken(422, "Tool calls are not supported by this model's template"), OutcomeRejected, Request},
		"403 by policy":                 {spoken(403, "Your request was blocked by our content policy"), OutcomeRejected, Request},
		"403 of a role":                 {spoken(403, "You do not have permission to perform this action"), OutcomeRejected, Request},
		"a script about rates":          {spoken(500, "internal: cannot evaluate rate limit rules"), OutcomeFailed, Upstream},
		"a database":                    {spoken(500, "failed to read quota from the database"), OutcomeFailed, Upstream},
		"a disk":                        {spoken(500, "disk quota exceeded"), OutcomeFailed, Upstream},
		"a token service":               {spoken(503, "could not fetch a token from the billing service"), OutcomeFailed, Upstream},
		"a connection":                  {spoken(502, "connection to model server reset"), OutcomeFailed, Upstream},
		"a load that failed":            {spoken(500, "error while loading model weights"), OutcomeFailed, Upstream},
		"a timeout":                     {stream("Request to the model timed out"), OutcomeFailed, Upstream},
		"stream: something":             {stream("Something went wrong"), OutcomeFailed, Upstream},
		"stream: a lost connection":     {stream("Network connection lost."), OutcomeFailed, Upstream},
		"stream: an internal error":     {stream("Internal error while decoding tokens"), OutcomeFailed, Upstream},
		"stream: a quoted 401":          {stream("Error code: 401 - upstream said no"), OutcomeFailed, Upstream},
		"a stream's option":             {spoken(400, "Streaming is not available for this model"), OutcomeRejected, Request},
		"a token of a logit":            {spoken(400, "The token 'foo' is invalid in logit_bias"), OutcomeRejected, Request},
		"a token of JSON":               {spoken(400, "Unexpected token < in JSON at position 0"), OutcomeRejected, Request},
		"a field about credits":         {spoken(400, "'credits' is not a valid field"), OutcomeRejected, Request},
		"a region of a file":            {spoken(400, "Invalid region in file URL"), OutcomeRejected, Request},
		"a failed inference":            {spoken(500, "Model inference failed"), OutcomeFailed, Upstream},
		"a region's controller":         {spoken(500, "region controller crashed"), OutcomeFailed, Upstream},
		"a rate that sells credits":     {spoken(429, "Too many requests. Buy credits to raise your limit."), OutcomeRateLimited, Credential},
		"an ordinary rate":              {spoken(429, "Rate limit exceeded"), OutcomeRateLimited, Credential},
		"a quota of seconds under 403":  {spoken(403, "Quota exceeded, try again in 20 seconds"), OutcomeRateLimited, Credential},
		"a quota of a minute under 403": {spoken(403, "Quota exceeded: 20 requests per minute"), OutcomeRateLimited, Model},
		"quota under 429":               {spoken(429, "Quota exceeded"), OutcomeRateLimited, Credential},
		"an invalid key":                {spoken(401, "Invalid API key"), OutcomeCredential, Credential},
		"a missing header":              {spoken(401, "Missing Authorization header"), OutcomeCredential, Credential},
		"a token that expired":          {spoken(401, "Your token has expired"), OutcomeCredential, Credential},
		"a limit for an organization":   {spoken(429, "Rate limit reached for org-123abc"), OutcomeRateLimited, Credential},
	} {
		t.Run(name, func(t *testing.T) { tt.check(t) })
	}
}
