--- The script by which Redis gives places: one step, whoever else asks.
---
--- All times are milliseconds of Redis' own clock, so no machine's clock matters. They never go back: after Redis'
--- clock did, what it lost is added. The last places lie in a list. One more may go where the place that is `rate`
--- before it is over. A place is taken for good. The script also works in a Redis whose memory is full: all that it
--- keeps is small and has an end.
---
--- KEYS: of a host its values, places, polls and members; of a key its values.
--- ARGV: name of who asks, run of Redis, whether a place is taken, rate, whether it polls, milliseconds for which a
--- place counts, and within which all notice that Redis is back, places of who asks, size of the fleet where that is
--- known, milliseconds since Redis was started, those since it last answered who asks (-1: never), notes: a kind and
--- four numbers each.
--- It returns milliseconds to wait (-1: by the share), the share, milliseconds for which shares hold, how many
--- processes took places lately, the size that no body exceeds or 0, and milliseconds for which that is known.
return [[#!lua flags=allow-oom
local H, P, Q, M, K = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, run, takes = ARGV[1], ARGV[2], ARGV[3] == '1'
local rate, poll, span, notice = tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6]), tonumber(ARGV[7])
local own, fleet, age, told = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local KEPT, SIZE_KEPT, PROBE, LOW = 7200000, 3600000, 10000, 0.2

local function numbers(key, ...)
  local values = redis.call('HMGET', key, ...)
  for i = 1, #values do
    values[i] = tonumber(values[i])
  end
  return values
end

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
local h = numbers(H, 'last', 'ahead', 'calm', 'rate', 'rated', 'crowd', 'quiet', 'born', 'given')
local last, ahead, calm, crowd, quiet = h[1], h[2] or 0, h[3] or 0, h[6] or 0, h[7] or 0
local before = redis.call('HGET', H, 'run')
local behind = last and last - clock - ahead or 0
if behind > 0 then
  ahead = last - clock
end
local now = clock + ahead
local jumped = behind > 1000 or last and told >= 0 and now - last > told + 1000 -- its clock was set
local gap = last and now - last or 0
if not last or gap > span or gap > notice and now - gap < calm or before ~= run or jumped then
  calm = now + span + notice -- others may have sent what is not known here
end
-- Places that it gave, and has lost, count still: one process may have more of them than its share. A Redis that was
-- started lately may have lost its data; one that was started anew, or takes another one's place, what came last. Where
-- its clock was set, it is not known what is over.
if before and before ~= run or jumped then
  quiet = now + span
elseif not last then
  quiet = now + math.max(0, span - age)
end
-- Keys may be removed while it runs: by hand, or for want of memory. Who was told by older keys than these sees that
-- they are gone, and a list without the last place is none. What they knew was before: it is over a span later.
local born, given = h[8] or now, h[9]
if told > now - born and told < KEPT - span then
  quiet = math.max(quiet, born + span)
end
if given and now < given + span and not redis.call('LINDEX', P, 0) then
  quiet = math.max(quiet, given + span)
end
redis.call('HSET', H, 'last', now, 'ahead', ahead, 'calm', calm, 'quiet', quiet, 'run', run, 'born', born)

for i = 12, #ARGV, 5 do
  local kind, age = ARGV[i], tonumber(ARGV[i + 1])
  local a, b, c = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
  if kind == 'limit' then
    redis.call('HSET', K, 'limit', a, 'remaining', b, 'reset', now - age + c)
  elseif kind == 'none' then
    redis.call('HDEL', K, 'limit', 'remaining', 'reset', 'next')
  elseif kind == 'block' then
    redis.call('HSET', K, 'blocked', math.max(now - age + a, numbers(K, 'blocked')[1] or 0))
  elseif kind == 'size' then
    local s = numbers(H, 'size', 'sized')
    if s[1] and s[2] > now then
      a = math.min(a, s[1])
    end
    redis.call('HSET', H, 'size', a, 'sized', now - age + SIZE_KEPT)
  end
end

if takes then
  redis.call('ZADD', M, now, id)
end
redis.call('ZREMRANGEBYSCORE', M, '-inf', now - 10 * span)
local members = math.max(1, redis.call('ZCARD', M))
local share = math.floor(rate / (fleet > 0 and fleet or members))

local most = rate
if h[5] and h[5] >= now - span then
  most = math.max(rate, h[4])
end

local function until_free(list, n)
  local at = tonumber(redis.call('LINDEX', list, n - 1) or nil)
  return at and math.max(0, at + span - now) or 0
end

-- What the service said. At 0 the request is counted.
local function hold()
  local k = numbers(K, 'blocked', 'reset', 'remaining', 'limit', 'next')
  if k[1] and k[1] > now then
    return k[1] - now
  end
  local reset, remaining = k[2], k[3]
  if not reset or not remaining then
    return 0
  elseif now >= reset then
    redis.call('HSET', K, 'remaining', 0, 'reset', now + PROBE)
    redis.call('HDEL', K, 'next')
    return 0
  elseif remaining <= 0 then
    return reset - now
  end
  local limit = k[4] or remaining
  if remaining < LOW * limit then
    local load = 0
    for _, at in ipairs(redis.call('LRANGE', P, 0, -1)) do
      load = load + (tonumber(at) > now - span and 1 or 0)
    end
    if load < limit - remaining then -- others use it, too
      if k[5] and now < k[5] then
        return math.min(k[5], reset) - now
      end
      redis.call('HSET', K, 'next', math.floor(now + (reset - now) / (remaining + 1)))
    end
  end
  redis.call('HINCRBY', K, 'remaining', -1)
  return 0
end

local function pass()
  local wait = until_free(P, most)
  if poll then
    local share_of_polls = now < crowd and most / 3 or most * 9 / 10
    wait = math.max(wait, until_free(Q, math.max(1, math.floor(share_of_polls))))
  elseif wait > 0 then
    redis.call('HSET', H, 'crowd', now + span)
  end
  if wait > 0 or now < quiet then
    return math.max(wait, quiet - now)
  elseif now < calm and own >= share then
    return -1
  end
  wait = hold()
  if wait > 0 then
    return wait
  end
  redis.call('HSET', H, 'given', now)
  redis.call('LPUSH', P, now)
  redis.call('LTRIM', P, 0, most - 1)
  if poll then
    redis.call('LPUSH', Q, now)
    redis.call('LTRIM', Q, 0, most - 1)
  end
  if rate == most then
    redis.call('HSET', H, 'rate', rate, 'rated', now)
  end
  return 0
end

local wait = takes and math.ceil(pass()) or 0
for _, key in ipairs(KEYS) do
  redis.call('PEXPIRE', key, KEPT)
end
local s = numbers(H, 'size', 'sized')
local known = s[1] and s[2] > now
return { wait, share, math.max(0, calm - now), members, known and s[1] or 0, known and s[2] - now or 0 }
]]
