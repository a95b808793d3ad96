--- Emails, phones and universal ids, one value at a time (docs/contract.md section 7).
local core = require "scope3.core"

local identity = {}

local function check_text(name, value)
  if type(value) ~= "string" then
    error(("%s: the value must be a string, not a %s"):format(name, type(value)), 3)
  end
end

-- The three functions of a kind that is normalised and then hashed.
local function hashed_kind(name, normalize)
  local kind = {}

  --- The form that is hashed.
  ---@param raw string
  ---@return string? normal
  ---@return string? reason  a key of the list of reasons, such as "email_no_at"
  ---@return string? text  the same for people
  function kind.normalize(raw)
    check_text(name .. ".normalize", raw)
    return normalize(raw)
  end

  --- What is sent: 64 lowercase hex digits. A value that is a SHA-256 already is never hashed again.
  ---@param raw string
  ---@return string? hash
  ---@return string? reason
  ---@return string? text
  function kind.hash(raw)
    check_text(name .. ".hash", raw)
    local already, reason, text = core.hashed(raw)
    if already or reason then
      return already, reason, text
    end
    local normal
    normal, reason, text = normalize(raw)
    if not normal then
      return nil, reason, text
    end
    return core.sha256(normal)
  end

  --- Whether a value can be used, raw or hashed already.
  ---@param raw string
  ---@return true?
  ---@return string? reason
  ---@return string? text
  function kind.check(raw)
    check_text(name .. ".check", raw)
    local hash, reason, text = kind.hash(raw)
    if not hash then
      return nil, reason, text
    end
    return true
  end

  return kind
end

identity.email = hashed_kind("scope3.email", core.email_normalize)
identity.phone = hashed_kind("scope3.phone", core.phone_normalize)

identity.uid = {}

--- Whether a universal id can be sent. It goes as it is: never hashed, never case-folded.
---@param type_ string  such as "uid2"
---@param value string
---@return true?
---@return string? reason
---@return string? text
function identity.uid.check(type_, value)
  check_text("scope3.uid.check", type_)
  check_text("scope3.uid.check", value)
  return core.uid_check(type_, value)
end

return identity
