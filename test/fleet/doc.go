// Package fleet runs many sidecars that share one upstream's limits over a real Redis:
// each is an outrigger process of its own, and the simulated upstream's ledger says what
// they did together. Sidecars are killed, Redis is killed, paused, filled and lied to.
//
//	go test -count=1 -v -timeout 20m ./test/fleet
//
// Time is real, and a run takes minutes. Each test logs its figures. These variables
// change a run:
//
//	OUTRIGGER_TEST_FLEET=100                    so many sidecars join and leave at once, in place of 30
//	OUTRIGGER_TEST_FLEET_SERVER=valkey-server   the server, in place of redis-server
//	OUTRIGGER_TEST_FLEET_MODE=apart             the same sidecars without Redis: what sharing is worth
//	OUTRIGGER_TEST_FLEET_MODE=one               one sidecar without Redis gets every call: what is best
//
// In both modes tests fail that need a fleet. Bounds in time, and on refusals that follow from it,
// are told, and held with OUTRIGGER_TEST_TIMING=1 (make timing): machines are late. How late this one
// was is told too. The tests of proxy/fleet hold the same bounds in virtual time.
package fleet
