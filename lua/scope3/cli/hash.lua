--- `scope3 hash`: raw, normalised, hashed. The one place that prints values, because that is what was asked for.
local identity = require "scope3.identity"
local json = require "scope3.json"
local core = require "scope3.core"
local options = require "scope3.options"
local setting = require "scope3.cli.setting"
local text = require "scope3.cli.text"
local visible = require "scope3.visible"

local hash = {}

-- What becomes of a value: `why` is the repairs, or the reason where there is no hash.
local function look_at(kind, raw, opts)
  local found = { raw = raw, kind = kind }
  found.hash, found.why, found.text = identity[kind].hash(raw, opts)
  if found.hash and not core.hashed(raw) then
    local _
    found.normalized, _, found.steps = identity[kind].normalize(raw, opts)
  end
  return found
end

-- The steps that led there, for people.
local function explain(found)
  local lines = {}
  local function say(line)
    lines[#lines + 1] = "    " .. line
  end
  if not found.hash then
    say(("refused (%s): %s"):format(found.why, found.text))
    return lines
  end
  for _, repair in ipairs(found.why or {}) do
    say(("mended (%s): %s"):format(repair, core.repairs[repair]))
  end
  for _, step in ipairs(found.steps or {}) do
    say(step)
  end
  if found.normalized then
    say(found.kind == "email" and "trimmed, and lowercased as Unicode " .. core.unicode_version .. " has it; nothing else"
      or "validated as libphonenumber " .. core.phone_metadata_version .. " does; the leading + is part of what is hashed")
    if found.kind == "email" and found.normalized:find("[\128-\255]") then
      say("not of ASCII alone: who lowercases ASCII only, as UID2 and PAIR do, may have another hash of it")
    end
    say("hashed with SHA-256")
  else
    say("hashed already: written in lowercase, not hashed again")
  end
  return lines
end

-- The options of a kind, or nil and what is wrong with the arguments.
local function options_of(args)
  if args.kind == "email" then
    if args.region or args.phone_repairs then
      return nil, "--region and --phone-repairs are for phones"
    end
    return { mend = not args.no_mend }
  end
  local opts = { region = args.region, phone_repairs = text.names(args.phone_repairs) }
  local problem = options.problem(opts, identity.phone_options)
  if not problem and args.region and core.region(args.region) == nil then
    problem = "--region is not a country that is known: give its ISO code, such as US or USA, or its English name"
  end
  return not problem and opts or nil, problem
end

---@param args table
---@param exit table
---@return integer
function hash.main(args, exit)
  local values, failed, rows = args.value, false, {}
  local opts, problem = options_of(args)
  if not opts then
    setting.complain(problem)
    return exit.USAGE
  end
  if #values == 0 then
    for line in io.lines() do
      values[#values + 1] = (line:gsub("\r$", ""))
    end
  end
  for _, raw in ipairs(values) do
    local found = look_at(args.kind, raw, opts)
    failed = failed or not found.hash
    if args.json then
      print(visible.json(json.encode { raw = core.utf8_valid(raw) and raw or nil, normalized = found.normalized, hash = found.hash,
        repairs = found.hash and found.why or nil, reason = not found.hash and found.why or nil }))
    elseif args.explain then
      print(("%s  ->  %s  ->  %s"):format(text.visible(raw), found.normalized or "-", found.hash or "-"))
      print(table.concat(explain(found), "\n"))
    else
      rows[#rows + 1] = { text.visible(raw), found.normalized or (found.hash and "(hashed already)" or "-"), found.hash or found.text }
    end
  end
  if #rows > 0 then
    io.stdout:write(text.columns(rows))
  end
  return failed and exit.FAILED or exit.OK
end

return hash
