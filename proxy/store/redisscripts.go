package store

import "github.com/redis/go-redis/v9"

// Each script touches one key, which is a hash of one call:
//
//	s  state: r running, d done, u unknown
//	t  token of the claim that wrote it
//	p  fingerprint
//	c  1 for a create
//	b  when it began, microseconds since 1970
//	l  when the lease of a running one ends, microseconds since 1970
//	x  status of an unknown one
//	a  the record of a done one, as in a file
//
// All times are Redis's, so that the clocks of those who share it do not matter. A
// running compute expires with its lease. A running create does not: whoever finds
// its lease over, finds it unknown.
//
// Each call of a script carries the time by which it must have begun, 0 for none:
// what was sent to a Redis that stood still must not happen long after its sender
// gave up. And each can be sent twice: a claim knows its own token.

// prelude begins each script: us is now, late whether the sender has given up.
const prelude = `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local now = string.format('%.0f', us)
local late = tonumber(ARGV[1])
if late > 0 and us > late then return {'late', now} end
`

// beginScript claims a call: ARGV is late, token, fingerprint, create, milliseconds of
// the lease, milliseconds until the key expires, and how long a record may be to be
// returned at once. It writes nothing before HSET, which Redis refuses when it is full.
var beginScript = redis.NewScript(prelude + `
local h = redis.call('HMGET', KEYS[1], 's', 't', 'p', 'c', 'b', 'l', 'x')
local s, t, p, c, b, l, x = h[1], h[2], h[3], h[4], h[5], h[6], h[7]
if s and t ~= ARGV[2] then
	if p ~= ARGV[3] then return {'mismatch', now} end
	if s == 'd' then
		local a = false
		if redis.call('HSTRLEN', KEYS[1], 'a') <= tonumber(ARGV[7]) then a = redis.call('HGET', KEYS[1], 'a') end
		return {'done', now, b, a}
	end
	if s == 'u' then return {'unknown', now, b, x} end
	if tonumber(l) > us then return {'running', now, b} end
	if c == '1' then return {'unknown', now, b, '0'} end
end
if s == 'r' and t == ARGV[2] then return {'claimed', now, b} end
if s then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 's', 'r', 't', ARGV[2], 'p', ARGV[3], 'c', ARGV[4], 'b', now,
	'l', string.format('%.0f', us + 1000 * tonumber(ARGV[5])))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'claimed', now, now}
`)

// putScript writes what its claim has come to, over what the same claim wrote or over
// nothing: a claim that was lost with its Redis is there again. ARGV is late, token,
// fingerprint, create, milliseconds of the lease, milliseconds until the key expires,
// state, when it began, status, record.
var putScript = redis.NewScript(prelude + `
local h = redis.call('HMGET', KEYS[1], 's', 't')
if h[1] and h[2] ~= ARGV[2] then return {'lost', now} end
if h[1] and h[1] ~= 'r' and ARGV[7] == 'r' then return {'ok', now} end
redis.call('HSET', KEYS[1], 's', ARGV[7], 't', ARGV[2], 'p', ARGV[3], 'c', ARGV[4], 'b', ARGV[8],
	'l', string.format('%.0f', us + 1000 * tonumber(ARGV[5])), 'x', ARGV[9], 'a', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'ok', now}
`)

// releaseScript takes a claim away: ARGV is late and token.
var releaseScript = redis.NewScript(prelude + `
local h = redis.call('HMGET', KEYS[1], 's', 't')
if h[1] and h[2] ~= ARGV[2] then return {'lost', now} end
redis.call('DEL', KEYS[1])
return {'ok', now}
`)

// secretScript returns the hash key that is there, else the one that is proposed. It
// writes in any case: that shows whether Redis takes writes. ARGV is late and the
// proposal.
var secretScript = redis.NewScript(prelude + `
local secret = redis.call('GET', KEYS[1]) or ARGV[2]
redis.call('SET', KEYS[1], secret)
return {'ok', now, secret}
`)
