--- A state beside client:forget: those who were removed leave it, too.
local context = require "scope3.job.context"
local errors = require "scope3.error"

local forget_state = {}

---@class scope3.ForgottenState  what became of a state
---@field people integer  of those who were to be forgotten, how many it had
---@field erased integer  how many left it

--- Opens the state of a call. Of a dry run it says how many it has.
---@param client scope3.Client
---@param opts scope3.ForgetOptions
---@param ids string[]  as they are sent
---@param res scope3.Forgotten
---@return scope3.StateErasure?
---@return scope3.Error? err
function forget_state.open(client, opts, ids, res)
  local erasure, err = require("scope3.mirror.erase").open(opts.state,
    { service = client.base, account = tostring(client.account_id) }, ids, { dry_run = opts.dry_run })
  if not erasure then
    return nil, err
  end
  res.state = { people = 0, erased = 0 }
  return erasure
end

-- Asks what became of requests that nights left open. Before the first removal goes: a request that ends after it may
-- put somebody back. Where the service does not say, they stay open. Gives what the state failed by.
local function settle(work)
  local kept = work.erasure.kept
  local chunks, err = kept:open_chunks()
  if not chunks then
    return err
  end
  local settled, why = require("scope3.job.earlier_requests").settle(context.of(work.client), kept, chunks, work.limits,
    work.on_event)
  return not settled and why.kind == "journal" and why or nil
end

--- Before the first request: notes that those people may be anywhere. Of a dry run it only counts them.
---@param work table
---@param res scope3.Forgotten
---@return scope3.Error?
function forget_state.note(work, res)
  local n
  local err = not work.opts.dry_run and settle(work) or nil
  if err then
    return err
  elseif work.opts.dry_run then
    n, err = work.erasure:count()
  else
    n, err = work.erasure:note(work.now())
  end
  res.state.people = n or 0
  return not n and err or nil
end

-- Whether all of them are out of all audiences.
local function is_removed(work, res)
  for _, entry in ipairs(res.audiences) do
    if entry.state ~= "gone" and (entry.state ~= "removed" or entry.failed + entry.unknown + entry.not_sent > 0) then
      return false
    end
  end
  return res.listed and not work.opts.dry_run
end

--- At the end: takes them out of the state where they were removed, and leaves them there where that is not known.
---@param work table
---@param res scope3.Forgotten
---@return scope3.Error?
function forget_state.finish(work, res)
  local err, erased, _
  if is_removed(work, res) then
    erased, err = work.erasure:erase(work.now(), res.state.people)
    res.state.erased = erased or 0
  else
    _, err = work.erasure:leave(work.now())
  end
  return err
end

--- Closes the state, whatever happened, and gives what the call gives.
---@param erasure scope3.StateErasure
---@param ok boolean
---@param ... any
---@return any
function forget_state.close(erasure, ok, ...)
  erasure:close()
  if not ok then
    error(select(1, ...), 0) -- the reason is in scope3.util.time
  end
  return ...
end

--- The error of both: that of the service comes first.
---@param err scope3.Error?
---@param of_state scope3.Error?
---@return scope3.Error?
function forget_state.worse(err, of_state)
  if err and of_state then
    return errors.with(err, { message = err.message .. "; and " .. of_state.message })
  end
  return err or of_state
end

return forget_state
