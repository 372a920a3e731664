package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
)

// header makes a request's header of names and values, one after the other.
func header(pairs ...string) map[string][]string {
	h := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		h[pairs[i]] = append(h[pairs[i]], pairs[i+1])
	}
	return h
}

// waits is how long a caller waits for its answer, if no byte of a body moves.
type waits struct {
	In        time.Duration // from now; 0 is none
	Announced bool
}

func waitsOf(p policy.Patience) waits {
	deadline, announced := p.Deadline(start, start, 0)
	got := waits{Announced: announced}
	if !deadline.IsZero() {
		got.In = deadline.Sub(start)
	}
	return got
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	set := policy.Operator{Timeout: 10 * time.Minute}
	unset := policy.Operator{Timeout: 10 * time.Minute, Default: true}
	of := func(d time.Duration) policy.Operator { return policy.Operator{Timeout: d} }
	const read, timeout, agent, runtime = "X-Stainless-Read-Timeout", "X-Stainless-Timeout", "User-Agent", "X-Stainless-Runtime"
	tests := map[string]struct {
		total  policy.Operator
		header map[string][]string
		want   waits
	}{
		"the total alone":                    {set, nil, waits{599 * time.Second, false}},
		"a default alone":                    {unset, nil, waits{599 * time.Second, false}},
		"a total of 1 s leaves a twentieth":  {of(time.Second), nil, waits{950 * time.Millisecond, false}},
		"a total of 5 s leaves a twentieth":  {of(5 * time.Second), nil, waits{4750 * time.Millisecond, false}},
		"a total of 8 s leaves more":         {of(8 * time.Second), nil, waits{7360 * time.Millisecond, false}},
		"a total of 10 s leaves 1 s":         {of(10 * time.Second), nil, waits{9 * time.Second, false}},
		"nothing at all":                     {of(0), nil, waits{}},
		"a negative total is none":           {of(-time.Second), nil, waits{}},
		"announced without a total":          {of(0), header(timeout, "30"), waits{29 * time.Second, true}},
		"Python announces its silence":       {set, header(read, "60"), waits{59 * time.Second, true}},
		"Python's default ties":              {set, header(read, "600"), waits{599 * time.Second, true}},
		"a float":                            {set, header(read, "2.5"), waits{2375 * time.Millisecond, true}},
		"space around it":                    {set, header(timeout, " 20 "), waits{19 * time.Second, true}},
		"an exponent":                        {set, header(timeout, "1e2"), waits{99 * time.Second, true}},
		"the smaller of both":                {set, header(timeout, "90", read, "40"), waits{39 * time.Second, true}},
		"the smaller of both, reversed":      {set, header(timeout, "40", read, "90"), waits{39 * time.Second, true}},
		"the smallest of several lines":      {set, header(timeout, "90", timeout, "50"), waits{49 * time.Second, true}},
		"zero":                               {set, header(timeout, "0"), waits{599 * time.Second, false}},
		"negative":                           {set, header(timeout, "-5"), waits{599 * time.Second, false}},
		"negative zero of one that rounds":   {set, header(timeout, "-0", "X-Stainless-Lang", "js"), waits{599 * time.Second, false}},
		"too small to be meant":              {set, header(timeout, "1e-9"), waits{599 * time.Second, false}},
		"not a number":                       {set, header(timeout, "NaN"), waits{599 * time.Second, false}},
		"endless":                            {of(0), header(read, "inf"), waits{}},
		"more than a day":                    {of(0), header(timeout, "86401"), waits{}},
		"more than a day leaves the default": {unset, header(timeout, "86401"), waits{599 * time.Second, false}},
		"out of every range":                 {of(0), header(timeout, "1e999"), waits{}},
		"words":                              {set, header(timeout, "soon"), waits{599 * time.Second, false}},
		"empty":                              {set, header(timeout, ""), waits{599 * time.Second, false}},
		"a unit is not part of it":           {set, header(timeout, "30s"), waits{599 * time.Second, false}},
		"the bad one of two is ignored":      {set, header(timeout, "x", read, "40"), waits{39 * time.Second, true}},
		"a header without values":            {set, map[string][]string{agent: {}, timeout: nil}, waits{599 * time.Second, false}},
		"another spelling of the header":     {set, header("x-stainless-timeout", "30"), waits{599 * time.Second, false}},

		"longer than a total that was set":       {of(time.Minute), header(timeout, "600"), waits{59 * time.Second, false}},
		"a silence longer than one that was set": {of(time.Minute), header(read, "600"), waits{59 * time.Second, false}},
		"longer than the default":                {unset, header(timeout, "7200"), waits{7199 * time.Second, true}},
		"a silence longer than the default":      {unset, header(read, "7200.0"), waits{7199 * time.Second, true}},
		"shorter than the default":               {unset, header(timeout, "20"), waits{19 * time.Second, true}},
		"both longer than the default":           {unset, header(timeout, "900", read, "1800"), waits{899 * time.Second, true}},

		"Node's fetch":                  {set, header(agent, "OpenAI/JS 7.5.0", runtime, "node"), waits{299 * time.Second, false}},
		"Node's fetch, runtime unnamed": {unset, header(agent, "AzureOpenAI/JS 5.0.1"), waits{299 * time.Second, false}},
		"Node that announces less":      {set, header(agent, "OpenAI/JS 7.5.0", timeout, "30"), waits{29 * time.Second, true}},
		"Node that announces more":      {unset, header(agent, "OpenAI/JS 7.5.0", timeout, "600"), waits{299 * time.Second, false}},
		".NET":                          {unset, header(agent, "OpenAI/2.1.0 (.NET 8.0.10; Linux 6.1)"), waits{99 * time.Second, false}},
		".NET for Azure":                {set, header(agent, "azsdk-net-AI.OpenAI/2.1.0 (.NET 8.0.8; Linux)"), waits{99 * time.Second, false}},
		".NET with a smaller total":     {of(5 * time.Second), header(agent, "OpenAI/2.1.0 (.NET 8.0.10)"), waits{4750 * time.Millisecond, false}},
		"Python is not known to hurry":  {set, header(agent, "OpenAI/Python 2.52.1"), waits{599 * time.Second, false}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "deadline", waitsOf(policy.PatienceOf(tt.total, tt.header, false)), tt.want)
		})
	}
}

func TestDeadline_MovesWithTheBody(t *testing.T) {
	t.Parallel()
	set, unset := policy.Operator{Timeout: time.Minute}, policy.Operator{Timeout: time.Minute, Default: true}
	tests := map[string]struct {
		total        policy.Operator
		header       map[string][]string
		last, moving time.Duration
		want         waits
	}{
		"a silence counts from the last byte":         {unset, header("X-Stainless-Read-Timeout", "20"), 5 * time.Second, 0, waits{24 * time.Second, true}},
		"moving upstream is no silence":               {unset, header("X-Stainless-Read-Timeout", "20"), 5 * time.Second, 7 * time.Second, waits{31 * time.Second, true}},
		"a whole try's time goes on":                  {unset, header("X-Stainless-Timeout", "20"), 5 * time.Second, 7 * time.Second, waits{19 * time.Second, true}},
		"whichever comes first":                       {unset, header("X-Stainless-Timeout", "22", "X-Stainless-Read-Timeout", "20"), 5 * time.Second, 0, waits{21 * time.Second, true}},
		"a default is a guess at what a caller bears": {unset, nil, 5 * time.Second, 7 * time.Second, waits{71 * time.Second, false}},
		"a total that was set is a bound":             {set, nil, 5 * time.Second, 7 * time.Second, waits{59 * time.Second, false}},
		"and bounds an announced silence":             {set, header("X-Stainless-Read-Timeout", "58"), 5 * time.Second, 0, waits{59 * time.Second, false}},
		"Node's limit is a silence":                   {unset, header("User-Agent", "OpenAI/JS 7.5.0", "X-Stainless-Timeout", "900"), 200 * time.Second, 0, waits{499 * time.Second, false}},
		".NET's is not":                               {unset, header("User-Agent", "OpenAI/2.1.0 (.NET 8.0.10)", "X-Stainless-Timeout", "900"), 90 * time.Second, time.Minute, waits{99 * time.Second, false}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			deadline, announced := policy.PatienceOf(tt.total, tt.header, false).Deadline(start, start.Add(tt.last), tt.moving)
			equal(t, "deadline", waits{deadline.Sub(start), announced}, tt.want)
		})
	}
}

func TestStreamIdle(t *testing.T) {
	t.Parallel()
	unset, total := policy.Operator{Timeout: 5 * time.Minute, Default: true}, policy.Operator{Timeout: 10 * time.Minute, Default: true}
	for name, tt := range map[string]struct {
		idle   policy.Operator
		header map[string][]string
		want   time.Duration
	}{
		"nothing announced":                 {unset, nil, 5 * time.Minute},
		"less announced":                    {unset, header("X-Stainless-Read-Timeout", "60"), 5 * time.Minute},
		"more announced as a silence":       {unset, header("X-Stainless-Read-Timeout", "1800"), 1799 * time.Second},
		"more announced as a whole":         {unset, header("X-Stainless-Timeout", "1800"), 1799 * time.Second},
		"the longer of both":                {unset, header("X-Stainless-Timeout", "1800", "X-Stainless-Read-Timeout", "900"), 1799 * time.Second},
		"nonsense":                          {unset, header("X-Stainless-Timeout", "long"), 5 * time.Minute},
		"more announced than was set":       {policy.Operator{Timeout: time.Minute}, header("X-Stainless-Read-Timeout", "1800"), time.Minute},
		"off":                               {policy.Operator{}, header("X-Stainless-Read-Timeout", "60"), 0},
		"a known limit announces no stream": {unset, header("User-Agent", "OpenAI/2.1.0 (.NET 8.0.10)"), 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			equal(t, "idle", policy.PatienceOf(total, tt.header, false).StreamIdle(tt.idle), tt.want)
		})
	}
}

// FuzzDeadline holds what must be true whatever a caller sends: no panic, a
// deadline that is after now and not after a total that was set, and none invented.
func FuzzDeadline(f *testing.F) {
	for _, value := range []string{"600", "2.5", "1e2", "0", "-1", "NaN", "+Inf", "0x1p-3", "1_0", "", "86400", "1e-320", "٣"} {
		f.Add(value, "30", "OpenAI/JS 7.5.0", int64(10*time.Minute), false)
		f.Add("40", value, "OpenAI/2.1.0 (.NET 8.0.10)", int64(0), true)
		f.Add(value, value, value, int64(-1), false)
		f.Add(value, value, "Anthropic/Go "+value, int64(time.Minute), true)
	}
	f.Fuzz(func(t *testing.T, read, timeout, agent string, total int64, unset bool) {
		h := map[string][]string{"X-Stainless-Read-Timeout": {read}, "X-Stainless-Timeout": {timeout}, "User-Agent": {agent}}
		o := policy.Operator{Timeout: min(time.Duration(total), 1000*time.Hour), Default: unset}
		got, plain := waitsOf(policy.PatienceOf(o, h, false)), waitsOf(policy.PatienceOf(o, nil, false))
		early := waitsOf(policy.PatienceOf(o, h, true))
		switch {
		case got.In == 0 && (got.Announced || o.Timeout > 0):
			t.Fatalf("no deadline for a total of %v", o)
		case got.In < 0 || early.In < 0:
			t.Fatalf("the deadline is %v, or %v, from now", got, early)
		case !unset && plain.In != 0 && got.In > plain.In:
			t.Fatalf("the deadline is %v after the total's", got.In-plain.In)
		case plain.In == 0 && got.In > 24*time.Hour:
			t.Fatalf("an announced deadline in %v", got.In)
		case got.In > early.In+1500*time.Millisecond:
			t.Fatalf("%v as it may be, %v early", got.In, early.In)
		}
	})
}
