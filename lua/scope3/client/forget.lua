--- client:forget: removes people from every audience of the account, by a job for each audience.
---
--- One audience that fails does not keep the others from going: who is left in one should not stay in all. What is of
--- all of them ends it: a refused key, a stop, and a service that is away for two in a row.
local audience_of = require "scope3.audience"
local core = require "scope3.core"
local errors = require "scope3.error"
local forget_state = require "scope3.client.forget_state"
local guard = require "scope3.util.guard"
local identity = require "scope3.identity"
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local options = require "scope3.util.options"
local patterns = require "scope3.util.redact.patterns"
local plural = require "scope3.util.plural"
local preflight = require "scope3.api.preflight"
local sync = require "scope3.client.sync"
local validate = require "scope3.api.validate"
local visible = require "scope3.util.visible"
local wait = require "scope3.client.wait"

local forget = {}

---@class scope3.ForgottenAudience
---@field audience_id string
---@field name? string
---@field state "accepted"|"removed"|"would remove"|"failed"|"partly failed"|"partly sent"|"unknown"|"gone"|"not sent"
---@field accepted integer  ids whose removal the service accepted; beside a state also those of further members (id#2)
---@field failed integer  ids that were refused, or whose task failed
---@field unknown integer  ids that were sent and never answered
---@field not_sent integer  ids of requests that did not go
---@field processing? boolean  an earlier task was still under way
---@field tasks scope3.TaskEntry[]
---@field error? string

---@class scope3.RefusedId
---@field number integer  of its place in the list
---@field reason string

---@class scope3.Forgotten  what client:forget() came to; it names no id
---@field ids integer  that were to be forgotten, each once
---@field repeated integer  that were given again
---@field rejected table<string, integer>  that cannot be ids of members, by reason
---@field refused scope3.RefusedId[]  the first thousand of them
---@field listed boolean  whether all audiences of the account were found; nothing was sent where they were not
---@field audiences scope3.ForgottenAudience[]  in the order of their ids; none unless `listed`
---@field deleted integer  audiences that are deleted, and were passed over
---@field accepted integer  removals that the service accepted, over all audiences
---@field failed integer
---@field unknown integer
---@field not_sent integer
---@field state? scope3.ForgottenState  where the option `state` named one
---@field seconds number

local LISTED = 1000 -- refused ids that a result names
local LONGEST_WAIT = 48 * 3600 -- seconds; docs/contract.md section 3
local AWAY = { network = true, timeout = true }
local OF_ALL = { cancelled = true, limiter = true, cannot_wait = true, config = true, rate_limited = true }

-- The ids as they are sent, each once.
local function read_ids(given, opts, res)
  local reading, usable, seen = identity.reading(opts), {}, {}
  for number, raw in ipairs(options.ids(given)) do
    local id, reason = core.id_read(raw, reading.repair, reading.ids, reading.region, reading.phone_repairs)
    if not id then
      res.rejected[reason] = (res.rejected[reason] or 0) + 1
      res.refused[#res.refused + 1] = #res.refused < LISTED and { number = number, reason = reason } or nil
    elseif seen[id] then
      res.repeated = res.repeated + 1
    else
      seen[id] = true
      usable[#usable + 1] = id
    end
  end
  res.ids = #usable
  return usable
end

local function entry_of(row)
  return {
    audience_id = row.audience_id, name = row.name, state = "not sent", accepted = 0, failed = 0, unknown = 0,
    not_sent = 0, processing = row.status == "PROCESSING" or nil, tasks = json.array {},
  }
end

-- Fills in the account's audiences, or none of them. Gives why they cannot be listed.
local function list(client, res, limits)
  local next_row, found, deleted = listing.rows(client, limits), json.array {}, 0
  local row, err = next_row() -- called by hand: on Lua 5.1 an iterator of `for` cannot yield
  while row do
    if row.deleted then
      deleted = deleted + 1
    else
      found[#found + 1] = entry_of(row)
    end
    row, err = next_row()
  end
  if err then
    return errors.with(err, {
      message = "the account's audiences could not be listed, so nothing was sent: " .. err.message,
    })
  end
  table.sort(found, function(a, b)
    return core.before(a.audience_id, b.audience_id)
  end)
  res.listed, res.audiences, res.deleted = true, found, deleted
end

-- What is known of an audience, for a request: its name goes along, so that it stays. One that was redacted does not.
local function meta_of(entry)
  local issues, name = {}, entry.name
  validate.audience(issues, { id = "", name = name }, "")
  local is_whole = name and not name:find("@", 1, true) and not name:find(patterns.GONE, 1, true) and #issues == 1
  return { id = entry.audience_id, name = is_whole and name or nil }
end

-- Passes an event on with the audience that it is of.
local function telling(work, entry)
  return function(event)
    event.audience_id = event.audience_id or entry.audience_id
    work.on_event(event)
  end
end

-- Sends the removals for one audience.
local function send(work, entry)
  local audience, err = audience_of.new(meta_of(entry), work.reading)
  if not audience then
    return nil, err
  end
  for _, id in ipairs(work.ids) do
    local ok
    ok, err = audience:remove { external_id = id }
    if not ok then
      return nil, err
    end
  end
  return sync.send(work.client, { audience }, {
    timeout = work.opts.timeout, patience = work.opts.patience, cancel = work.cancel,
    deadline = work.limits.deadline and math.max(0.001, work.limits.deadline - work.client.loop.now()),
    on_event = telling(work, entry),
  }, true)
end

-- Members of a job that its requests did not take along. Its `failed` counts them with those that were refused.
local function not_sent(result)
  local members = 0
  for _, request in ipairs(result.requests) do
    members = members + (request.state == "not sent" and request.members or 0)
  end
  return members
end

-- Takes over what a job came to.
local function note(entry, result)
  entry.accepted, entry.unknown, entry.not_sent = result.accepted, result.unknown, not_sent(result)
  entry.failed = result.failed - entry.not_sent + result.rejected_by_service
  entry.tasks = json.array {}
  for i, task in ipairs(result.tasks) do
    entry.tasks[i] = task
  end
end

-- What an audience came to, after a job or a wait.
local function state_of(entry, sent)
  if entry.unknown > 0 then
    return "unknown"
  elseif entry.failed > 0 then
    return entry.accepted > 0 and "partly failed" or "failed"
  elseif entry.accepted == 0 then
    return "not sent"
  end
  return entry.not_sent > 0 and "partly sent" or sent
end

-- Whether an audience that the service does not know any more has left the list, too. A 404 alone may mean a key.
local function is_gone(work, entry, err)
  if err.status ~= 404 or entry.accepted + entry.unknown > 0 then
    return false
  end
  local row, why = listing.find(work.client, entry.audience_id, work.limits)
  return row and row.deleted == true or why ~= nil and why.kind == "not_found"
end

local function blame(work, entry, err)
  entry.error = err.message:gsub("^client:sync: ", "")
  work.first = work.first or { entry = entry, err = err }
end

-- Whether what failed for one audience ends it for all.
local function ends_all(work, err)
  local is_away = AWAY[err.kind] or err.status == 502 or err.status == 503 or err.status == 504
  work.away = is_away and work.away + 1 or 0
  return work.guard.fault ~= nil or OF_ALL[err.kind] or err.code == "callback_error" or err.status == 401
    or err.status == 402 or work.away > 1
    or work.limits.deadline ~= nil and work.client.loop.now() >= work.limits.deadline
end

-- Sends to one audience. Gives whether to go on.
local function treat(work, entry)
  local result, err = send(work, entry)
  result = result or err.result
  if result then
    note(entry, result)
  end
  if err and is_gone(work, entry, err) then
    entry.state, entry.failed, entry.not_sent = "gone", 0, 0
    return true
  end
  entry.state = state_of(entry, "accepted")
  if entry.accepted > 0 then
    work.results[entry] = result
  end
  if err then
    blame(work, entry, err)
    return not ends_all(work, err)
  elseif entry.failed > 0 then
    blame(work, entry, errors.new("http", "the service refused some of the ids"))
  end
  work.away = 0
  return true
end

-- Waits for the tasks of one audience.
local function follow(work, entry, result, ends)
  local left = math.max(0, ends - work.client.loop.now())
  local ok, err = work.client:follow(result, { timeout = left, patience = work.opts.patience, cancel = work.cancel,
    on_event = telling(work, entry), tasks_only = true })
  note(entry, result)
  entry.state = state_of(entry, ok and "removed" or "accepted")
  if not ok then
    blame(work, entry, err)
  end
  return ok or err.kind ~= "cancelled" and not work.guard.fault
end

local function follow_all(work, audiences)
  local ends = work.client.loop.now() + math.min(work.opts.wait, LONGEST_WAIT)
  for _, entry in ipairs(audiences) do
    local result = work.results[entry]
    if result and not follow(work, entry, result, ends) then
      return
    end
  end
end

local UNDONE = { failed = true, ["partly failed"] = true, unknown = true, ["partly sent"] = true, ["not sent"] = true }

-- The error of all: the first one, with how much is not done.
local function outcome(work, res)
  local undone = 0
  for _, entry in ipairs(res.audiences) do
    entry.not_sent = entry.state == "not sent" and #work.ids or entry.not_sent
    res.accepted, res.failed = res.accepted + entry.accepted, res.failed + entry.failed
    res.unknown, res.not_sent = res.unknown + entry.unknown, res.not_sent + entry.not_sent
    local is_awaited = entry.state == "accepted" and work.opts.wait ~= nil
    undone = undone + ((UNDONE[entry.state] or is_awaited) and 1 or 0)
  end
  if work.guard.fault then
    return errors.with(work.guard.fault, { result = res })
  elseif work.first then
    local err, of = work.first.err, visible.text(work.first.entry.audience_id)
    return errors.with(err, { result = res, message = ("%d of %s not done; the first, %s: %s"):format(undone,
      plural.of(#res.audiences, "audience") .. plural.words(undone, " is", " are"), of, err.message) })
  elseif #res.refused > 0 then
    return errors.new("invalid", "ids were refused, so who they are of was not forgotten", { code = "ids_refused",
      result = res })
  end
end

local function run(work, res)
  local err = list(work.client, res, work.limits)
  if err then
    return work.guard.fault or err
  end
  err = work.erasure and forget_state.note(work, res)
  if err then
    return err
  end
  for _, entry in ipairs(res.audiences) do
    if work.opts.dry_run then
      entry.state = "would remove"
    elseif work.cancel() then
      work.first = work.first or { entry = entry, err = errors.new("cancelled", "stopped before everything was sent") }
      break
    elseif not treat(work, entry) then
      break
    end
  end
  if work.opts.wait and not (work.first and work.first.err.kind == "cancelled") then
    follow_all(work, res.audiences)
  end
end

-- All of it: the error, with what it came to.
local function carry_out(work, res)
  local err = run(work, res) or outcome(work, res)
  if work.erasure then
    err = forget_state.worse(err, forget_state.finish(work, res))
  end
  return err and errors.with(err, { result = res })
end

-- The same with a state, which is open meanwhile.
local function carry_out_beside(work, res)
  local err
  work.erasure, err = forget_state.open(work.client, work.opts, work.ids, res)
  if not work.erasure then
    return errors.with(err, { result = res })
  end
  work.ids = work.erasure.list
  return forget_state.close(work.erasure, guard.call(carry_out, work, res))
end

-- The callbacks, which raise no more. After one has raised, all stops.
local function callbacks(client, opts)
  local own = guard.new()
  local asked = own:wrap("cancel", opts.cancel)
  return own, function()
    return own.fault ~= nil or asked ~= nil and asked() and true or own.fault ~= nil
  end, own:wrap("on_event", opts.on_event or client.on_event)
end

--- An option that would have no effect, as a sentence.
---@param opts scope3.ForgetOptions
---@return string?
function forget.ineffective(opts)
  for _, key in ipairs { "wait", "timeout" } do
    if opts.dry_run and opts[key] ~= nil then
      return key .. " has no effect on a dry run, which sends nothing"
    end
  end
  if opts.phone_repairs ~= nil and opts.ids ~= "hash" then
    return 'phone_repairs has no effect unless ids is "hash"'
  elseif opts.region ~= nil and opts.ids == "as_is" then
    return "region has no effect where ids go as they are"
  end
end

--- Removes people from every audience.
---@param client scope3.Client
---@param ids (string|integer)[]
---@param opts scope3.ForgetOptions  of the right types
---@return scope3.Forgotten?
---@return scope3.Error? err
function forget.run(client, ids, opts)
  local issues, began = {}, client.loop.now()
  validate.options(issues, opts)
  local lacks = #issues == 0 and preflight.lacks(client) or nil
  if #issues > 0 or lacks then
    return nil, lacks or errors.invalid("client:forget", issues)
  end
  local res = { ids = 0, repeated = 0, rejected = {}, refused = json.array {}, audiences = json.array {}, deleted = 0,
    listed = false, accepted = 0, failed = 0, unknown = 0, not_sent = 0, seconds = 0 }
  local usable = read_ids(ids, opts, res)
  if #usable == 0 then
    return nil, errors.new("invalid", #ids == 0 and "there are no ids" or "no id can be that of a member",
      { code = "no_ids", result = res })
  end
  local own, cancel, on_event = callbacks(client, opts)
  local limits = wait.limits(client, { cancel = cancel, deadline = opts.deadline })
  limits.patience = opts.patience
  local work = { client = client, opts = opts, ids = usable, guard = own, cancel = cancel, on_event = on_event,
    limits = limits, results = {}, away = 0, now = core.time,
    reading = { repair = opts.repair, ids = opts.ids, region = opts.region, phone_repairs = opts.phone_repairs } }
  local err = (opts.state and carry_out_beside or carry_out)(work, res)
  res.seconds = client.loop.now() - began
  if err then
    return nil, err
  end
  return res
end

return forget
