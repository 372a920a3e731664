package top

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Options say where to look and how to draw.
type Options struct {
	Address string // of the admin listener, host:port
	Once    bool   // one frame, without control sequences for the cursor
	Color   bool
}

const (
	every   = time.Second
	timeout = 5 * time.Second
	// maxAnswer bounds what is read: 10,000 limiters of 400 bytes each.
	maxAnswer = 4 << 20
)

// Cursor control of ANSI terminals: to the upper left, clear to the end of the line, and
// clear what is below.
const (
	home      = "\x1b[H"
	clearLine = "\x1b[K\n"
	clearRest = "\x1b[J"
	clearAll  = "\x1b[2J"
)

// Run paints frames to w until ctx ends, or one. Only if the first one cannot be drawn, it
// returns an error: later it tells that on the screen, and tries again.
func Run(ctx context.Context, w io.Writer, o Options) error {
	c := &client{http: &http.Client{Timeout: timeout, Transport: &http.Transport{}}, o: o}
	defer c.http.CloseIdleConnections()
	screen, err := c.frame(ctx, time.Now())
	if err != nil || o.Once {
		_, _ = io.WriteString(w, screen)
		return err
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	_, _ = io.WriteString(w, clearAll)
	for {
		if _, err := io.WriteString(w, home+strings.ReplaceAll(screen, "\n", clearLine)+clearRest); err != nil {
			return fmt.Errorf("the terminal is gone: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		if next, err := c.frame(ctx, time.Now()); err == nil {
			screen, c.since = next, time.Time{}
		} else if ctx.Err() == nil && c.since.IsZero() {
			c.since = time.Now()
			screen = fmt.Sprintf("NOT CONNECTED since %s: %v\n\n%s", c.since.Format("15:04:05"), err, screen)
		}
	}
}

// client asks the admin listener.
type client struct {
	http  *http.Client
	o     Options
	since time.Time // when the connection was lost; zero while there is one
}

// frame returns the screen as of now.
func (c *client) frame(ctx context.Context, now time.Time) (string, error) {
	var s status
	var last requests
	if err := c.get(ctx, "/status.json", &s); err != nil {
		return "", err
	}
	if err := c.get(ctx, "/requests.json", &last); err != nil {
		return "", err
	}
	return draw(&s, last.Requests, c.o.Address, now, c.o.Color), nil
}

// get reads a JSON answer.
func (c *client) get(ctx context.Context, path string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.o.Address+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.o.Address, err)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("asking %s: %w", c.o.Address, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s answered %s", c.o.Address, path, answer.Status)
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s%s cannot be read: %w", c.o.Address, path, err)
	}
	return nil
}
