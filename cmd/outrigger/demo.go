package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"outrigger/internal/config"
	"outrigger/internal/demo"
	"outrigger/internal/sim"
)

// runDemo compares calls made straight with calls made through Outrigger, against
// a simulated upstream. It returns the exit code: 0 when the comparison was made,
// 1 when something could not be started, 2 for bad flags.
func runDemo(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("outrigger demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	once := flags.Bool("once", false, "end after the comparison instead of leaving everything up")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil || flags.NArg() > 0:
		fmt.Fprintln(stderr, "outrigger demo: takes no arguments but -once")
		return exitUsage
	}
	if err := demonstrate(ctx, *once, stdout); err != nil {
		fmt.Fprintf(stderr, "outrigger demo: %v\n", err)
		return exitError
	}
	return exitOK
}

// demonstrate plays the scenes and, unless once, stays up until ctx ends, with the
// first scene's upstream.
func demonstrate(ctx context.Context, once bool, stdout io.Writer) error {
	var first *stage
	for i, scene := range demo.Scenes() {
		listen, admin, upstream := "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
		if i == 0 {
			listen, admin, upstream = "127.0.0.1:8383", "127.0.0.1:8384", sim.DefaultListen
		} else {
			fmt.Fprintln(stdout)
		}
		s, err := build(ctx, scene, listen, admin, upstream)
		if err != nil {
			return err
		}
		defer s.close()
		if i == 0 {
			first = s
		}
		if _, err := scene.Play(ctx, stdout, isTerminal(stdout), s.sides...); err != nil {
			return err
		}
	}
	if once {
		return nil
	}
	fmt.Fprintf(stdout, "\nThe first of them is still up. Try it:\n  OPENAI_BASE_URL=http://%s/v1 OPENAI_API_KEY=sk-any your-app\n"+
		"State: http://%s/status.json  Metrics: http://%s/metrics  The upstream's faults: %s\nCtrl-C ends it.\n",
		first.listen, first.admin, first.admin, first.control)
	<-ctx.Done()
	return nil
}

// stage is what a scene is played on: both upstreams, and an Outrigger before one of them.
type stage struct {
	listen, admin string // addresses of Outrigger
	control       string // URL of its upstream's control endpoint
	sides         []demo.Side
	ending        []func() // the last first
}

func (s *stage) close() {
	for _, end := range slices.Backward(s.ending) {
		end()
	}
}

// build starts a stage at these addresses, or at free ones where they are taken.
func build(ctx context.Context, scene demo.Scene, listen, admin, upstream string) (*stage, error) {
	s := &stage{listen: freeAddress(ctx, listen), admin: freeAddress(ctx, admin)}
	if err := s.raise(ctx, scene, upstream); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stage) raise(ctx context.Context, scene demo.Scene, upstream string) error {
	straight, behind := sim.New(scene.Upstream), sim.New(scene.Upstream)
	s.ending = append(s.ending, straight.Close, behind.Close)
	straightURL, err := straight.Start(freeAddress(ctx, upstream))
	if err != nil {
		return err
	}
	behindURL, err := behind.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	settings, err := config.Load([]string{
		config.Prefix + "UPSTREAMS=sim=" + strings.TrimSuffix(behindURL, "/v1"),
		config.Prefix + "LISTEN=" + s.listen, config.Prefix + "ADMIN_LISTEN=" + s.admin,
		config.Prefix + "DRAIN_TIMEOUT=1s",
	})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- serve(serving, &settings, slog.New(slog.DiscardHandler), &slog.LevelVar{}, nil)
		close(ended) // it is received from twice when serving fails
	}()
	s.ending = append(s.ending, func() {
		stop()
		<-ended //nolint:errcheck // awaitReady has told of a failed start, and now all is over
	})
	s.control = behind.ControlURL(behindURL)
	s.sides = []demo.Side{
		{Name: "straight", Base: straightURL, Sim: straight},
		{Name: "through Outrigger", Base: "http://" + s.listen + "/v1", Sim: behind},
	}
	return awaitReady(ctx, s.admin, ended)
}

// freeAddress returns address, or one with a free port when its own is taken.
func freeAddress(ctx context.Context, address string) string {
	for _, candidate := range []string{address, "127.0.0.1:0"} {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", candidate)
		if err == nil {
			_ = listener.Close()
			return listener.Addr().String()
		}
	}
	return address // the error is told when it is opened
}

// awaitReady returns when the admin listener at address says so, or what serve said.
func awaitReady(ctx context.Context, address string, ended <-chan error) error {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := client.Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-ended:
			return errors.Join(errors.New("the proxy did not start"), err)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}
