--- Files that a command writes. Each must be another one than all that it reads, keeps or writes, or content is lost.
local core = require "scope3.core"
local limiters = require "scope3.client.limiters"
local messages = require "scope3.cli.messages"
local paths = require "scope3.input.paths"
local profile = require "scope3.cli.profile"

local overwritten = {}

local word = messages.option

-- The identity of a file, also of one that does not exist yet.
local function identity_of(path)
  local identity = core.file_identity(path)
  if identity then
    return identity
  end
  local folder, name = path:match("^(.*/)([^/]*)$")
  return (core.file_identity(folder or ".") or folder or "") .. "/" .. (name or path)
end

--- The paths of the input, as far as they are known where one of its patterns has no match.
---@param names string[]
---@return string[]
function overwritten.named_inputs(names)
  local all = {}
  for _, name in ipairs(names) do
    for _, path in ipairs(paths.expand { name } or { name }) do
      all[#all + 1] = path
    end
  end
  return all
end

-- Adds files of keys, certificates and profiles: also those that this run has no use for.
local function add_settings(known, args)
  local function add(path, words)
    if path and path ~= "" then
      known[identity_of(path)] = words
    end
  end
  for _, one in ipairs(profile.files()) do
    add(one.path, one.words)
  end
  for _, variable in ipairs { "SCOPE3_CA_FILE", "SCOPE3_API_KEY_FILE" } do
    add(os.getenv(variable), "the file that " .. variable .. " names")
  end
  for _, key in ipairs { "ca_file", "api_key_file" } do
    add(args[key], word(key))
  end
end

-- What is read, as identities with words for each.
local function read_files(args, inputs)
  local known = {}
  add_settings(known, args)
  for _, path in ipairs(inputs) do
    known[path ~= "-" and identity_of(path) or "-"] = "the input"
  end
  for _, path in ipairs(args.exclude or {}) do
    known[identity_of(path)] = "--exclude"
  end
  if args.script then
    known[identity_of(args.script)] = "the script"
  end
  return known
end

-- The files that are written, in order: the key of an option, and a path.
local function written_files(args)
  local list = {}
  for _, key in ipairs { "journal", "state", "limiter", "rejects", "events", "metrics", "output" } do
    -- Refused rows and events may go to standard output, and a journal to a file that the command names.
    local is_file = args[key] and args[key] ~= "-" and not (key == "limiter" and limiters.is_url(args[key]))
    if is_file and not (key == "journal" and args[key] == "auto") then
      list[#list + 1] = { key, args[key] }
    end
  end
  for _, path in ipairs(args.report or {}) do
    list[#list + 1] = { "report", path }
  end
  return list
end

--- Which file would be overwritten, or nil.
---@param args table
---@param inputs? string[]  paths of the input
---@return string?
function overwritten.problem(args, inputs)
  local list = written_files(args)
  local known = #list > 0 and read_files(args, inputs or {}) or {}
  for _, one in ipairs(list) do
    local key, path = one[1], one[2]
    local identity = core.file_kind(path) ~= "device" and identity_of(path)
    local other = identity and known[identity]
    -- The limiter's file of a profile may be named once more for what it is.
    if other and not (key == "limiter" and other == profile.LIMITER) then
      return ("%s and %s are the same file, %s, which would be overwritten"):format(word(key), other, path)
    elseif identity then
      known[identity] = word(key)
    end
  end
end

return overwritten
