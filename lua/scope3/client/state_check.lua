--- What a job with a state cannot do, and what needs one.
local state_check = {}

-- Options that a state makes useless, and why.
local USELESS = {
  { "journal", "a state is the journal of its job, too: leave journal out" },
  { "unique", "of one id the last row counts anyway" },
  { "in_doubt_timeout", "what may still be carried out waits for another night" },
  { "delete_missing", "a state is of the audiences that its job names" },
  { "delete_timeout", "a state is of the audiences that its job names" },
}

-- Options that need a state.
local OF_STATE = { "refresh_after", "full", "max_removed", "remove_rejected", "allow_empty" }

-- Of them, those that say who is sent, or who leaves.
local OF_SENDING = { "refresh_after", "full" }
local OF_MIRROR = { "max_removed", "remove_rejected", "allow_empty" }

-- Options that the mode of a job with a state makes useless.
local function beside_mode(opts, script)
  for _, key in ipairs(opts.mode ~= "mirror" and OF_MIRROR or {}) do
    if opts[key] ~= nil then
      return key .. ' has no effect unless mode is "mirror" (--mirror): nobody leaves'
    end
  end
  for _, key in ipairs(opts.mode == "remove" and OF_SENDING or {}) do
    -- What a script says that was written for adding does no harm where it is used for removing.
    if opts[key] ~= nil and (script[key] == nil or script.mode == "remove") then
      return key .. ' has no effect where mode is "remove": nobody is sent'
    end
  end
end

local function without_state(opts, script)
  if script.audiences then
    return 'a script with audiences needs a state, which says what the service has: state = "customers.state" '
      .. "(--state FILE)"
  end
  if opts.mode == "mirror" then
    return 'mode: "mirror" needs a state, which says what the service has: state = "customers.state" (--state FILE)'
  end
  for _, key in ipairs(OF_STATE) do
    if opts[key] ~= nil then
      return key .. " has no effect without a state (--state FILE)"
    end
  end
end

--- What is wrong with the options of a job that has a state, or lacks one.
---@param opts table  the script's and the caller's together
---@param script scope3.Script
---@return string?
function state_check.problem(opts, script)
  if not opts.state then
    return without_state(opts, script)
  elseif opts.state == "" then
    return "state must be the path of a file, not an empty string"
  elseif not (script.map or script.prepared) then
    return "state needs a script with a map: what member() gives cannot be compared before it is built"
  end
  for _, one in ipairs(USELESS) do
    if opts[one[1]] then
      return ("%s has no effect beside state: %s"):format(one[1], one[2])
    end
  end
  return beside_mode(opts, script)
end

return state_check
