--- `scope3 hash`: raw, normalised, hashed. The one place that prints values, because that is what was asked for.
local identity = require "scope3.identity"
local json = require "scope3.util.json"
local output = require "scope3.cli.output"
local core = require "scope3.core"
local options = require "scope3.util.options"
local context = require "scope3.cli.context"
local text = require "scope3.cli.text"
local messages = require "scope3.cli.messages"

local hash = {}

-- The result for a value. `why` is the repairs; where there is no hash, it is the reason, and `text` its words.
local function look_at(kind, raw, opts)
  local found = { raw = raw, kind = kind }
  local why
  if kind == "id" then
    found.id, why = identity.external_id.normalize(raw, opts)
  else
    found.hash, why = identity[kind].hash(raw, opts)
  end
  if found.id or found.hash then
    found.why = why
  else
    found.why, found.text = why.code, why.message
  end
  if found.hash and not core.hashed(raw) then
    local _
    found.normalized, _, found.steps = identity[kind].normalize(raw, opts)
  end
  return found
end

local EMAIL_STEP = ("trimmed, and lowercased as Unicode %s has it; nothing else"):format(core.unicode_version)
local PHONE_STEP = ("validated as libphonenumber %s does; the leading + is part of what is hashed"):format(
  core.phone_metadata_version)

-- The steps from the value to its hash, for people.
local function explain(found)
  local lines = {}
  local function say(line)
    lines[#lines + 1] = "    " .. line
  end
  if not (found.hash or found.id) then
    say(("refused (%s): %s"):format(found.why, found.text))
    return lines
  end
  for _, repair in ipairs(found.why or {}) do
    say(("repaired (%s): %s"):format(repair, core.repairs[repair]))
  end
  for _, step in ipairs(found.steps or {}) do
    say(step)
  end
  if found.id then
    say("sent as the member's externalId")
  elseif found.normalized then
    say(found.kind == "email" and EMAIL_STEP or PHONE_STEP)
    if found.kind == "email" and found.normalized:find("[\128-\255]") then
      say("not of ASCII alone: who lowercases ASCII only, as UID2 and PAIR do, may have another hash of it")
    end
    say("hashed with SHA-256")
  else
    say("hashed already: written in lowercase, not hashed again")
  end
  return lines
end

local UNKNOWN_REGION = "--region is not a country that is known: "
  .. "give its ISO code, such as US or USA, or its English name"

-- Options that are checked by a schema and have a known region, or nil and what is wrong.
local function checked(opts, schema)
  local problem = options.problem(opts, schema)
  if not problem and opts.region and core.region(opts.region) == nil then
    problem = UNKNOWN_REGION
  end
  return not problem and opts or nil, problem
end

-- The options of a kind, or nil and what is wrong with the arguments.
local options_of = {}

function options_of.id(args)
  return checked({ repair = not args.no_repair, ids = args.ids, region = args.region,
    phone_repairs = text.names(args.phone_repairs) }, identity.options)
end

function options_of.email(args)
  if args.ids then
    return nil, "--ids is for ids"
  elseif args.region or args.phone_repairs then
    return nil, "--region and --phone-repairs are for phones"
  end
  return { repair = not args.no_repair }
end

function options_of.phone(args)
  if args.ids then
    return nil, "--ids is for ids"
  end
  return checked({ region = args.region, phone_repairs = text.names(args.phone_repairs) }, identity.phone_options)
end

-- The values of the arguments, or the lines of standard input; nil and why it cannot be read.
local function values_of(args)
  if #args.value > 0 then
    return args.value
  end
  local all, why = io.read("*a")
  if not all then
    return nil, tostring(why)
  end
  local values = {}
  for line in all:gmatch("[^\n]*\n?") do
    if line ~= "" then
      values[#values + 1] = (line:gsub("\r?\n?$", ""))
    end
  end
  return values
end

-- The object of --json for a value.
local function json_of(raw, found)
  local fine = found.hash or found.id
  return {
    raw = core.utf8_valid(raw) and raw or nil, normalized = found.normalized, hash = found.hash, id = found.id,
    repairs = fine and found.why or nil, reason = not fine and found.why or nil,
    error = fine and json.null
      or { kind = "invalid", code = found.why, message = found.text, status = json.null },
  }
end

-- The lines of --explain for a value.
local function explanation_of(raw, found)
  return ("%s  ->  %s  ->  %s\n%s\n"):format(text.visible(raw), found.normalized or "-",
    found.hash or found.id or "-", table.concat(explain(found), "\n"))
end

-- The row of the table for a value.
local function row_of(raw, found)
  if found.kind == "id" then
    return { text.visible(raw), found.id or found.text }
  end
  return { text.visible(raw), found.normalized or (found.hash and "(hashed already)" or "-"), found.hash or found.text }
end

-- Prints the values. Whether all could be hashed.
local function show(args, values, opts)
  local fine, rows = true, {}
  for _, raw in ipairs(values) do
    local found = look_at(args.kind, raw, opts)
    fine = fine and (found.hash or found.id) ~= nil
    if args.json then
      output.line(json_of(raw, found))
    elseif args.explain then
      output.say(explanation_of(raw, found))
    else
      rows[#rows + 1] = row_of(raw, found)
    end
  end
  if #rows > 0 then
    output.say(text.columns(rows))
  end
  return fine
end

---@param args table
---@param exit table
---@return integer
function hash.main(args, exit)
  local opts, problem = options_of[args.kind](args)
  if not opts then
    return context.wrong_usage(messages.problem(problem, args), exit)
  end
  local values, why = values_of(args)
  if not values then
    context.check_stop()
    context.fail("cannot read standard input: " .. why, "source")
    return exit.FAILED
  elseif #values == 0 then
    context.fail("standard input holds no value", "nothing")
    return exit.NOTHING
  end
  return show(args, values, opts) and exit.OK or exit.FAILED
end

return hash
