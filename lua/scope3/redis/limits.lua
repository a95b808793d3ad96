--- The limits of a fleet, which lie in Redis. One script gives each place, in one round trip. What replies said goes
--- along with the next claim. Where Redis does not answer, each process has its share (scope3.redis.shares).
local claim_script = require "scope3.redis.claim_script"
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local link = require "scope3.redis.link"
local rare = require "scope3.util.rare"
local shares = require "scope3.redis.shares"
local url = require "scope3.redis.url"

local limits = {}

local SPAN = 61 -- seconds for which a place counts: a minute by the service's clock, and one for the request's way
local NOTICE = 10 -- seconds within which each process that sends has noticed that Redis is back: longer than UNSEEN
local UNSEEN = 8 -- seconds between two looks that failed, at most: longer than one look and RETRY
local RETRY = 1 -- seconds between two looks while Redis does not answer
local CONNECT_SECONDS = 1.5
local CALL_SECONDS = 0.9 -- less than the second that a place counts longer than a minute
local BUSY = 0.01 -- seconds or so until the next look where another coroutine asks
local PATIENCE = 5 -- seconds without Redis after which those who have no share give up
local MARGIN = 0.1 -- seconds added to a Retry-After: who comes back at that very moment may be refused once more
local MOST_SUBJECTS = 64 -- of which something is noted here

---@class scope3.RedisLimits: scope3.SharedLimits
---@field private link scope3.RedisLink
---@field private shares scope3.Shares
---@field private clock fun(): number
---@field private fleet integer?  how many processes, as was announced
---@field private learned integer?  how many took places lately, as Redis says
---@field private retry_at number  no look before, while Redis does not answer
---@field private notes table<string, scope3.RedisNotes>  by subject: what Redis does not know yet
---@field private hosts table<string, {bytes: number, ends: number}>  sizes that no body exceeds
---@field private asked table<string, number>  by host: when Redis last told of it
---@field private holds table<string, number>  by subject: until when a reply holds requests, while Redis is away
---@field private full table<string, number>  by subject: until when Redis said that there is no place
local RedisLimits = {}
RedisLimits.__index = RedisLimits

---@class scope3.RedisNotes
---@field limit? {at: number, what: scope3.Announcement|false}
---@field block? {at: number, seconds: number}
---@field size? {at: number, bytes: number}

---@class scope3.RedisLimitOptions
---@field redis string  its URL
---@field fleet? integer  how many processes send under the rate, at most
---@field ca_file? string

local function refuse(err)
  return nil, errors.with(err, { kind = "invalid" })
end

-- Splits ?fleet=8 off a URL.
local function split(text)
  local base, fleet = text:match "^([^?]*)%?fleet=(%d%d?%d?%d?)$"
  if base and tonumber(fleet) >= 1 then
    return base, tonumber(fleet)
  end
  return text
end

-- Reads such a URL. Where only what stands behind a question mark is wrong, it says what may stand there.
local function read(text)
  local base, fleet = split(text)
  local _, err = url.parse(base)
  if err and not fleet and url.parse((base:match "^[^?]*")) then
    err = errors.invalid("redis", {
      { path = "url", message = "may have ?fleet=N behind it, with N from 1 to 9999, and nothing else" } })
  end
  return base, fleet, err
end

--- What is wrong with such a URL; it shows no part of it.
---@param text string
---@return string?
function limits.problem(text)
  local _, _, err = read(text)
  return err and err.issues[1].message or nil
end

--- Makes them. Nothing is connected before the first request.
---@param options scope3.RedisLimitOptions
---@param open? function  reaches Redis otherwise: for specs
---@param clock? fun(): number
---@return scope3.RedisLimits?
---@return scope3.Error? err  kind "invalid"
function limits.new(options, open, clock)
  local base, fleet, err = read(options.redis)
  if err then
    return refuse(err)
  end
  clock = clock or core.now
  local times = {
    span = rare.number("limiter_span", SPAN), notice = rare.number("limiter_notice", NOTICE),
    unseen = rare.number("limiter_unseen", UNSEEN), retry = rare.number("limiter_retry", RETRY),
  }
  open = open or link.opener { url = base, ca_file = options.ca_file, connect_seconds = CONNECT_SECONDS,
    call_seconds = CALL_SECONDS }
  return setmetatable({
    any_clock = true, -- it has its own, and Redis another
    link = link.new(open, clock, CONNECT_SECONDS + 5 * CALL_SECONDS), shares = shares.new(times), times = times,
    clock = clock, fleet = options.fleet or fleet, retry_at = 0,
    notes = {}, hosts = {}, asked = {}, holds = {}, full = {},
  }, RedisLimits)
end

local function subject_of(who)
  return who.host .. " " .. who.key
end

-- Seconds around a mean, so that two who wait do not meet again.
local function about(seconds)
  return seconds * (0.1 + core.random())
end

-- --- notes -------------------------------------------------------------------------------------------------------

local function count(map)
  local n = 0
  for _ in entries(map) do
    n = n + 1
  end
  return n
end

-- The notes of a subject. Those of too many are not kept: then their requests are only held by the service itself.
local function notes_of(self, who)
  local subject = subject_of(who)
  local notes = self.notes[subject]
  if not notes and count(self.notes) < MOST_SUBJECTS then
    notes = {}
    self.notes[subject] = notes
  end
  self.full[subject] = nil
  return notes or {}
end

local function shorter(a, b)
  return a and a.bytes < b.bytes and a or b
end

local function longer(a, b)
  return a and a.at + a.seconds > b.at + b.seconds and a or b
end

-- Takes notes back that Redis may not have got. Later ones count.
local function restore(self, who, sent)
  local notes = notes_of(self, who)
  notes.limit = notes.limit or sent.limit
  notes.block = sent.block and longer(notes.block, sent.block) or notes.block
  notes.size = sent.size and shorter(notes.size, sent.size) or notes.size
end

local function milliseconds(seconds)
  return math.floor(seconds * 1000 + 0.5)
end

-- Writes notes as arguments of the script.
local function add_notes(args, notes, now)
  local function add(kind, at, a, b, c)
    for _, value in ipairs { kind, milliseconds(now - at), a, b, c } do
      args[#args + 1] = value
    end
  end
  local limit, block, size = notes.limit, notes.block, notes.size
  if limit and limit.what then
    add("limit", limit.at, limit.what.limit, limit.what.remaining, milliseconds(limit.what.reset))
  elseif limit then
    add("none", limit.at, 0, 0, 0)
  end
  if block then
    add("block", block.at, milliseconds(block.seconds), 0, 0)
  end
  if size then
    add("size", size.at, size.bytes, 0, 0)
  end
end

--- Remembers what a reply announces; nothing where it announces no limit.
---@param who scope3.LimiterSubject
---@param what scope3.Announcement?
function RedisLimits:learn(who, what)
  local now = self.clock()
  notes_of(self, who).limit = { at = now, what = what or false }
  self.holds[subject_of(who)] = what and what.remaining <= 0 and now + what.reset or nil
end

--- Holds every request back for some seconds.
---@param who scope3.LimiterSubject
---@param seconds number
function RedisLimits:block(who, seconds)
  local now, notes, subject = self.clock(), notes_of(self, who), subject_of(who)
  notes.block = longer(notes.block, { at = now, seconds = seconds + MARGIN })
  self.holds[subject] = math.max(self.holds[subject] or 0, now + seconds + MARGIN)
end

--- Remembers that a host takes no larger bodies.
---@param who scope3.LimiterSubject
---@param bytes integer
function RedisLimits:learn_size(who, bytes)
  local notes, known, now = notes_of(self, who), self.hosts[who.host], self.clock()
  notes.size = shorter(notes.size, { at = now, bytes = bytes })
  if not known or now >= known.ends or bytes < known.bytes then
    self.hosts[who.host] = { bytes = bytes, ends = now + 3600 }
  end
end

-- --- asking ------------------------------------------------------------------------------------------------------

local REPLY = 6 -- numbers

local function is_reply(reply)
  for i = 1, REPLY do
    if type(reply) ~= "table" or type(reply[i]) ~= "number" then
      return false
    end
  end
  return true
end

local function keys_of(who)
  local tag = "{scope3:limit:" .. who.host .. "}:"
  return { tag .. "host", tag .. "places", tag .. "polls", tag .. "members", tag .. "key:" .. who.key }
end

-- Runs the script. nil alone where another coroutine asks.
local function ask(self, who, loop, rate, poll, takes)
  local notes
  local reply, err = self.link:call(loop, function(connection, line)
    local now, times, subject, told = self.clock(), self.times, subject_of(who), self.asked[who.host]
    if not notes then
      notes = self.notes[subject] or {}
      self.notes[subject] = nil
    end
    local args = { line.id, line.run, takes and 1 or 0, rate, poll and 1 or 0,
      milliseconds(times.span), milliseconds(times.notice), self.shares:count(who.host, now), self.fleet or 0,
      milliseconds(now - line.started), told and milliseconds(now - told) or -1 }
    add_notes(args, notes, now)
    return connection:script(claim_script, keys_of(who), args)
  end)
  if reply ~= nil and not is_reply(reply) then
    reply, err = nil, errors.new("redis", "the script of the limiter had no such reply", { code = "BAD_REPLY" })
  end
  if not reply and notes then
    restore(self, who, notes)
  end
  return reply, err
end

-- Whether Redis is away, and no option or permission is wrong.
local function is_outage(err)
  return err.retryable == true or err.kind == "network" or err.kind == "timeout"
end

local function limiter_error(err)
  return errors.new("limiter", "the limiter's Redis cannot be used: " .. err.message, { code = err.code })
end

-- Notes that Redis did not answer. Gives the error where waiting does not help.
local function note_failure(self, err)
  if err.kind == "cannot_wait" or err.kind == "cancelled" then
    return err
  elseif not is_outage(err) then
    return limiter_error(err)
  end
  local now = self.clock()
  self.news = self.shares:failed(now) and "away" or self.news
  self.retry_at, self.outage = now + self.times.retry, err
end

-- Notes what Redis told.
local function note_reply(self, who, reply, now)
  self.learned, self.asked[who.host] = reply[4], now
  self.hosts[who.host] = reply[5] > 0 and { bytes = reply[5], ends = now + reply[6] / 1000 } or nil
  self.news = self.shares:answered() and "back" or self.news
end

local function take_news(self)
  local news = self.news
  self.news = nil
  return news
end

-- --- claims ------------------------------------------------------------------------------------------------------

-- A place while Redis does not answer. Gives also the seconds until one is likely, where a look comes before.
local function claim_alone(self, who, rate, poll)
  local now = self.clock()
  local share = shares.of(rate, self.fleet or self.learned)
  if share < 1 and self.shares:away(now) > PATIENCE then
    return nil, limiter_error(self.outage), take_news(self)
  end
  local held = (self.holds[subject_of(who)] or now) - now
  local wait = math.max(held, self.shares:wait(who.host, share, poll, now))
  if wait <= 0 then
    self.shares:took(who.host, poll, now)
    return 0, nil, take_news(self)
  end
  return math.min(wait, self.times.retry), nil, take_news(self), wait
end

-- Seconds until a place, where Redis gave none.
local function wait_of(self, who, reply, poll, now)
  local subject = subject_of(who)
  if reply[1] >= 0 then
    local wait = reply[1] / 1000
    if not poll then
      self.full[subject] = now + wait
    end
    return math.max(wait, 0.001)
  end
  return math.max(0.001, math.min(reply[3] / 1000, self.shares:room(who.host, reply[2], false, now)))
end

--- Takes a place for a request, in one step, or says how long to wait before this is asked again.
---@param who scope3.LimiterSubject
---@param rate integer  requests a minute
---@param poll boolean?  it asks for a task
---@param _ number
---@param loop? scope3.Loop
---@return number? seconds  0 when it may go
---@return scope3.Error? err
---@return "away"|"back"|nil news  of Redis
---@return number? likely  seconds until a place, where a look comes before
function RedisLimits:claim(who, rate, poll, _, loop)
  local asked, subject = self.clock(), subject_of(who)
  if asked < (self.full[subject] or 0) then
    return self.full[subject] - asked
  end
  self.full[subject] = nil
  if self.shares:away(asked) and asked < self.retry_at then
    return claim_alone(self, who, rate, poll)
  end
  local reply, err = ask(self, who, loop, rate, poll, true)
  if not reply and not err then
    return about(BUSY)
  elseif not reply then
    err = note_failure(self, err)
    if err then
      return nil, err
    end
    return claim_alone(self, who, rate, poll)
  end
  local now = self.clock()
  note_reply(self, who, reply, now)
  if reply[1] ~= 0 then
    return wait_of(self, who, reply, poll, now), nil, take_news(self)
  elseif now - asked > CALL_SECONDS then
    return about(BUSY), nil, take_news(self) -- the place is too old to be used
  end
  self.shares:took(who.host, poll, now)
  return 0, nil, take_news(self)
end

--- The size that no body is to exceed; nil where nothing is known. Redis is asked where it told nothing for a minute.
---@param who scope3.LimiterSubject
---@param _ number
---@param loop? scope3.Loop
---@return number? bytes
function RedisLimits:size(who, _, loop)
  local now = self.clock()
  local told = self.asked[who.host]
  if loop and not self.shares:away(now) and (not told or now - told > SPAN) then
    local reply, err = ask(self, who, loop, 1, false, false)
    if reply then
      note_reply(self, who, reply, self.clock())
    elseif err then
      note_failure(self, err) -- the claim that follows tells
    end
  end
  local known = self.hosts[who.host]
  return known and self.clock() < known.ends and known.bytes or nil
end

return limits
