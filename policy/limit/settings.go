package limit

import "time"

// Settings are what an operator may say about one limiter. The zero value knows
// no limit, learns none, and lets everything through.
type Settings struct {
	// RPM and TPM are the known limits in requests and tokens per minute; 0 is unknown.
	// A configured limit is never exceeded, whatever the upstream says.
	RPM int `env:"RPM" envDefault:"0" min:"0" max:"1000000000" doc:"known requests per minute per credential and model; 0 learns it from answers"`
	TPM int `env:"TPM" envDefault:"0" min:"0" max:"1000000000000" doc:"known tokens per minute per credential and model; 0 learns it from answers"`
	// QueueMax is how many may wait at once; 0 is no bound. Requests that come back
	// after a refusal are not turned away by it: they had a place.
	QueueMax int `env:"QUEUE_MAX" envDefault:"10000" min:"1" max:"1000000" doc:"most requests that wait per limiter"`
	// QueueTimeout is the longest wait in line; 0 waits to the request's deadline.
	QueueTimeout time.Duration `env:"QUEUE_TIMEOUT" envDefault:"off" off:"true" doc:"longest wait in line (off: to the request's deadline)"`
	// Longest is the longest named wait that anybody waits for (Barred); 0 is no bound. It is another
	// setting of the operator's.
	Longest time.Duration
	// Learn switches on learning from headers, texts and refusals. Without it only
	// RPM, TPM and the waits that refusals name count.
	Learn bool `env:"LEARN" envDefault:"true" doc:"learn limits from rate-limit headers, messages and refusals"`
}
