--- One night of a state: what of an export's rows has to be sent, and who leaves. A thin layer over the core's night,
--- which knows no database; it sends nothing and asks nobody.
local core = require "scope3.core"
local errors = require "scope3.error"
local folding = require "scope3.mirror.folding"
local protocol = require "scope3.mirror.protocol"

---@class scope3.Night
---@field core table  core.mirror.night: rows come in by builder:survey(), candidates go out by builder:build()
---@field private store scope3.MirrorStore
---@field private own_chunks scope3.StateChunk[]  that are not folded
local Night = {}
Night.__index = Night

local night = {}

---@class scope3.NightOptions
---@field mode "mirror"|"upsert"|"remove"
---@field version string  all that makes a member of a row's cells: other rules make others of the same
---@field members? integer  that a row may give (1)
---@field since? number  second since 1970: what was last accepted before is sent anew
---@field full? boolean  all is sent anew
---@field cipher? table  of scope3.crypto: lets it keep rows

local EVERYTHING = 4294967295 -- a night that never comes

-- The night from which on what was accepted is recent enough.
local function refresh_of(store, since, full)
  if full or not since then
    return full and EVERYTHING or 0
  end
  local runs, err = store:runs()
  if not runs then
    return nil, err
  end
  -- From the last one back: a night that a wrong clock dated years ahead must not make all after it recent.
  for i = #runs, 1, -1 do
    if runs[i].began < since then
      return runs[i].n + 1
    end
  end
  return 0
end

--- The error of a call of the core on what a night holds.
---@param message any
---@param code? string
---@return scope3.Error
function night.failure(message, code)
  if code == "damaged" then
    return errors.new("journal", "the state is damaged, so it cannot say what was sent. Bring it back from a copy, "
      .. "and send all once (full, --full); or name another state, and every row is sent again", { code = "damaged" })
  end
  return errors.new("journal", "the night cannot be worked out: " .. tostring(message), { code = code or "unusable" })
end

--- Begins one.
---@param store scope3.MirrorStore  without a fold that was begun
---@param opts scope3.NightOptions
---@return scope3.Night?
---@return scope3.Error? err
function night.new(store, opts)
  local refresh, err = refresh_of(store, opts.since, opts.full)
  if not refresh then
    return nil, err
  end
  local made, message, code = core.mirror.night {
    key = store.key, parts = store.parts, audiences = store.audiences, version = opts.version, mode = opts.mode,
    refresh = refresh, members = opts.members, cipher = opts.cipher,
  }
  if not made then
    return nil, night.failure(message, code)
  end
  return setmetatable({ store = store, core = made }, Night)
end

--- Frees what it holds. Idempotent.
function Night:close()
  self.core:close()
end

--- Has also those built who stay as before, because the builder knows who is excluded. Before compare().
---@return true?
---@return scope3.Error? err
function Night:look_at_all()
  local ok, message, code = self.core:look_at_all()
  return ok, not ok and night.failure(message, code) or nil
end

-- What became of the operations of a chunk, and which of those that are open may go again, exactly as they were: no
-- task is known that will carry them out.
local function outcomes_of(chunk)
  local ranges = folding.outcomes(chunk)
  local known = { count = folding.count(chunk), tries = chunk.tries }
  for _, range in ipairs(ranges) do
    range.again = range.outcome == "open" and protocol.may_go(known, range, false) or nil
  end
  return ranges
end

-- Gives the core what is not folded yet.
local function give_chunks(self)
  local chunks, err = self.store:open_chunks()
  if not chunks then
    return nil, err
  end
  for _, chunk in ipairs(chunks) do
    local shown, ok, message, code
    shown, err = self.store:show_chunk(chunk.n, function(blob)
      ok, message, code = self.core:chunk(blob, outcomes_of(chunk), chunk.n)
    end)
    if not shown then
      return nil, err
    elseif not ok then
      return nil, night.failure(message, code)
    end
  end
  return true
end

--- Compares what came in with what the state has.
---@param pause fun(): scope3.Error?  called now and then; an error ends it
---@return true?
---@return scope3.Error? err
function Night:compare(pause)
  local ok, err = give_chunks(self)
  if not ok then
    return nil, err
  end
  for k = 0, self.store.parts - 1 do
    local merged, message, code
    ok, err = self.store:show(k, function(members)
      merged, message, code = self.core:merge(k, members)
    end)
    if not ok then
      return nil, err
    elseif not merged then
      return nil, night.failure(message, code)
    end
    err = pause()
    if err then
      return nil, err
    end
  end
  return true
end

--- Writes down what time has decided of requests that had no end: what a clock says later does not open them again.
---@param store scope3.MirrorStore
---@param chunks scope3.StateChunk[]
---@param now number  second since 1970
---@return true?
---@return scope3.Error? err
function night.settle(store, chunks, now)
  for _, chunk in ipairs(chunks) do
    for _, try in ipairs(protocol.settled(chunk, now)) do
      local ok, err = store:ended(try.run, try.request, "unknown", now)
      if not ok then
        return nil, err
      end
    end
  end
  return true
end

return night
