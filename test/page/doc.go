// Package page looks at the status page in headless Chromium, in front of the outrigger binary
// and the simulated upstream: idle, in a storm, with an exhausted quota, and draining; in both
// color schemes, on a phone and on a desk; by keyboard, with axe-core, and after the connection
// was lost.
//
// Without Chromium or the npm packages the tests are skipped, and say so. With
// OUTRIGGER_TEST_SCREENSHOTS=DIR, the screenshots are kept there.
package page
