--- Values as a person may see them: their form, and not whose they are. No whole value is shown.
local core = require "scope3.core"

local mask = {}

local LONGEST = 20 -- characters of a form
local CHARACTER = "[%z\1-\127\194-\244][\128-\191]*"

local ELLIPSIS = "…"

local function first_of(text)
  return text:match("^[%z\1-\127\194-\244][\128-\191]*") or ""
end

--- "jane.doe@example.com" -> "j…@e….com"
---@param email string  as it is normalised
---@return string
function mask.email(email)
  local name, domain, ending = email:match("^([^@]*)@(.*)%.([^.]*)$")
  return ("%s…@%s….%s"):format(#name > 1 and first_of(name) or "", first_of(domain), ending)
end

--- "+442079460905" -> "+44 2… 05"
---@param phone string  E.164
---@return string
function mask.phone(phone)
  return ("%s %s… %s"):format(phone:sub(1, 3), phone:sub(4, 4), phone:sub(-2))
end

--- A hash by its first digits.
---@param hash string  64 hex digits
---@return string
function mask.hash(hash)
  return hash:sub(1, 6) .. ELLIPSIS
end

--- An id by its ends, where it is long enough for that.
---@param id string
---@return string
function mask.id(id)
  if #id < 6 or id:find("[^\32-\126]") then
    return first_of(id) .. ELLIPSIS
  end
  return first_of(id) .. ELLIPSIS .. id:sub(-2)
end

local function form_of(character)
  if character:find("^[0-9]$") then
    return "9"
  elseif character:find("^[a-z]$") or #character > 1 then
    return "a"
  elseif character:find("^[A-Z]$") then
    return "A"
  elseif character:find("^[%z\1-\31\127-\255]$") then
    return "?"
  end
  return nil
end

--- The form of any other text: "C10001" -> "A99999", "Köln, 5" -> "Aaaa, 9".
---@param text string
---@return string
function mask.form(text)
  if not core.utf8_valid(text) then
    text = text:gsub("[\128-\255]", "?")
  end
  local form, count = text:sub(1, 4 * LONGEST):gsub(CHARACTER, form_of)
  if count > LONGEST or #text > 4 * LONGEST then
    return form:sub(1, LONGEST) .. ELLIPSIS
  end
  return form
end

--- The mask of a value of any kind, by what it is.
---@param text string
---@return string
function mask.value(text)
  if text:find("@", 1, true) then
    local email = core.email_normalize(text, true)
    if email then
      return mask.email(email)
    end
  end
  local hash = core.hashed(text)
  if hash then
    return mask.hash(hash)
  end
  local phone = text:find("^[ \t]*%+") and core.phone_normalize(text)
  return phone and mask.phone(phone) or mask.form(text)
end

return mask
