package proxy

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"outrigger/internal/values"
	"outrigger/proxy/settings"
)

// noise yields size bytes that follow no pattern a buffer could repeat, the same each time.
type noise struct {
	left  int64
	state uint64
}

func (n *noise) Read(p []byte) (int, error) {
	if n.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), n.left)]
	for i := 0; i < len(p); i += 8 {
		n.state = n.state*6364136223846793005 + 1442695040888963407
		for j := i; j < min(i+8, len(p)); j++ {
			p[j] = byte(n.state >> (8 * (j - i)))
		}
	}
	n.left -= int64(len(p))
	return len(p), nil
}

// upload writes a multipart body with a file of size bytes, as it is read.
func upload(size int64) (io.Reader, string) {
	body, sending := io.Pipe()
	form := multipart.NewWriter(sending)
	go func() {
		_ = form.WriteField("purpose", "fine-tune")
		part, err := form.CreateFormFile("file", "train.jsonl")
		if err == nil {
			_, err = io.CopyBuffer(part, &noise{left: size}, make([]byte, 64<<10))
		}
		if err == nil {
			err = form.Close()
		}
		_ = sending.CloseWithError(err)
	}()
	return body, form.FormDataContentType()
}

// heapPeak samples the heap in use until it is stopped, which returns the most.
func heapPeak() func() uint64 {
	var mu sync.Mutex
	var most uint64
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			mu.Lock()
			most = max(most, m.HeapInuse)
			mu.Unlock()
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() uint64 {
		close(done)
		<-over
		return most
	}
}

// A large upload goes to disk and is sent, again if need be; or, when there is no room
// on the disk, once and as it comes. Neither is ever in memory.
func TestAHugeUploadPassesWithoutBeingInMemory(t *testing.T) {
	size := int64(512 << 20)
	if testing.Short() {
		size = 64 << 20
	}
	tests := map[string]struct {
		room  values.Bytes // for spool files
		calls int64        // upstream; the first is refused, for a passing reason, if there are two
	}{
		"through the spool": {1 << 30, 2},
		"past a full spool": {1 << 20, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var sums []string
			g := newRig(t, func(w http.ResponseWriter, r *http.Request, n int) {
				file, err := uploaded(r)
				if err != nil {
					t.Errorf("call %d: %v", n, err)
				}
				sums = append(sums, file)
				if int64(n) < tt.calls {
					answers(429, `{"error":{"message":"overloaded","type":"requests","code":"rate_limit_exceeded"}}`, "Retry-After-Ms", "1")(w, r, n)
					return
				}
				fine(w, r, n)
			}, func(c *settings.Config) {
				c.Limit.Learn = false
				c.Bodies.MemoryMax, c.Bodies.SpoolMax = 16<<20, tt.room
			})
			body, kind := upload(size)
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+"/v1/files", body)
			r.Header.Set("Content-Type", kind)
			runtime.GC()
			var before runtime.MemStats
			runtime.ReadMemStats(&before)
			stop := heapPeak()
			start := time.Now()
			resp, text := g.do(r)
			took, peak := time.Since(start), stop()
			t.Logf("%d MiB in %s (%.0f MiB/s); the heap grew by %.1f MiB at most", size>>20, took.Round(time.Millisecond),
				float64(size>>20)/took.Seconds(), (float64(peak)-float64(before.HeapInuse))/(1<<20))
			if resp.StatusCode != 200 || g.calls.Load() != tt.calls {
				t.Fatalf("got %d %s after %d calls", resp.StatusCode, text, g.calls.Load())
			}
			want := sha256.New()
			_, _ = io.Copy(want, &noise{left: size})
			for i, sum := range sums {
				if sum != fmt.Sprintf("%x", want.Sum(nil)) {
					t.Errorf("call %d brought another file", i+1)
				}
			}
			if grown := int64(peak) - int64(before.HeapInuse); grown > 16<<20 { // caller and upstream are in it too
				t.Errorf("the heap grew by %d MiB", grown>>20)
			}
			eventually(t, "the end", func() bool { return g.inflight() == 0 })
			if memory, disk := g.held(); memory != 0 || disk != 0 {
				t.Errorf("%d bytes of memory and %d of disk are held", memory, disk)
			}
		})
	}
}

// uploaded reads a multipart request and returns the checksum of its file.
func uploaded(r *http.Request) (string, error) {
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	form := multipart.NewReader(r.Body, parameters["boundary"])
	var sum hash.Hash
	for {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return "", err
		}
		if part.FormName() == "file" {
			sum = sha256.New()
			if _, err := io.Copy(sum, part); err != nil {
				return "", err
			}
		}
	}
	_, err = io.Copy(io.Discard, r.Body)
	return fmt.Sprintf("%x", sum.Sum(nil)), err
}
