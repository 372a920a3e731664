package fleet

import (
	"context"
	_ "embed" // the script
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"outrigger/proxy/admission"
	"outrigger/proxy/fleet/server"

	goredis "github.com/redis/go-redis/v9"
)

// placesLast is how long a sidecar that says nothing holds its places.
const placesLast = 1800 * time.Millisecond

//go:embed places.lua
var placesText string

var placesScript = goredis.NewScript(placesText)

// wakes tells those who wait for a place that there may be one.
type wakes struct {
	mu     sync.Mutex
	byName map[string]func() // by the first key of the places
	names  map[admission.Account]string
	pubsub *goredis.PubSub // nil before anybody waited
}

// Places implements admission.Fleet.
func (f *Fleet) Places(of admission.Account, a admission.PlacesAsk, done func(admission.PlacesLease, bool)) {
	f.background.Go(func() {
		r, err := f.places(of, a)
		if errors.Is(err, errLate) || errors.Is(err, context.DeadlineExceeded) && f.ending.Err() == nil {
			r, err = f.places(of, a)
		}
		if err != nil {
			f.failed(err)
		}
		done(r, err == nil)
		f.beats.touch(f)
	})
}

// places asks once.
func (f *Fleet) places(of admission.Account, a admission.PlacesAsk) (admission.PlacesLease, error) {
	keys := f.placesNames(of)
	if a.Want > 0 {
		f.listen(of, keys[0])
	}
	ctx, cancel := context.WithTimeout(f.ending, timeout)
	defer cancel()
	start := time.Now()
	reply, err := f.eval(ctx, placesScript, keys, f.id, f.late(), a.Limit, a.Probe, a.Gap.Seconds(), a.Held, a.Want,
		placesLast.Seconds(), wakeChannel(), keep.Milliseconds())
	f.counts.trip.add(time.Since(start))
	if err != nil {
		return admission.PlacesLease{}, err
	}
	if len(reply) > 1 {
		if now, err := strconv.ParseFloat(reply[1], 64); err == nil {
			f.setClock(now)
		}
	}
	switch {
	case len(reply) == 2:
		return admission.PlacesLease{}, errLate
	case len(reply) != 6:
		return admission.PlacesLease{}, fmt.Errorf("the script replied %d parts", len(reply))
	}
	var r admission.PlacesLease
	r.Granted, _ = strconv.Atoi(reply[2])
	r.Others, _ = strconv.Atoi(reply[3])
	r.Waiting = reply[4] != "0"
	r.Probes, _ = strconv.Atoi(reply[5])
	return r, nil
}

// Woken implements admission.Fleet.
func (f *Fleet) Woken(of admission.Account, wake func()) {
	w := &f.wakes
	w.mu.Lock()
	defer w.mu.Unlock()
	if name, known := w.names[of]; known {
		delete(w.byName, name)
	}
	if wake == nil {
		delete(w.names, of)
		return
	}
	if w.byName == nil {
		w.byName, w.names = map[string]func(){}, map[admission.Account]string{}
	}
	name := f.placesNames(of)[0]
	w.byName[name], w.names[of] = wake, name
}

// listen waits for word in the background, from the first call that waits on.
func (f *Fleet) listen(of admission.Account, name string) {
	w := &f.wakes
	w.mu.Lock()
	defer w.mu.Unlock()
	if before := w.names[of]; before != name { // the secret is another one
		w.byName[name] = w.byName[before]
		delete(w.byName, before)
		w.names[of] = name
	}
	if w.pubsub != nil || f.client == nil {
		return
	}
	w.pubsub = f.client.Subscribe(f.ending, wakeChannel()+f.id)
	ctx, cancel := context.WithTimeout(f.ending, timeout)
	defer cancel()
	_, _ = w.pubsub.Receive(ctx) // so that no word is missed; it subscribes again by itself
	words := w.pubsub.Channel()
	f.background.Go(func() {
		for {
			select {
			case <-f.ending.Done():
				return
			case word, ok := <-words:
				if !ok {
					return
				}
				f.wake(word.Payload)
			}
		}
	})
}

// wake tells who waits for places of that name.
func (f *Fleet) wake(name string) {
	f.wakes.mu.Lock()
	wake := f.wakes.byName[name]
	f.wakes.mu.Unlock()
	if wake != nil {
		wake()
	}
}

func (w *wakes) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pubsub != nil {
		_ = w.pubsub.Close()
	}
}

func wakeChannel() string { return server.Prefix + layout + "wake:" }

func (f *Fleet) placesNames(of admission.Account) []string {
	base := f.tag(of.Payer) + f.hash(of.Payer[:], "="+of.Model)
	return []string{base + ":places", base + ":placeswait", base + ":probe", base + ":flying", base + ":members"}
}
