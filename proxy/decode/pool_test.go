package decode

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"
)

// Broken, cut and whole bodies by turns, from many goroutines: none sees anything of
// another one's.
func TestADecoderIsCleanWhenItIsUsedAgain(t *testing.T) {
	type body struct{ plain, raw []byte }
	bodies := map[string][]body{}
	for _, coding := range []string{"gzip", "br", "zstd"} {
		for i := range 8 {
			plain := bytes.Repeat([]byte{byte('a' + i)}, 1000*(i+1))
			bodies[coding] = append(bodies[coding], body{plain, encode(t, coding, plain)})
		}
	}
	var tasks sync.WaitGroup
	for seed := range uint64(4) {
		tasks.Go(func() {
			random := rand.New(rand.NewPCG(seed, 1))
			for range 50 {
				for coding, some := range bodies {
					one := some[random.IntN(len(some))]
					raw := bytes.Clone(one.raw)
					switch random.IntN(3) {
					case 0:
						_, _ = Body(coding, raw[:random.IntN(len(raw))], 1<<20)
					case 1:
						raw[random.IntN(len(raw))] ^= 0xff
						_, _ = Body(coding, raw, 1<<20)
					default:
						if got, err := Body(coding, raw, 1<<20); !bytes.Equal(got, one.plain) || err != nil {
							t.Errorf("%s: %d bytes of %d, %v", coding, len(got), len(one.plain), err)
						}
					}
				}
			}
		})
	}
	tasks.Wait()
}

// What a pool saves: allocations per small answer, with it and without.
func BenchmarkBody(b *testing.B) {
	plain := bytes.Repeat([]byte(`{"choices":[{"message":{"content":"hello"}}],"usage":{"prompt_tokens":1}}`), 20)
	for _, coding := range []string{"gzip", "br"} {
		raw := encode(b, coding, plain)
		b.Run("coding:"+coding+"/pool:yes", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Body(coding, raw, 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("coding:"+coding+"/pool:no", func(b *testing.B) {
			b.ReportAllocs()
			fresh := map[string]*pool{"gzip": &gzips, "br": &brotlis}[coding]
			for b.Loop() {
				d := fresh.make()
				if err := d.Reset(bytes.NewReader(raw)); err != nil {
					b.Fatal(err)
				}
				if _, err := readAll(d); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
