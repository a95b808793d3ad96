--- Transformation scripts: which rows, and what a row becomes.
local dialect = require "scope3.input.dialect"
local errors = require "scope3.error"
local map = require "scope3.input.map"
local options = require "scope3.util.options"
local prepared = require "scope3.input.prepared"
local script_audiences = require "scope3.input.script_audiences"
local script_options = require "scope3.input.script_options"

local script = {}

---@class scope3.ScriptOptions: scope3.ReadingOptions  how rows are read and sent
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
---@field mode? "upsert"|"remove"|"mirror"  "mirror" needs a state
---@field refresh_after? number
---@field max_removed? number
---@field remove_rejected? boolean
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
---@field audiences? scope3.ScriptAudience[]  in place of `audience`: 1 to 16 of them, with a state
---@field where? (fun(row: scope3.Row): boolean?)|table<string|integer, any>  which rows are used. A function skips
---  a row by nil or false; other values but true are an error. Conditions run without Lua, and all must be met. They
---  map a column to a value, a list of values, or { eq=, ne=, lt=, le=, gt=, ge=, present=, yes= }, where decimal=,
---  ignore_case= and blank= say how texts are read
---@field map? table<string, string|integer|table>  external_id, email, phone, region, hashed_email, hashed_phone or
---  uid:TYPE to a column's name or number, or to a list of them: the first usable value counts. An email or phone may
---  be { each = list }, whose columns make a member each: with the id, id#2, id#3. region may have a
---  `default`. In JSON Lines and tables a name may be a path into nested values, such as "properties.phones.1"
---@field member? fun(row: scope3.Row): scope3.Member|scope3.Member[]|nil, string?  a member, a list of members, nil to
---  skip, or nil and a reason to reject
---@field prepared? boolean  in place of map and member: rows are lines that scope3.prepare wrote

local SCRIPT_KEYS = options.merge(script_options.JOB, {
  audience = "any", audiences = "table", where = "any", map = "table", member = "function",
  prepared = "boolean",
})

local AUDIENCE = { id = "id", name = "string", consent_basis = "string" }

local function audience_problem(audience)
  if audience == nil or options.is_id(audience) then
    return nil
  elseif type(audience) ~= "table" then
    return "audience must be an id or a table with id, name and consent_basis"
  end
  local problem = options.problem(audience, AUDIENCE)
  return problem and "audience: " .. problem
end

local function where_problem(t)
  local kind = type(t.where)
  if t.where ~= nil and kind ~= "function" and kind ~= "table" then
    return "where must be a function or a table of conditions, not a " .. kind
  end
  local _, problem = script_audiences.conditions(t)
  return problem
end

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
  elseif t.prepared then
    return prepared.problem(t) or audience_problem(t.audience)
  elseif (t.map == nil) == (t.member == nil) then
    return "a script has either map or member"
  end
  return audience_problem(t.audience) or script_audiences.problem(t) or where_problem(t)
    or t.map and map.problem(t.map, t.mode or mode)
end

-- A message of Lua with "script.lua:3:" for "folders/script.lua:3:".
local function shorten(message, path)
  local base = path:match("^.*/([^/]+)$") or path
  -- pattern: a name without quantifiers after a lazy run, which begins once
  return (message:gsub("^.-" .. base:gsub("%p", "%%%0"), base))
end

local SIZE_MAX = 4194304 -- bytes of a script: a file of rows, or a device without an end, is not read whole
local SHOWN_MAX = 1000 -- bytes of what a script raised that a message shows
local NIL_RAISED = "<no error object>" -- what Lua 5.5 makes of a nil
local tostring = tostring -- the script whose error is told may have taken it away

-- What a script raised, as a text. What is no text is named by its type: an address says nothing.
local function text_of(raised, path)
  if raised == NIL_RAISED then
    raised = nil
  end
  local ok, text = pcall(tostring, raised) -- its __tostring may raise an error
  local has_text = type(raised) == "string" or type(raised) == "number"
    or type(raised) == "table" and ok and type(text) == "string" and not text:find("^table: ")
  if not has_text then
    return ("%s: it raised an error that is a %s"):format((path:gsub("^.*/", "")), type(raised))
  end
  text = shorten(text, path)
  return #text <= SHOWN_MAX and text or text:sub(1, SHOWN_MAX) .. "…"
end

-- The chunk of a file; or nil, a message and an error code. A file is opened once, because a pipe gives its text once.
local function read_chunk(path)
  local file, message = io.open(path, "rb")
  if not file then
    return nil, "cannot open " .. tostring(message), "no_script"
  end
  local text, why = file:read(SIZE_MAX + 1)
  file:close()
  if text and #text > SIZE_MAX then
    return nil, path .. " is longer than 4 MB, as no script is", "no_script"
  elseif not text and why then
    return nil, ("cannot read %s: %s"):format(path, tostring(why):gsub("^.*: ", "")), "no_script"
  end
  -- As loadfile(): without a byte order mark, and without the line that names an interpreter.
  text = (text or ""):gsub("^\239\187\191", ""):gsub("^#[^\n]*", "")
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
    return nil, errors.new("script", text_of(result, path))
  end
  local problem = script.problem(result)
  if problem then
    return nil, errors.new("script", (path:match("^.*/([^/]+)$") or path) .. ": " .. problem)
  end
  return result
end

return script
