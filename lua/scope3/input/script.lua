--- Transformation scripts: which rows, and what a row becomes.
local conditions = require "scope3.input.filter"
local dialect = require "scope3.input.dialect"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local mapping = require "scope3.input.map"
local options = require "scope3.util.options"

local script = {}

---@class scope3.ScriptOptions: scope3.ReadingOptions  what a script may say of how rows are read and sent
---@field max_members? integer  these as in scope3.SyncOptions
---@field max_bytes? integer
---@field rate? integer
---@field timeout? number
---@field deadline? number
---@field in_doubt_timeout? number
---@field patience? number
---@field keep_going? boolean
---@field delete_timeout? number
---@field concurrency? integer
---@field delete_missing? "all"|(string|integer)[]
---@field unique? boolean  these as in scope3.RunOptions
---@field mode? "upsert"|"remove"
---@field delimiter? string
---@field quote? string
---@field escape? "backslash"|"none"
---@field null? string
---@field skip_lines? integer
---@field encoding? string
---@field header? boolean
---@field format? "csv"|"jsonl"

---@class scope3.Script: scope3.ScriptOptions
---@field audience? string|integer|scope3.AudienceMeta  the audience to fill
---@field where? (fun(row: scope3.Row): boolean?)|table<string|integer, any>  rows for which it gives nil or false are
---  skipped, and anything
---  but a boolean or nil is an error; or conditions, which run without Lua: column -> a value, a list of values, or {
---  eq=,
---  ne=, lt=, le=, gt=, ge=, present=, yes= }, and how texts are read: decimal=, ignore_case=, blank=; all must be met
---@field map? table<string, string|integer|table>  external_id, email, phone, region, hashed_email, hashed_phone or uid:TYPE to a column's name or
---  number, or to a list of them: the first that can be used counts. region may have a `default`. Of JSON Lines and tables a name may be a path into
---  nested values, such as "properties.phones.1"
---@field member? fun(row: scope3.Row): scope3.Member|scope3.Member[]|nil, string?  a member, a list of members, nil to
---  skip, or nil and
---  a reason to reject

--- Options that say how rows are read: the same rows with others may give other members.
script.READING_OPTIONS = options.merge(identity.options, dialect.OPTIONS, { header = "boolean", format = { "csv", "jsonl" } })

-- Options of a job that a script may set too.
script.JOB_OPTIONS = options.merge(script.READING_OPTIONS, {
  max_members = "count", max_bytes = "count", rate = "count", timeout = "seconds", deadline = "seconds",
  mode = { "upsert", "remove" }, unique = "boolean", concurrency = "count", delete_missing = "all_or_ids",
  in_doubt_timeout = "seconds", patience = "seconds", keep_going = "boolean", delete_timeout = "seconds",
})

local SCRIPT_KEYS = options.merge(script.JOB_OPTIONS, {
  audience = "any", where = "any", map = "table", member = "function",
})

local AUDIENCE = { id = "id", name = "string", consent_basis = "string" }

--- What is wrong with a script's table, or nil.
---@param t any
---@param mode? string  of the job, where the script does not say
---@return string?
function script.problem(t, mode)
  if type(t) ~= "table" then
    return "a script must return a table, not a " .. type(t)
  end
  local problem = options.problem(t, SCRIPT_KEYS) or dialect.problem(t)
  if problem then
    return problem
  end
  if (t.map == nil) == (t.member == nil) then
    return "a script has either map or member"
  end
  if t.audience ~= nil and not options.is_id(t.audience) and type(t.audience) ~= "table" then
    return "audience must be an id or a table with id, name and consent_basis"
  end
  problem = type(t.audience) == "table" and options.problem(t.audience, AUDIENCE)
  if problem then
    return "audience: " .. problem
  end
  if t.where ~= nil and type(t.where) ~= "function" then
    if type(t.where) ~= "table" then
      return "where must be a function or a table of conditions, not a " .. type(t.where)
    end
    local _, wrong = conditions.list(t.where)
    if wrong then
      return wrong
    end
  end
  return t.map and mapping.problem(t.map, t.mode or mode)
end

-- "path.lua:3:" without the folders before it, which say nothing to a reader.
local function shorten(message, path)
  local base = path:match("^.*/([^/]+)$") or path
  -- pattern: a name without quantifiers behind a lazy run, which begins once
  return (message:gsub("^.-" .. base:gsub("%p", "%%%0"), base))
end

local MOST = 4194304 -- bytes of a script: a file of rows, or a device without an end, is not read whole
local SAID = 1000 -- bytes of what a script raised that are repeated

-- What a script raised, as a text. Of what is no text only the type is told: an address says nothing.
local function said_of(raised, path)
  local told, said = pcall(tostring, raised) -- what was raised may not tell
  local tells = type(raised) == "string" or type(raised) == "number"
    or type(raised) == "table" and told and type(said) == "string" and not said:find("^table: ")
  if not tells then
    return ("%s: it raised an error that is a %s"):format((path:gsub("^.*/", "")), type(raised))
  end
  said = shorten(said, path)
  return #said <= SAID and said or said:sub(1, SAID) .. "…"
end

-- The chunk of a file, which is opened once: a pipe gives its text once.
local function read_chunk(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, "cannot open " .. tostring(message), "no_script"
  end
  local text, why = file:read(MOST + 1)
  file:close()
  if text and #text > MOST then
    return nil, path .. " is longer than 4 MB, as no script is", "no_script"
  elseif not text and why then
    return nil, ("cannot read %s: %s"):format(path, tostring(why):gsub("^.*: ", "")), "no_script"
  end
  text = (text or ""):gsub("^\239\187\191", ""):gsub("^#[^\n]*", "") -- as loadfile() does: a byte order mark, and the line that names an interpreter
  local chunk, problem = load(function()
    local all = text
    text = nil
    return all
  end, "@" .. path)
  return chunk, problem and shorten(problem, path), problem and "syntax"
end

--- Reads a script from a file. It runs with the globals of Lua, as any Lua file does.
---@param path string
---@return scope3.Script?
---@return scope3.Error? err  kind "script"
function script.load(path)
  local chunk, why, code = read_chunk(path)
  if not chunk then
    return nil, errors.new("script", why, { code = code })
  end
  local ok, result = pcall(chunk)
  if not ok then
    return nil, errors.new("script", said_of(result, path))
  end
  local problem = script.problem(result)
  if problem then
    return nil, errors.new("script", (path:match("^.*/([^/]+)$") or path) .. ": " .. problem)
  end
  return result
end

return script
