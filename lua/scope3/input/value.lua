--- Reads numbers and yes or no from texts of a file as conditions do, for `where` and `member` functions. The locale
--- does not matter.
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local json = require "scope3.util.json"
local options = require "scope3.util.options"

local value = {}

---@class scope3.NumberOptions
---@field decimal? "."|","  the decimal mark; with it currencies, per cent signs and parted thousands may stand in the
---  text

local OPTIONS = { decimal = { ".", "," } }

--- The number that a text says, nil where it says none. tonumber() depends on the process, and takes 0x10 and inf.
---
---     scope3.number("€ 1.234,50", { decimal = "," }) --> 1234.5
---
---@param text string|number|nil  a number comes back as it is
---@param opts? scope3.NumberOptions
---@return number?
function value.number(text, opts)
  local decimal = opts ~= nil and options.check("scope3.number", opts, OPTIONS, 2).decimal or nil
  if type(text) == "string" then
    return core.number(text, decimal)
  elseif text ~= nil and text ~= json.null and type(text) ~= "number" then
    error("scope3.number: " .. arguments.problem("text", "a string or a number", text), 2)
  end
  return type(text) == "number" and text or nil
end

--- Whether a value says yes: true for yes, true, 1, ja and such words; false for no, false, 0, nein and such; nil
--- for anything else. A text such as "false" or "no" is true to Lua.
---@param said any  a text, a boolean, or a number
---@return boolean?
function value.yes(said)
  if type(said) == "string" then
    return core.yes(said)
  elseif said == true or said == 1 then
    return true
  elseif said == false or said == 0 then
    return false
  end
end

return value
