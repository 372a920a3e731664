-- Leases what one sidecar may send from the account of one quota, atomically.
--
-- KEYS  1  the account, a JSON text: see fresh
--       2  the sidecars that wait, by class: high, normal, low. Scores are virtual times: a
--       3  sidecar's moves on by what it gets, over the weight of its class, so the one that
--       4  got least for its weight is first
--       5  the sidecars that asked lately, by when they did
--       6  their calls in flight, by sidecar
--       7  cached refusals of whoever pays: v is their version
-- ARGV  1  the ask, as JSON; amounts are in thousandths, times in seconds
--       2  what its sender learned, an opaque text; "" for nothing
--
-- Times are this server's, in seconds, from 2025 on so that JSON keeps them exact.

local time = redis.call('TIME')
local now = time[1] - 1735689600 + time[2] / 1000000
local ask = cjson.decode(ARGV[1])
if ask.late > 0 and now > ask.late then return { cjson.encode({ now = now, late = true }), '' } end

local weights = { 8, 4, 1 }
local recent = 60      -- who has not asked for so long is no member any more
local missing = 0.5    -- who waits and has not come for so long after its time is gone
local soonest, latest = 0.05, 1  -- when to ask again

local function fresh()
	return { epoch = ask.nonce, version = 0, pause = 0, at = now, sent = { 0, 0, 0, 0 }, refused = { 0, 0, 0, 0 },
		level = {}, ramp = { quota = 0, used = 0, at = 0 }, turn = 0, flying = 0, calls = { limit = 0, source = 0, version = 0 } }
end

local account, known = nil, ''
local text = redis.call('GET', KEYS[1])
if text then
	local split = string.find(text, '\n', 1, true)
	local ok, value = pcall(cjson.decode, string.sub(text, 1, (split or 0) - 1))
	if not split or not ok or type(value) ~= 'table' or not value.epoch or not value.level then
		return redis.error_reply('WRONGTYPE the account at ' .. KEYS[1] .. ' is not one')
	end
	account, known = value, string.sub(text, split + 1)
else
	account = fresh()
	redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
end
if now < account.at - 1 then -- the clock went back
	account.pause, account.ramp.at = 0, now
	for _, b in pairs(account.level) do b.at = now end
end

-- What its sender tells.
for i = 1, 4 do
	account.sent[i] = account.sent[i] + ask.sent[i]
	account.refused[i] = account.refused[i] + ask.refused[i]
end
if ask.pause > 0 and now + ask.pause > account.pause then account.pause = now + ask.pause end
local accepted = ARGV[2] ~= '' and ask.epoch == account.epoch and ask.version == account.version
if ARGV[2] ~= '' and account.version == 0 then accepted = true end
if accepted then
	account.version, known = account.version + 1, ARGV[2]
	account.ramp = { quota = 0, used = 0, at = 0 }
end

if ask.calls.new and ask.calls.version == account.calls.version then
	account.calls = { limit = ask.calls.limit, source = ask.calls.source, version = ask.calls.version + 1 }
end

-- Who is there.
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now - recent, 'LIMIT', 0, 20)) do
	account.flying = account.flying - (tonumber(redis.call('HGET', KEYS[6], gone)) or 0)
	redis.call('ZREM', KEYS[5], gone)
	redis.call('HDEL', KEYS[6], gone)
	for c = 1, 3 do redis.call('ZREM', KEYS[c + 1], gone) end
end
redis.call('ZADD', KEYS[5], now, ask.id)
local flew = tonumber(redis.call('HGET', KEYS[6], ask.id)) or 0
if flew ~= ask.flying then
	account.flying = account.flying + ask.flying - flew
	redis.call('HSET', KEYS[6], ask.id, ask.flying)
end

-- Who waits, with this one at its place.
local waits, mine, weight, rank, tag = { 0, 0, 0 }, {}, 0, 0, nil
for c = 1, 3 do
	local key = KEYS[c + 1]
	for _, first in ipairs(redis.call('ZRANGE', key, 0, 2)) do
		local seen = tonumber(redis.call('ZSCORE', KEYS[5], first))
		if first ~= ask.id and (not seen or seen < now - latest - missing and now > account.pause + latest + missing) then
			redis.call('ZREM', key, first)
		end
	end
	local own = tonumber(redis.call('ZSCORE', key, ask.id))
	waits[c] = redis.call('ZCARD', key)
	if ask.queue[c] > 0 then
		if not own then waits[c] = waits[c] + 1 end
		mine[c] = math.max(own or 0, account.turn)
		if not tag or mine[c] < tag then tag = mine[c] end
	elseif own then
		redis.call('ZREM', key, ask.id)
		waits[c] = waits[c] - 1
	end
	if waits[c] > 0 then weight = weight + weights[c] end
end
local share, members = 0, 0
for c = 1, 3 do
	if mine[c] then share = share + weights[c] / weight / waits[c] end
	members = members + waits[c]
end
if not tag then share, tag = 1 / (members + 1), account.turn end
for c = 1, 3 do rank = rank + redis.call('ZCOUNT', KEYS[c + 1], '-inf', '(' .. string.format('%.17g', tag)) end

-- What each account holds, with this one's refill since.
local again, part, can = 0, 1, true
local slots = {}
for _, s in ipairs(ask.slots) do
	local name = tostring(s.slot)
	local have
	if s.slot == ask.ramp_slot then
		local r = account.ramp
		if ask.ramp > 0 then
			if now >= r.at + ask.step then
				r.quota, r.used, r.at = ask.ramp, 0, now
			elseif ask.ramp > r.quota then
				r.quota = ask.ramp
			end
		end
		r.used = math.max(0, r.used - s.back / 1000)
		have = math.max(0, r.quota - r.used) * 1000
		slots[#slots + 1] = { s = s, have = have, ramp = r }
	else
		local b = account.level[name]
		local ahead = math.max(0, s.ahead - s.burst - s.speed * ask.horizon)
		if not b then
			b = { level = math.min(s.level, s.burst), reserve = s.level < s.burst and 0 or ahead, at = now }
			account.level[name] = b
		end
		local gain = math.max(0, now - b.at) * s.speed
		local over = gain - (s.burst - b.level)
		if over > 0 then
			b.level, b.reserve = math.max(s.burst, math.min(b.level, s.burst)), b.reserve + over
		else
			b.level = b.level + gain
		end
		b.at, b.reserve = now, math.min(b.reserve, ahead)
		b.level = math.min(b.level + s.back, s.burst)
		if s.told > ask.no_told and s.told < b.level then b.level, b.reserve = s.told, 0 end
		if accepted and s.level < b.level then b.level, b.reserve = s.level, 0 end
		have = math.max(0, b.level + s.speed * ask.horizon) + b.reserve
		slots[#slots + 1] = { s = s, have = have, b = b }
	end
end

-- What this one gets: its part of what there is, or what one request needs if it is its turn.
-- Nobody takes more than a quarter of what gathered, since others may be about to come.
local paused = now < account.pause
for _, x in ipairs(slots) do
	local s = x.s
	x.get = 0
	if s.want > 0 then
		local head = s.head
		if x.b then head = math.min(head, math.max(s.burst, 1)) end
		x.head = head
		local most = x.have * share
		if x.have > 2 * s.speed * ask.horizon then most = math.min(most, x.have / 4) end
		x.get = math.min(s.want, most)
		if x.have < (rank + 1) * head and x.get < head then can = false end
	end
end
if paused then can = false end
for _, x in ipairs(slots) do
	if x.s.want > 0 then part = math.min(part, math.max(x.get, can and x.s.head or 0) / x.s.want) end
end
local granted, served = {}, 0
for _, x in ipairs(slots) do
	local s = x.s
	if s.want > 0 and can then
		local get = s.want
		if part < 1 then get = math.floor(math.max(1, s.want * part / s.head)) * s.head end -- a part of one is of no use
		granted[tostring(s.slot)] = get
		if x.ramp then
			x.ramp.used = x.ramp.used + get / 1000
		else
			local own = math.min(get, math.max(0, x.b.level + s.speed * ask.horizon))
			x.b.reserve = math.max(0, x.b.reserve - (get - own))
			x.b.level = x.b.level - get
		end
		x.have = x.have - get
		if get < s.want then served = math.max(served, 1) end
	end
end

-- Its place from now on, and when its next turn comes.
local total = ask.queue[1] + ask.queue[2] + ask.queue[3]
local unmet = not can or served > 0
for c = 1, 3 do
	if mine[c] then
		if can then
			account.turn = math.max(account.turn, tag)
			mine[c] = mine[c] + math.max(1, total * part) * ask.queue[c] / total * waits[c] / weights[c]
		end
		if unmet then
			redis.call('ZADD', KEYS[c + 1], string.format('%.17g', mine[c]), ask.id)
		else
			redis.call('ZREM', KEYS[c + 1], ask.id)
		end
	end
end
if unmet and ask.more then
	tag = nil
	for c = 1, 3 do
		if mine[c] and (not tag or mine[c] < tag) then tag = mine[c] end
	end
	rank = 0
	if tag then
		for c = 1, 3 do rank = rank + redis.call('ZCOUNT', KEYS[c + 1], '-inf', '(' .. string.format('%.17g', tag)) end
	end
	for _, x in ipairs(slots) do
		if x.s.want > 0 then
			local missing = (rank + 1) * x.head - x.have
			if x.b then missing = (rank + 1) * x.head - x.b.level - x.s.speed * ask.horizon - x.b.reserve end
			if x.ramp then
				if missing > 0 then again = math.max(again, x.ramp.at + ask.step - now) end
			elseif x.s.speed > 0 then
				again = math.max(again, missing / x.s.speed)
			end
		end
	end
	again = math.max(soonest, math.min(again, latest))
	if paused then again = math.max(0.001, account.pause - now) end
end

account.at = now
local body = cjson.encode(account) .. '\n' .. known
redis.call('SET', KEYS[1], body, 'PX', ask.ttl)
for i = 2, 6 do redis.call('PEXPIRE', KEYS[i], ask.ttl) end

local refusals = redis.call('HGET', KEYS[7], 'v') or ''
local stale = ask.epoch ~= account.epoch or ask.version ~= account.version
local answer = {
	cjson.encode({
		now = now, refusals = refusals, epoch = account.epoch, version = account.version, accepted = accepted,
		pause = math.max(0, account.pause - now), again = again, granted = granted,
		sent = account.sent, refused = account.refused, waiting = members, flying = account.flying - ask.flying, calls = account.calls,
		others = redis.call('ZCARD', KEYS[5]) - 1,
	}),
	(stale and not accepted) and known or '',
}
if refusals ~= ask.refusals then
	for _, x in ipairs(redis.call('HGETALL', KEYS[7])) do answer[#answer + 1] = x end
end
return answer
