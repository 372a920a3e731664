-- Leases places among the calls in flight, of a limit that many sidecars share.
--
-- KEYS  1  who holds how many, and until when, by sidecar
--       2  the sidecars that wait, by how many they hold and since when
--       3  when the next probe may be sent
--       4  calls under way of sidecars, of those that did not know the limit; 5 when they said so
-- ARGV  1  the sender  2  when it gives up, 0 for never  3  the limit  4  how many more may be tried
--       5  seconds between probes  6  how many it holds  7  how many more it needs
--       8  seconds for which who says nothing holds its places  9  what wakes a sidecar: a channel's
--       name without the sidecar  10  milliseconds for which all is kept

local time = redis.call('TIME')
local now = time[1] - 1735689600 + time[2] / 1000000
local id, late, limit, probe, gap = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local held, want, lasts = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
if late > 0 and now > late then return { 'late', string.format('%.6f', now) } end

local others = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
	local n, till = string.match(all[i + 1], '^(%d+) ([%d.]+)$')
	if not n or tonumber(till) < now then
		redis.call('HDEL', KEYS[1], all[i])
		redis.call('ZREM', KEYS[2], all[i])
	elseif all[i] ~= id then
		others = others + tonumber(n)
	end
end
local flying = redis.call('HGETALL', KEYS[4])
for i = 1, #flying, 2 do
	local seen = tonumber(redis.call('ZSCORE', KEYS[5], flying[i]))
	if flying[i] ~= id and seen and seen > now - lasts and redis.call('HEXISTS', KEYS[1], flying[i]) == 0 then
		others = others + tonumber(flying[i + 1])
	end
end
for _, first in ipairs(redis.call('ZRANGE', KEYS[2], 0, 9)) do -- who waits says so, too
	if first ~= id and redis.call('HEXISTS', KEYS[1], first) == 0 then redis.call('ZREM', KEYS[2], first) end
end

-- Who holds least is first, and of those who hold as many who has waited longest.
local score = redis.call('ZSCORE', KEYS[2], id)
local since = score and tonumber(score) % 1 or (now % 10000) / 10000
local mine = held + since
local ahead = redis.call('ZCOUNT', KEYS[2], '-inf', '(' .. string.format('%.9g', mine))
if score and tonumber(score) < mine then ahead = ahead - 1 end
local waiting = redis.call('ZCARD', KEYS[2]) - (score and 1 or 0)
local free = limit - others - held
local granted, probes = 0, 0
if want > 0 then
	granted = math.max(0, math.min(want, free - math.max(0, ahead)))
	if waiting > 0 then granted = math.min(granted, math.max(1, math.ceil(free / (waiting + 1)))) end
	granted = math.max(0, math.min(granted, free))
	if free <= 0 and probe > 0 and want > 0 and ahead <= 0 then
		local at = tonumber(redis.call('GET', KEYS[3]) or '0')
		if now >= at then
			granted = math.min(want, probe)
			probes = granted
			redis.call('SET', KEYS[3], string.format('%.6f', now + gap), 'PX', ARGV[10])
		end
	end
end
redis.call('HSET', KEYS[1], id, string.format('%d %.6f', held + granted, now + lasts))
if granted < want then
	redis.call('ZADD', KEYS[2], string.format('%.9g', held + granted + since), id)
else
	redis.call('ZREM', KEYS[2], id)
end
free = free - granted
if free > 0 and waiting > 0 then
	local woken = 0
	for _, first in ipairs(redis.call('ZRANGE', KEYS[2], 0, 9)) do
		if first ~= id and woken < free then
			redis.pcall('PUBLISH', ARGV[9] .. first, KEYS[1])
			woken = woken + 1
		end
	end
end
for i = 1, 2 do redis.call('PEXPIRE', KEYS[i], ARGV[10]) end
return { 'ok', string.format('%.6f', now), tostring(granted), tostring(others), tostring(waiting), tostring(probes) }
