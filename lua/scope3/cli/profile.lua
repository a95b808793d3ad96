--- Profiles of the command: settings under a name, in config.lua of the user's folder of configurations.
---
--- The file is a Lua table, { default = { account_id = "25", api_key_file = "~/.scope3-key" } }. It is read without any
--- library, so it cannot do anything. It holds no key: what holds one is read by others less easily.
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local limiters = require "scope3.client.limiters"
local options = require "scope3.util.options"
local user_folder = require "scope3.cli.user_folder"

local profile = {}

local MOST = 65536 -- bytes of the file
local ENOENT = 2

local FIELDS = {
  account_id = "id", base_url = "string", ca_file = "string", limiter = "string", rate = "count",
  api_key_file = "string", api_key_command = "string",
}
local PATHS = { "ca_file", "limiter", "api_key_file" }

--- What stands in place of its name for a limiter's file, which several profiles may share.
profile.LIMITER = "the limiter of a profile"

---@class scope3.cli.Profile
---@field account_id? string|integer
---@field base_url? string
---@field ca_file? string
---@field limiter? string
---@field rate? integer
---@field api_key_file? string
---@field api_key_command? string

--- The path of the file: $XDG_CONFIG_HOME/scope3/config.lua, or ~/.config/scope3/config.lua.
---@return string?
function profile.path()
  local folder = user_folder.of("XDG_CONFIG_HOME", "/.config")
  return folder and folder .. "/scope3/config.lua"
end

-- Before Lua 5.2 these load a text, and give it the globals that it sees.
local load_text, set_environment = rawget(_G, "loadstring"), rawget(_G, "setfenv")

local function compile(text)
  if text:sub(1, 1) == "\27" then
    return nil
  elseif not set_environment then
    return load(text, "=config.lua", "t", {})
  end
  local chunk, why = load_text(text, "=config.lua")
  return chunk and set_environment(chunk, {}), why
end

-- Lua's message may repeat the text of the line, so only the line's number is kept.
local function not_a_table(why)
  local line = tostring(why):match "^config%.lua:(%d+):"
  return (line and "line " .. line .. ": " or "") .. "it is no Lua file that returns a table of profiles"
end

-- The table of a file's text, or nil and what is wrong with it.
local function evaluate(text)
  local chunk, why = compile(text)
  local ok, value
  if chunk then
    ok, value = pcall(chunk)
    why = value
  end
  if not ok or type(value) ~= "table" then
    return nil, not_a_table(not ok and why or nil)
  end
  return value
end

local function expand(path)
  local home = user_folder.home()
  return path:sub(1, 2) == "~/" and home and home .. path:sub(2) or path
end

-- What is wrong with a profile, or nil.
local function problem_of(one)
  if type(one) ~= "table" then
    return "it is no table"
  elseif one.api_key ~= nil then
    return "a key does not stand in this file: name it by api_key_file or api_key_command"
  elseif one.api_key_file and one.api_key_command then
    return "api_key_file and api_key_command contradict each other"
  end
  local problem = options.problem(one, FIELDS)
  for _, key in ipairs(problem and {} or PATHS) do
    if one[key] and not one[key]:find "^~?/" and not (key == "limiter" and limiters.is_url(one[key])) then
      problem = problem or ("%s must be a path that begins with / or ~/"):format(key)
    end
  end
  return problem
end

local function names(all)
  local list = {}
  for name in entries(all) do
    list[#list + 1] = tostring(name)
  end
  table.sort(list)
  return list
end

local function unknown(name, all)
  local known = names(all)
  local meant = arguments.meant(name, known)
  return ("%s is not in it (%sit has %s)"):format(name, meant and ("did you mean '%s'? "):format(meant) or "",
    #known > 0 and table.concat(known, ", ") or "none")
end

-- The text of the file: nil where there is none, or nil and what is wrong.
local function read(path)
  local file, why, code = io.open(path, "rb")
  if not file then
    return nil, code ~= ENOENT and ("it cannot be read (%s)"):format((tostring(why):gsub("^.*: ", ""))) or nil
  end
  local text
  text, why = file:read(MOST + 1)
  file:close()
  if text and #text > MOST then
    return nil, ("it is over %d bytes"):format(MOST)
  elseif not text and why then -- nil alone is the end of an empty file
    return nil, ("it cannot be read (%s)"):format(tostring(why))
  end
  return text or ""
end

-- The profile with its paths in full.
local function expanded(one)
  local made = options.merge(one)
  for _, key in ipairs(PATHS) do
    made[key] = one[key] and expand(one[key]) or nil
  end
  return made
end

-- All profiles of the file: none where there is no file, or nil and what is wrong.
local function read_all(path)
  local text, why = read(path)
  if not text then
    return not why and {} or nil, why, not why
  end
  return evaluate(text)
end

--- Files that the profiles name, and their own, with words for each. What is wrong with them is told by others.
---@return {path: string, words: string}[]
function profile.files()
  local path = profile.path()
  local list = { path and { path = path, words = "the file of profiles" } }
  for name, one in entries(path and read_all(path) or {}) do
    for _, key in ipairs(type(one) == "table" and PATHS or {}) do
      if type(one[key]) == "string" and not (key == "limiter" and limiters.is_url(one[key])) then
        local words = ("%s of the profile %s"):format(key, tostring(name))
        list[#list + 1] = { path = expand(one[key]), words = key == "limiter" and profile.LIMITER or words }
      end
    end
  end
  return list
end

--- Reads a profile.
---@param name string?  nil: "default", where the file has it
---@return scope3.cli.Profile?
---@return string? problem  it names the file
function profile.read(name)
  local path = profile.path()
  if not path then
    return not name and {} or nil, "cannot be looked for, because neither HOME nor XDG_CONFIG_HOME is an absolute "
      .. "path"
  end
  local all, why, missing = read_all(path)
  if not all then
    return nil, ("%s: %s"):format(path, why)
  elseif all[name or "default"] == nil and not name then
    return {}
  elseif all[name or "default"] == nil then
    return nil, missing and ("%s is in no file: there is no %s"):format(name, path)
      or ("%s: %s"):format(path, unknown(name, all))
  end
  local one = all[name or "default"]
  local problem = problem_of(one)
  if problem then
    return nil, ("%s: %s: %s"):format(path, name or "default", problem)
  end
  return expanded(one)
end

return profile
