package shadow

import "io"

// watched shows a body to its Real while it is read.
type watched struct {
	io.ReadCloser
	real *Real
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.real.change(func() {
		if n > 0 {
			w.real.read(p[:n])
		}
		if err == io.EOF {
			w.real.end(nil)
		} else if err != nil {
			w.real.end(err)
		}
	})
	return n, err
}

// Close implements io.Closer. A body that is closed before its end was given up.
func (w *watched) Close() error {
	w.real.change(func() { w.real.end(io.ErrClosedPipe) })
	return w.ReadCloser.Close()
}
