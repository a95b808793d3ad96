--- The options of the command that go with a state: --state, --mirror and those that say how.
local core = require "scope3.core"

local state_args = {}

local UNITS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }

-- Seconds of a word such as 30d, 12h or 3600; nil where it is none.
local function seconds_of(word)
  -- pattern: a word of the command line
  local number, unit = word:match("^(%d+%.?%d*)([smhdw]?)$")
  number = number and core.number(number)
  return number and number * UNITS[unit ~= "" and unit or "s"] or nil
end

-- The share of a word such as 50%; nil where it is none.
local function share_of(word)
  -- pattern: a word of the command line
  local percent = core.number(word:match("^(%d+%.?%d*)%%$") or "")
  return percent and percent <= 100 and percent / 100 or nil
end

local WITHOUT_STATE = { "mirror", "full", "refresh_after", "max_removed", "remove_rejected" }
local OF_MIRROR = { "max_removed", "remove_rejected" }
local OF_SENDING = { "full", "refresh_after" }
local USELESS = { "journal", "unique", "delete_missing", "in_doubt_timeout" }

local function option(key)
  return "--" .. key:gsub("_", "-")
end

local function malformed(args)
  if args.refresh_after and not seconds_of(args.refresh_after) then
    return "--refresh-after takes a time such as 30d, 12h or a number of seconds"
  elseif args.max_removed and not share_of(args.max_removed) then
    return "--max-removed takes a share of the members, such as 50%"
  end
end

-- Options that have no effect with a state, or without one.
local function ineffective(args)
  for _, key in ipairs(args.state and USELESS or WITHOUT_STATE) do
    if args[key] and args.state then
      return ("%s has no effect with --state"):format(option(key))
    elseif args[key] then
      return ("%s needs --state FILE, which keeps what the service has"):format(option(key))
    end
  end
  if args.state and args.sandbox and not args.dry_run then
    return "--state has no effect with --sandbox, which ends with the command. "
      .. "One that stays: scope3 sandbox, and --base-url with the address that it prints"
  end
end

-- What is wrong with those of a mirror.
local function mirror_problem(args, is_mirror)
  if args.mirror and args.mode then
    return "--mirror and --mode contradict each other"
  elseif is_mirror and not args.state then
    return "a mirror needs --state FILE, which keeps what the service has"
  end
  for _, key in ipairs(OF_MIRROR) do
    if args[key] and not is_mirror then
      return ("%s has no effect without --mirror: nobody leaves"):format(option(key))
    end
  end
end

-- What is wrong with those of a job that removes: nobody is sent.
local function removal_problem(args)
  if args.exclude and args.exclude[1] then
    return "--exclude has no effect on a job that removes: nobody is sent"
  end
  for _, key in ipairs(args.state and OF_SENDING or {}) do
    if args[key] then
      return ("%s has no effect on a job that removes: nobody is sent"):format(option(key))
    end
  end
end

--- What is wrong with these options, alone or together, or nil.
---@param args table
---@param mode? string  of the script or the arguments
---@return string?
function state_args.problem(args, mode)
  return mode == "remove" and removal_problem(args) or ineffective(args)
    or mirror_problem(args, args.mirror or mode == "mirror") or malformed(args)
end

--- Takes the options over into those of the job.
---@param args table  without a problem
---@param opts table
function state_args.apply(args, opts)
  opts.mode = args.mirror and "mirror" or args.mode
  opts.refresh_after = args.refresh_after and seconds_of(args.refresh_after)
  opts.max_removed = args.max_removed and share_of(args.max_removed)
  opts.remove_rejected = args.remove_rejected
end

return state_args
