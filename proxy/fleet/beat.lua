-- Says that a sidecar is there, and returns how many are and the secret that names keys.
--
-- KEYS  1  the members, by when they were seen; 2  what they told of themselves; 3  the secret
-- ARGV  1  id  2  what it tells of itself  3  the secret that it knows or proposes
--       4  seconds for which a member counts  5  milliseconds for which all is kept

local time = redis.call('TIME')
local now = time[1] - 1735689600 + time[2] / 1000000
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[4], 'LIMIT', 0, 100)) do
	redis.call('ZREM', KEYS[1], gone)
	redis.call('HDEL', KEYS[2], gone)
end
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
local secret = redis.call('GET', KEYS[3])
if not secret or #secret ~= #ARGV[3] then
	secret = ARGV[3]
	redis.call('SET', KEYS[3], secret)
end
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return { tostring(redis.call('ZCARD', KEYS[1])), secret, string.format('%.6f', now) }
