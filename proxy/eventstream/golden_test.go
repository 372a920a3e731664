package eventstream

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"outrigger/policy/endpoint"
)

// report is everything that a Watcher says of a stream that has ended.
type report struct {
	first, failure     int // which event it was, from 1; 0 is none
	done, finished     bool
	next               int64 // the sequence number that would be next
	events             int64
	prompt, completion int64
	pending            bool   // before End
	missing            string // what End returned
}

// golden is what is expected of each transcript in testdata.
var golden = map[string]struct {
	dialect endpoint.Dialect
	want    report
}{
	"assistants_error":                           {endpoint.Assistants, report{first: 1, failure: 2, events: 2}},
	"assistants_openai":                          {endpoint.Assistants, report{first: 1, done: true, finished: true, events: 4, prompt: 20, completion: 11}},
	"chat_abort_of_one_of_two":                   {endpoint.Chat, report{first: 1, failure: 4, done: true, finished: true, events: 5}},
	"chat_aborted_first":                         {endpoint.Chat, report{first: 2, failure: 2, done: true, finished: true, events: 3}},
	"chat_an_end_on_each_chunk_cut":              {endpoint.Chat, report{first: 1, events: 2}},
	"chat_azure_filtered":                        {endpoint.Chat, report{first: 3, done: true, finished: true, events: 4}},
	"chat_comments_only":                         {endpoint.Chat, report{}},
	"chat_cut_between_events":                    {endpoint.Chat, report{first: 2, events: 2}},
	"chat_cut_inside_a_character":                {endpoint.Chat, report{events: 1, pending: true}},
	"chat_cut_inside_a_comment":                  {endpoint.Chat, report{first: 2, events: 2, pending: true}},
	"chat_cut_inside_an_event":                   {endpoint.Chat, report{first: 2, events: 2, pending: true}},
	"chat_cut_inside_done":                       {endpoint.Chat, report{first: 2, done: true, finished: true, events: 4, pending: true, missing: "NE]\n\n"}},
	"chat_deepseek_out_of_resources":             {endpoint.Chat, report{first: 2, failure: 3, done: true, finished: true, events: 4}},
	"chat_empty":                                 {endpoint.Chat, report{first: 1, done: true, finished: true, events: 1}},
	"chat_empty_chunks_behind_the_end":           {endpoint.Chat, report{first: 2, done: true, events: 6, prompt: 9, completion: 4}},
	"chat_end_before_the_thoughts":               {endpoint.Chat, report{first: 1, events: 3}},
	"chat_error_behind_the_role":                 {endpoint.Chat, report{first: 2, failure: 2, events: 2}},
	"chat_error_first":                           {endpoint.Chat, report{first: 1, failure: 1, done: true, finished: true, events: 2}},
	"chat_error_late":                            {endpoint.Chat, report{first: 2, failure: 3, done: true, finished: true, events: 4}},
	"chat_error_null":                            {endpoint.Chat, report{first: 2, done: true, finished: true, events: 4}},
	"chat_error_unended":                         {endpoint.Chat, report{first: 2, failure: 3, events: 3, pending: true, missing: "\n\n"}},
	"chat_gemini_error_in_a_list":                {endpoint.Chat, report{first: 1, failure: 1, events: 1}},
	"chat_groq":                                  {endpoint.Chat, report{first: 2, done: true, finished: true, events: 4, prompt: 21, completion: 8}},
	"chat_null_reasons":                          {endpoint.Chat, report{first: 2, events: 3}},
	"chat_openai":                                {endpoint.Chat, report{first: 2, done: true, finished: true, events: 6, prompt: 19, completion: 10}},
	"chat_openrouter_error":                      {endpoint.Chat, report{first: 1, failure: 1, done: true, events: 1}},
	"chat_prompt_filter_only":                    {endpoint.Chat, report{events: 2}},
	"chat_role_only":                             {endpoint.Chat, report{events: 1}},
	"chat_thoughts_each_with_an_end":             {endpoint.Chat, report{first: 2, done: true, events: 6}},
	"chat_thoughts_each_with_an_end_cut_in_them": {endpoint.Chat, report{first: 2, events: 3}},
	"chat_thoughts_each_with_an_end_then_cut":    {endpoint.Chat, report{first: 2, events: 5}},
	"chat_tool_call_behind_the_end":              {endpoint.Chat, report{first: 1, events: 3}},
	"chat_two_choices":                           {endpoint.Chat, report{first: 1, done: true, events: 4}},
	"chat_two_choices_one_finished":              {endpoint.Chat, report{first: 1, events: 3}},
	"chat_unknown_end":                           {endpoint.Chat, report{first: 2, done: true, events: 3}},
	"chat_sglang_abort":                          {endpoint.Chat, report{first: 2, failure: 3, done: true, finished: true, events: 4}},
	"chat_sglang_length":                         {endpoint.Chat, report{first: 2, done: true, events: 3}},
	"chat_vllm_abort":                            {endpoint.Chat, report{first: 2, failure: 3, done: true, finished: true, events: 4}},
	"chat_vllm_flat_error":                       {endpoint.Chat, report{first: 2, failure: 2, done: true, finished: true, events: 3}},
	"chat_without_done":                          {endpoint.Chat, report{first: 2, done: true, events: 3}},
	"chat_without_space":                         {endpoint.Chat, report{first: 1, done: true, events: 2}},
	"completions_cut_between_events":             {endpoint.Completions, report{first: 1, events: 2}},
	"completions_network_error":                  {endpoint.Completions, report{first: 1, failure: 2, done: true, finished: true, events: 3}},
	"completions_openai":                         {endpoint.Completions, report{first: 1, done: true, finished: true, events: 4}},
	"completions_text_behind_the_end":            {endpoint.Completions, report{first: 1, events: 2}},
	"gemini_aborted":                             {endpoint.Gemini, report{first: 1, failure: 2, done: true, events: 2}},
	"gemini_an_end_on_each_chunk_cut":            {endpoint.Gemini, report{first: 1, events: 2}},
	"gemini_blocked_prompt":                      {endpoint.Gemini, report{first: 1, done: true, events: 1, prompt: 9}},
	"gemini_cut":                                 {endpoint.Gemini, report{first: 1, events: 2}},
	"gemini_error":                               {endpoint.Gemini, report{first: 1, failure: 2, events: 2}},
	"gemini_google":                              {endpoint.Gemini, report{first: 1, done: true, events: 3, prompt: 9, completion: 4}},
	"gemini_safety":                              {endpoint.Gemini, report{first: 1, done: true, events: 2}},
	"gemini_thought_then_nothing":                {endpoint.Gemini, report{first: 1, events: 2}},
	"images_cut_between_events":                  {endpoint.Images, report{first: 1, events: 1}},
	"images_edit":                                {endpoint.Images, report{first: 1, done: true, events: 1}},
	"images_openai":                              {endpoint.Images, report{first: 1, done: true, events: 2, prompt: 50, completion: 50}},
	"messages_aborted":                           {endpoint.Messages, report{first: 3, failure: 5, done: true, finished: true, events: 6, prompt: 9, completion: 4}},
	"messages_anthropic":                         {endpoint.Messages, report{first: 4, done: true, finished: true, events: 8, prompt: 132, completion: 15}},
	"messages_cut_after_the_stop":                {endpoint.Messages, report{first: 3, done: true, events: 5, prompt: 132, completion: 15}},
	"messages_cut_between_events":                {endpoint.Messages, report{first: 4, events: 4, prompt: 132, completion: 1}},
	"messages_cut_inside_an_event":               {endpoint.Messages, report{first: 4, events: 4, prompt: 132, completion: 1, pending: true}},
	"messages_last_blank_line_missing":           {endpoint.Messages, report{first: 4, done: true, finished: true, events: 7, prompt: 132, completion: 15, pending: true, missing: "\n\n"}},
	"messages_only_pings":                        {endpoint.Messages, report{events: 3, prompt: 132, completion: 1}},
	"messages_overloaded_after_start":            {endpoint.Messages, report{first: 4, failure: 4, events: 4, prompt: 132, completion: 1}},
	"messages_overloaded_first":                  {endpoint.Messages, report{first: 1, failure: 1, events: 1}},
	"messages_overloaded_late":                   {endpoint.Messages, report{first: 4, failure: 5, events: 5, prompt: 132, completion: 1}},
	"messages_stop_taken_back":                   {endpoint.Messages, report{first: 3, events: 7, prompt: 9, completion: 4}},
	"messages_stop_without_a_reason":             {endpoint.Messages, report{first: 3, events: 5, prompt: 9, completion: 4}},
	"responses_cancelled":                        {endpoint.Responses, report{first: 5, done: true, next: 6, events: 6}},
	"responses_cut_after_a_name":                 {endpoint.Responses, report{first: 4, next: 5, events: 5, pending: true}},
	"responses_cut_between_events":               {endpoint.Responses, report{first: 4, next: 5, events: 5}},
	"responses_cut_inside_an_event":              {endpoint.Responses, report{first: 4, next: 5, events: 5, pending: true}},
	"responses_done":                             {endpoint.Responses, report{first: 5, done: true, next: 6, events: 6, prompt: 9, completion: 4}},
	"responses_done_failed":                      {endpoint.Responses, report{first: 5, failure: 6, done: true, next: 6, events: 6}},
	"responses_error_flat":                       {endpoint.Responses, report{first: 4, failure: 6, next: 6, events: 6}},
	"responses_error_nested_first":               {endpoint.Responses, report{first: 3, failure: 3, next: 3, events: 3}},
	"responses_error_then_failed":                {endpoint.Responses, report{first: 5, failure: 6, done: true, next: 7, events: 7}},
	"responses_failed_quota":                     {endpoint.Responses, report{first: 3, failure: 3, done: true, next: 3, events: 3}},
	"responses_incomplete":                       {endpoint.Responses, report{first: 4, done: true, next: 6, events: 6, prompt: 328, completion: 52}},
	"responses_lifecycle_only":                   {endpoint.Responses, report{next: 4, events: 4}},
	"responses_openai":                           {endpoint.Responses, report{first: 4, done: true, next: 6, events: 6, prompt: 328, completion: 52}},
	"responses_openrouter_error":                 {endpoint.Responses, report{first: 4, failure: 6, next: 6, events: 6}},
	"responses_queued_then_cut":                  {endpoint.Responses, report{next: 2, events: 2}},
	"responses_relay_adds_done":                  {endpoint.Responses, report{first: 4, done: true, finished: true, next: 6, events: 7, prompt: 328, completion: 52}},
	"responses_without_event_lines":              {endpoint.Responses, report{first: 4, done: true, next: 6, events: 6, prompt: 328, completion: 52}},
	"speech_openai":                              {endpoint.Speech, report{first: 1, done: true, finished: true, events: 2, prompt: 14, completion: 101}},
	"transcriptions_openai":                      {endpoint.Transcriptions, report{first: 1, done: true, events: 3, prompt: 14, completion: 45}},
	"transcriptions_vllm":                        {endpoint.Transcriptions, report{first: 1, done: true, finished: true, events: 3}},
	"unknown_gemini_interaction_error":           {endpoint.Unknown, report{first: 1, failure: 2, events: 2}},
	"unknown_perplexity_error_first":             {endpoint.Unknown, report{first: 1, failure: 1, events: 1}},
	"unknown_plain_text":                         {endpoint.Unknown, report{first: 1, events: 2, pending: true}},
	"unknown_zai_error_then_done":                {endpoint.Unknown, report{first: 1, failure: 1, done: true, events: 2}},
}

// watch returns a Watcher that has seen stream in parts that end at cuts.
func watch(d endpoint.Dialect, stream []byte, cuts ...int) *Watcher {
	w := New(d)
	from := 0
	for _, cut := range append(cuts, len(stream)) {
		_, _ = w.Write(stream[from:cut])
		from = cut
	}
	return w
}

// reportOf returns what w says of stream, which ends there. An event that w kept must
// be one of the stream's, whole.
func reportOf(t testing.TB, w *Watcher, stream []byte) report {
	t.Helper()
	r := report{pending: w.Pending(), missing: string(w.End())}
	events, _ := readEvents(append(bytes.Clone(stream), r.missing...))
	number := func(e Event, ok bool) int {
		if !ok {
			return 0
		}
		if e.End == int64(len(stream)) {
			e.End += int64(len(r.missing))
		}
		i := slices.IndexFunc(events, func(o Event) bool { return o.End == e.End })
		if i < 0 || e.Name != events[i].Name || !bytes.Equal(e.Data, events[i].Data) || e.Cut {
			t.Errorf("kept an event that is not in the stream: %q %q at %d", e.Name, e.Data, e.End)
		}
		return i + 1
	}
	r.first, r.failure = number(w.Meaningful()), number(w.Error())
	r.done, r.finished = w.Done(), w.Finished()
	r.next, r.events = w.Sequence()+1, w.Events()
	r.prompt, r.completion = w.Usage()
	return r
}

func transcript(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".sse"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryTranscriptIsInTheTable(t *testing.T) {
	files, err := filepath.Glob("testdata/*.sse")
	if err != nil || len(files) != len(golden) {
		t.Errorf("%d files, %d rows, %v", len(files), len(golden), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".sse")
		if _, ok := golden[name]; !ok {
			t.Errorf("%s is not in the table", name)
		}
	}
}

func TestTranscriptsAreUnderstoodInOnePiece(t *testing.T) {
	for name, tc := range golden {
		t.Run(name, func(t *testing.T) {
			stream := transcript(t, name)
			if got := reportOf(t, watch(tc.dialect, stream), stream); got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestTranscriptsAreUnderstoodInAnySplit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, tc := range golden {
		t.Run(name, func(t *testing.T) {
			stream := transcript(t, name)
			splits := [][]int{every(stream)}
			for range 50 {
				splits = append(splits, randomCuts(random, len(stream)), []int{random.IntN(len(stream))})
			}
			for _, cuts := range splits {
				if got := reportOf(t, watch(tc.dialect, stream, cuts...), stream); got != tc.want {
					t.Fatalf("cut at %v\ngot  %+v\nwant %+v", cuts, got, tc.want)
				}
			}
		})
	}
}

func TestLineEndsAndTheByteOrderMarkMakeNoDifference(t *testing.T) {
	for name, tc := range golden {
		t.Run(name, func(t *testing.T) {
			plain := bytes.ReplaceAll(transcript(t, name), []byte("\r\n"), []byte("\n"))
			for _, end := range []string{"\n", "\r\n", "\r"} {
				for _, start := range []string{"", mark} {
					stream := append([]byte(start), bytes.ReplaceAll(plain, []byte("\n"), []byte(end))...)
					for _, cuts := range [][]int{nil, every(stream)} {
						if got := reportOf(t, watch(tc.dialect, stream, cuts...), stream); got != tc.want {
							t.Errorf("%q %q: got  %+v\nwant %+v", start, end, got, tc.want)
						}
					}
				}
			}
		})
	}
}

// every returns the cuts that leave single bytes.
func every(stream []byte) []int {
	cuts := make([]int, len(stream))
	for i := range cuts {
		cuts[i] = i
	}
	return cuts
}

// randomCuts returns some places to split n bytes at, in order.
func randomCuts(random *rand.Rand, n int) []int {
	cuts := make([]int, random.IntN(n+1))
	for i := range cuts {
		cuts[i] = random.IntN(n + 1)
	}
	slices.Sort(cuts)
	return cuts
}
