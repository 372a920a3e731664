package redis

import goredis "github.com/redis/go-redis/v9"

// Names of what belongs to all calls.
const (
	secretName     = keyPrefix + "secret"     // the hash key
	generationName = keyPrefix + "generation" // see generationScript
)

// The scripts of calls write one key, which is a hash of one call:
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
// All times are Redis's, so that the clocks of the processes do not matter. A running
// compute expires with its lease. A running create does not: it is Unknown to everybody
// who finds its lease expired.
//
// Each script gets the time by which it must have begun, 0 for none: what was sent to a
// Redis that stalled must not be carried out long after its sender gave up. Each script
// can be sent twice: a claim recognizes its own token.

// prelude begins each script: us is now, late whether the sender has given up.
const prelude = `
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local now = string.format('%.0f', us)
local late = tonumber(ARGV[1])
if late > 0 and us > late then return {'late', now} end
`

// whichRun sets run to what identifies this run of Redis: a Redis that restarts may have
// an old snapshot, and a replica that is promoted may lack the last writes. It is 0 where
// Redis does not tell.
const whichRun = `
local info = redis.pcall('INFO', 'server')
local run = string.match(type(info) == 'string' and info or '', 'run_id:(%x+)') or '0'
`

// beginScript claims a call. ARGV: late, token, fingerprint, create, milliseconds of the
// lease, milliseconds until the key expires, the longest record that is returned at once,
// and the hash key and generation that the sender knows, which are in KEYS 2 and 3. It
// writes nothing before HSET, which Redis refuses when it is full.
var beginScript = goredis.NewScript(prelude + whichRun + `
local gen = redis.pcall('GET', KEYS[3])
local id, opens, its = string.match(type(gen) == 'string' and gen or '', '^(%x+);(%d+);%a;(%x+)$')
if id ~= ARGV[9] or its ~= run or redis.pcall('GET', KEYS[2]) ~= ARGV[8] then return {'changed', now} end
local h = redis.call('HMGET', KEYS[1], 's', 't', 'p', 'c', 'b', 'l', 'x')
local s, t, p, c, b, l, x = h[1], h[2], h[3], h[4], h[5], h[6], h[7]
if s and t ~= ARGV[2] then
	if p ~= ARGV[3] then return {'mismatch', now} end
	if s == 'd' then
		local a, size = '', redis.call('HSTRLEN', KEYS[1], 'a')
		if size <= tonumber(ARGV[7]) then a = redis.call('HGET', KEYS[1], 'a') end
		return {'done', now, b, a, string.format('%.0f', size)}
	end
	if s == 'u' then return {'unknown', now, b, x} end
	if tonumber(l) > us then return {'running', now, b} end
	if c == '1' then return {'unknown', now, b, '0'} end
end
if s == 'r' and t == ARGV[2] then return {'claimed', now, b} end
if ARGV[4] == '1' and us < tonumber(opens) then return {'settling', now, opens} end
if s then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 's', 'r', 't', ARGV[2], 'p', ARGV[3], 'c', ARGV[4], 'b', now,
	'l', string.format('%.0f', us + 1000 * tonumber(ARGV[5])))
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'claimed', now, now}
`)

// putScript writes the state of a claim, over what the same claim wrote or over nothing: a
// claim that Redis lost is written again. ARGV: late, token, fingerprint, create,
// milliseconds of the lease, milliseconds until the key expires, state, when it began,
// status, record. The state m is a reminder of a create that ended: it becomes u where
// there is no key, and changes nothing else.
var putScript = goredis.NewScript(prelude + `
local h = redis.call('HMGET', KEYS[1], 's', 't')
if h[1] and h[2] ~= ARGV[2] then return {'lost', now} end
local state = ARGV[7]
if h[1] and (state == 'm' or h[1] ~= 'r' and state == 'r') then return {'ok', now} end
if state == 'm' then state = 'u' end
redis.call('HSET', KEYS[1], 's', state, 't', ARGV[2], 'p', ARGV[3], 'c', ARGV[4], 'b', ARGV[8],
	'l', string.format('%.0f', us + 1000 * tonumber(ARGV[5])), 'x', ARGV[9], 'a', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
return {'ok', now}
`)

// releaseScript removes a claim. ARGV: late, token.
var releaseScript = goredis.NewScript(prelude + `
local h = redis.call('HMGET', KEYS[1], 's', 't')
if h[1] and h[2] ~= ARGV[2] then return {'lost', now} end
redis.call('DEL', KEYS[1])
return {'ok', now}
`)

// generationScript settles the generation: an id, when it opens (microseconds since 1970),
// t for tentative (made by a process that knew none before) or s for settled, and the run
// of Redis. ARGV: late, the hash key that the sender knows or proposes, the id that it
// knows ("" for none), the next id, microseconds until that opens, and 1 from a sender
// that is still resending what it holds.
//
// A sender that knew a generation restores its hash key in three cases: there is none,
// there is another one under the id that it knew, or there is a tentative one that has not
// opened, under which no create was claimed. A generation that has opened is adopted.
//
// Where nothing changes, the script checks that Redis accepts writes. A Redis that only
// cannot save (MISCONF) can still be asked for what it has.
var generationScript = goredis.NewScript(prelude + whichRun + `
local secret, gen = redis.pcall('GET', KEYS[1]), redis.pcall('GET', KEYS[2])
local id, opens, kind, its = string.match(type(gen) == 'string' and gen or '', '^(%x+);(%d+);(%a);(%x+)$')
if its ~= run then id = nil end
local known, whole = ARGV[3], type(secret) == 'string' and #secret == #ARGV[2]
local soon = string.format('%.0f', us + tonumber(ARGV[5]))
local function write(hash, new, at, how)
	redis.call('SET', KEYS[1], hash)
	redis.call('SET', KEYS[2], new .. ';' .. at .. ';' .. how .. ';' .. run)
	return {'ok', now, hash, new}
end
if known == '' then
	if type(secret) == 'table' then return secret end
	if not secret then return write(ARGV[2], ARGV[4], soon, 't') end
	if whole and not id then return write(secret, ARGV[4], soon, 's') end
elseif not whole or not id or secret ~= ARGV[2] and (id == known or kind == 't' and us < tonumber(opens)) then
	return write(ARGV[2], ARGV[4], soon, 's')
elseif id ~= known or ARGV[6] == '1' then
	if tonumber(opens) < tonumber(soon) then opens = soon end
	return write(secret, id, opens, 's')
end
local probe = redis.pcall('PERSIST', KEYS[1])
if type(probe) == 'table' and not string.find(probe.err, 'MISCONF', 1, true) then return probe end
return {'ok', now, secret, id}
`)
