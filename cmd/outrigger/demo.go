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
	"time"

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

// demonstrate starts both sides, runs the burst and, unless once, stays up until
// ctx ends.
func demonstrate(ctx context.Context, once bool, stdout io.Writer) error {
	straight, behind := sim.New(demo.Upstream()), sim.New(demo.Upstream())
	defer straight.Close()
	defer behind.Close()
	straightURL, err := straight.Start(freeAddress(ctx, "127.0.0.1:9393"))
	if err != nil {
		return err
	}
	behindURL, err := behind.Start("127.0.0.1:0")
	if err != nil {
		return err
	}
	listen, adminListen := freeAddress(ctx, "127.0.0.1:8383"), freeAddress(ctx, "127.0.0.1:8384")
	s, err := load([]string{
		prefix + "UPSTREAMS=sim=" + behindURL[:len(behindURL)-len("/v1")],
		prefix + "LISTEN=" + listen, prefix + "ADMIN_LISTEN=" + adminListen,
		prefix + "DRAIN_TIMEOUT=1s",
	})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- serve(serving, s, slog.New(slog.DiscardHandler))
		close(ended) // it is received from twice when serving fails
	}()
	defer func() {
		stop()
		<-ended //nolint:errcheck // awaitReady has told of a failed start, and now all is over
	}()
	if err := awaitReady(ctx, adminListen, ended); err != nil {
		return err
	}

	fmt.Fprint(stdout, "One burst, twice at the same time: straight at a simulated upstream, and through Outrigger.\n\n")
	_, err = demo.Run(ctx, stdout, isTerminal(stdout),
		demo.Side{Name: "straight", Base: straightURL, Sim: straight},
		demo.Side{Name: "through Outrigger", Base: "http://" + listen + "/v1", Sim: behind})
	if err != nil || once {
		return err
	}
	fmt.Fprintf(stdout, "\nAll is still up. Try it:\n  OPENAI_BASE_URL=http://%s/v1 OPENAI_API_KEY=sk-any your-app\n"+
		"State: http://%s/status.json  Metrics: http://%s/metrics  The upstream's faults: %s\nCtrl-C ends it.\n",
		listen, adminListen, adminListen, behind.ControlURL(behindURL))
	<-ctx.Done()
	return nil
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
