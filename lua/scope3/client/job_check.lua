--- What is looked at before a job sends anything.
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"
local ineffective = require "scope3.input.ineffective"
local options = require "scope3.util.options"
local preflight = require "scope3.api.preflight"
local request = require "scope3.api.request"
local validate = require "scope3.api.validate"

local job_check = {}

local DEFAULT_MAX_MEMBERS, DEFAULT_MAX_BYTES = 100000, 67108864 -- whole numbers, which are written into keys
local ROOM = 1024 -- bytes for at least one member

--- An option that would have no effect, as a sentence.
---@param opts table  what the caller gave
---@param script? scope3.Script
---@param merged? table  the options of the script and the caller together, where there is a script
---@return string?
function job_check.ineffective(opts, script, merged)
  local name, why = ineffective.in_dry_run(opts, script)
  if not name then
    name, why = ineffective.without_deletion(merged or opts)
  end
  if not name and merged and merged.exclude and merged.mode == "remove" then
    name, why = "exclude", 'has no effect where mode is "remove": nobody is sent'
  end
  return name and name .. " " .. why
end

-- The options of a job with their defaults, and callbacks that cannot raise.
local function with_defaults(opts, client_event)
  local callbacks = guard.new()
  local checked = {
    guard = callbacks, delete_missing = options.ids(opts.delete_missing),
    on_event = callbacks:wrap("on_event", opts.on_event or client_event),
    on_reject = callbacks:wrap("on_reject", opts.on_reject), cancel = callbacks:wrap("cancel", opts.cancel),
    max_members = opts.max_members or DEFAULT_MAX_MEMBERS, max_bytes = opts.max_bytes or DEFAULT_MAX_BYTES,
  }
  for name, value in entries(opts) do
    if checked[name] == nil then
      checked[name] = value
    end
  end
  return checked
end

-- Adds what is wrong with an audience, or with the room that its name leaves.
local function check_audience(issues, audience, path, opts)
  local before = #issues
  validate.audience(issues, audience, path)
  local taken = #issues == before and request.frame(opts.push_notification_config) + request.overhead(audience)
  if taken and taken + ROOM > opts.max_bytes then
    issues[#issues + 1] = { path = "max_bytes",
      message = "leaves no room for members beside the audience's name and the callback" }
  end
end

-- Adds that the names of all audiences leave no room, where all may go in one request.
local function check_room(issues, audiences, opts)
  local taken, before = request.frame(opts.push_notification_config), #issues
  for _, audience in ipairs(before == 0 and audiences or {}) do
    taken = taken + request.overhead(audience)
  end
  if taken + ROOM > opts.max_bytes then
    issues[#issues + 1] = { path = "max_bytes",
      message = "leaves no room for members beside the names of all audiences and the callback" }
  end
end

--- Checks the options and audiences of a job, and whether the client can send.
---@param client scope3.Client
---@param what string  the function, for messages
---@param opts table  of the right types
---@param audiences {id: string, name: string?, consent_basis: string?}[]
---@return table? opts  with defaults; `guard` holds what a callback raised
---@return scope3.Error? err  kind "invalid" lists every problem
function job_check.check(client, what, opts, audiences)
  local issues, checked = {}, with_defaults(opts, client.on_event)
  validate.options(issues, opts)
  if opts.push_notification_config then
    validate.push_notification_config(issues, opts.push_notification_config)
  end
  for i, audience in ipairs(audiences) do
    check_audience(issues, audience, #audiences == 1 and "audience" or ("audiences[%d]"):format(i), checked)
  end
  if opts.state and #audiences > 1 then
    check_room(issues, audiences, checked)
  end
  local missing = not opts.dry_run and preflight.lacks(client) or nil
  if missing and not missing.issues then
    return nil, missing
  end
  for _, issue in ipairs(missing and missing.issues or {}) do
    issues[#issues + 1] = issue
  end
  if #issues > 0 then
    return nil, errors.invalid(what, issues)
  end
  return checked
end

return job_check
