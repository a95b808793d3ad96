--- The first line of a job's journal: what must be the same when the job is resumed, apart from the rows.
local core = require "scope3.core"
local dialect = require "scope3.input.dialect"
local entries = require "scope3.util.entries"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local script_options = require "scope3.input.script_options"
local source = require "scope3.input.source"

local journal_header = {}

--- An option that says how rows become members, as the header has it: a default and its absence are the same.
---@param key string
---@param value any
---@return any
function journal_header.noted(key, value)
  if key == "repair" then
    value = value ~= false
  elseif key == "ids" then
    value = value or "refuse"
  elseif dialect.OPTIONS[key] then
    value = dialect.noted(key, value)
  elseif type(value) == "table" then
    value = table.concat(value, ",")
  end
  return value == nil and "" or value
end

--- Where the members go, what is said of their audience, and how rows become members. A run may have its own
--- callbacks, limits of time, and audiences to delete at the end.
---@param context scope3.Context
---@param audience {id: string, name: string?, consent_basis: string?}
---@param opts table  checked options of the job
---@param given scope3.Script
---@return table
function journal_header.of(context, audience, opts, given)
  local header = {
    service = context.base, account = context.account_id,
    audience = audience.id, name = audience.name or "", consent_basis = audience.consent_basis or "",
    max_members = opts.max_members, max_bytes = opts.max_bytes, mode = opts.mode or "upsert",
    by = given.prepared and "prepared" or given.map and "map" or "member",
    epochs = opts.unique == true or (opts.concurrency or 1) > 1,
    identity = identity.version, exclude = opts.exclude and true or nil,
  }
  for key in entries(script_options.READING) do
    header[key] = journal_header.noted(key, opts[key])
  end
  return header
end

-- What needs an input that can be read again.
local REASONS = {
  journal = { "only files can be resumed, not iterators and readers", "so the job could not be resumed" },
  state = { "only files can be compared with a state, not iterators and readers", "and a state needs that" },
}

--- Whether an input can be read again, which resuming a job needs.
---@param input any  a source, an iterator or paths
---@param what? "journal"|"state"  the option that needs it
---@return true?
---@return scope3.Error? err
function journal_header.check_input(input, what)
  what = what or "journal"
  local reason = REASONS[what]
  if type(input) ~= "table" or source.is(input) then
    return nil, errors.new("invalid", ("%s: %s"):format(what, reason[1]), { code = "no_file" })
  end
  for _, path in ipairs(input) do
    local kind = core.file_kind(path)
    if path == "-" or kind and kind ~= "file" then
      return nil, errors.new("invalid",
        ("%s: %s cannot be read again, %s; save it to a file first"):format(what,
        path == "-" and "standard input" or ("%s is a %s, which"):format(path, kind), reason[2]),
        { code = "no_file" })
    end
  end
  return true
end

return journal_header
