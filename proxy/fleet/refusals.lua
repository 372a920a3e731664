-- Changes the cached refusals of one payer.
--
-- KEYS  1  the refusals: a hash of seconds and a sealed answer, by id; v is their version
--       2  the lock of a probe
-- ARGV  1  what to do: set, clear, probe  2  id  3  the sealed answer  4  milliseconds to keep it,
--       or to lock  5  how many are kept

local time = redis.call('TIME')
local now = time[1] - 1735689600 + time[2] / 1000000
if ARGV[1] == 'probe' then
	if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[4]) then return { 'yes' } end
	return { 'no' }
end
-- The lock of a probe that was refused lasts on: others are about to try, and do not know yet.
if ARGV[1] == 'set' then
	if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[5]) and redis.call('HEXISTS', KEYS[1], ARGV[2]) == 0 then return { 'full' } end
	redis.call('HSET', KEYS[1], ARGV[2], string.format('%.6f', now) .. ' ' .. ARGV[3])
	redis.call('PEXPIRE', KEYS[1], ARGV[4])
else
	redis.call('DEL', KEYS[2])
	if redis.call('HDEL', KEYS[1], ARGV[2]) == 0 then return { 'none' } end
end
redis.call('HSET', KEYS[1], 'v', string.format('%.6f', now))
return { 'yes' }
