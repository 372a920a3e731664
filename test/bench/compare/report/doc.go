// Package report writes what was measured: Markdown tables and SVG plots, and the parts of
// pages that hold them.
package report
