--- The API key: a text, or a function that gives it before each request. It is kept in closures, so that a client that
--- is printed or dumped does not show it.
local core = require "scope3.core"
local errors = require "scope3.error"
local guard = require "scope3.util.guard"

local key = {}

local REMEMBERED = 16 -- keys that a function gave: replies to requests with earlier ones may still come

--- What is wrong with a key.
---@param text string
---@return string?
function key.problem(text)
  if text == "" or text:find("[^!-~]") then
    return "holds a space, a line end or a character outside ASCII"
  elseif text:find("^%$[a-z]+://") or text:find("^{vault://") then
    return "is a reference of a gateway ($secret://, $env://, {vault://) that nobody has resolved"
  elseif text:find '^".*"$' or text:find "^'.*'$" then
    return "stands in quotes: leave them out, as not every reader of such a file takes them away"
  elseif text:find("^SCOPE3_API_KEY=") then
    return "begins with SCOPE3_API_KEY=: give only what stands behind it"
  end
end

---@class scope3.Key
---@field changes boolean  a function gives it
---@field ready fun(): true?, scope3.Error?  calls the function where that was never done, so that the name is known
---@field ask fun(): string?, scope3.Error?  the key for a request
---@field given fun(): string|string[]|nil  what texts must not show: the key, or the latest that the function gave
---@field name fun(): string  stands for the key in a limiter's store, which others may read

local function name_of(text)
  return core.sha256(text or ""):sub(1, 16)
end

local function constant(text)
  local name = name_of(text)
  return {
    changes = false,
    ready = function()
      return true
    end,
    ask = function()
      return text
    end,
    given = function()
      return text
    end,
    name = function()
      return name
    end,
  }
end

-- What the function said is not repeated: it may hold a key or a password.
local function no_key(why)
  return nil, errors.new("config", "api_key, a function, gave no key: it " .. why, { code = "api_key" })
end

-- Calls the function that gives the key.
local function call(give)
  local ok, text = guard.call(give)
  if not ok then
    return no_key "raised an error, whose text is not repeated"
  elseif text == nil then
    return no_key "returned nil; why is not repeated"
  elseif type(text) ~= "string" then
    return no_key("returned a " .. type(text))
  end
  local problem = key.problem(text)
  if problem then
    return no_key("returned what " .. problem)
  end
  return text
end

-- Puts a key at the end of the list.
local function remember(given, text)
  for i, other in ipairs(given) do
    if other == text then
      table.remove(given, i)
      break
    end
  end
  given[#given + 1] = text
  if #given > REMEMBERED then
    table.remove(given, 1)
  end
end

--- Makes a key.
---@param value string|(fun(): string?, any)|nil  the key, or a function that gives it
---@return scope3.Key
function key.new(value)
  if type(value) ~= "function" then
    return constant(value)
  end
  local given, name = {}, name_of(nil)
  local first -- what ready() got for the first request
  local function ask()
    if first then
      local text = first
      first = nil
      return text
    end
    local text, err = call(value)
    if text and given[#given] ~= text then
      remember(given, text)
      name = name_of(text)
    end
    return text, err
  end
  return {
    changes = true,
    ready = function()
      if #given > 0 then
        return true
      end
      local text, err = ask()
      first = text
      return text and true, err
    end,
    ask = ask,
    given = function()
      return given
    end,
    name = function()
      return name
    end,
  }
end

return key
