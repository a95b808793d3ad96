--- What a command says on standard output: its text, or under --json one object that always has `error`.
---
--- Under --json, and where refused rows go there, standard output is for the command only. What a script prints then
--- goes to standard error. A failure to write decides the exit code, and nothing is written after it.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local visible = require "scope3.util.visible"

local output = {}

---@class scope3.CommandError  `error` of the object
---@field kind string  that of a scope3.Error, or usage, failed, nothing, internal, memory
---@field code string|userdata  null where there is none
---@field status integer|userdata  HTTP status of the reply; null where there was none
---@field message string
---@field issues? {path: string?, message: string}[]

-- For what happens where no object can be made any more.
local LAST_WORDS = '{"error":{"code":null,"kind":"memory","message":"not enough memory","status":null}}\n'
local UNTOLD = '{"error":{"code":null,"kind":"internal","message":"what failed cannot be told","status":null}}\n'

local STOPPED = "stopped by a signal" -- as the errors say that a signal causes

local MAX_ISSUES = 20 -- that a message names; the object has all

local state = {}

--- Begins the output of a command.
---@param as_json boolean
function output.begin(as_json)
  state = { json = as_json, object = {} }
  if as_json then
    output.keep()
  end
end

--- Whether one JSON object is to be printed.
---@return boolean
function output.is_json()
  return state.json
end

--- Takes standard output for what the command itself says.
function output.keep()
  local ok, why = core.keep_output()
  if not ok then
    state.unwritten = state.unwritten or why
  end
end

--- Sends the report elsewhere. Where refused rows go to standard output, it goes to standard error.
---@param file? userdata
function output.report_to(file)
  state.report = file
end

--- The descriptor that a text for people goes to.
---@return integer
function output.descriptor()
  return state.report and 2 or 1
end

--- Writes to standard output at once.
---@param words string
---@return boolean  false where it takes no more
function output.put(words)
  if not state.unwritten then
    local ok, why = core.put_output(words)
    if not ok then
      state.unwritten = why
    end
  end
  return not state.unwritten
end

--- Says a text to people. Under --json it is left out.
---@param words string
function output.say(words)
  if state.json then
    return
  elseif state.report then
    state.report:write(words)
  else
    output.put(words)
  end
end

--- Sets the fields of the object.
---@param fields table
function output.object(fields)
  state.object = fields
end

--- Adds an object of its own: for the command that prints one for each value.
---@param fields table
function output.line(fields)
  state.lines = state.lines or {}
  table.insert(state.lines, fields)
end

--- The command puts objects itself; this writes one of them.
function output.stream(encode)
  state.lines, state.encode = {}, encode
end

-- The message of an error, with its issues where there are several.
local function message_of(err)
  local said = {}
  for i, issue in ipairs(err.issues or {}) do
    said[i] = i <= MAX_ISSUES and (issue.path and issue.path .. " " or "") .. issue.message or nil
  end
  if #said < 2 then
    return err.message
  end
  return ("%s: %s%s"):format(err.message, table.concat(said, "; "), #err.issues > MAX_ISSUES and "; …" or "")
end

local function issues_of(issues)
  local shown = json.array {}
  for i, issue in ipairs(issues) do
    shown[i] = { path = issue.path, message = issue.message }
  end
  return shown
end

--- An error in the form in which the object has it.
---@param err scope3.Error|string
---@param kind string  where the error has none
---@return scope3.CommandError
function output.error_of(err, kind)
  if not require("scope3.error").is(err) then
    local message = tostring(err):gsub("^scope3: ", "")
    return { kind = kind, message = message, code = json.null, status = json.null }
  end
  local found = {
    kind = err.kind, message = message_of(err), code = err.code or json.null, status = err.status or json.null,
    issues = err.issues and issues_of(err.issues),
  }
  for _, key in ipairs { "field", "task_id", "retry_after", "retryable", "uncertain" } do
    found[key] = err[key]
  end
  return found
end

--- Notes what the command failed of. The first counts; an exit code of 0 has no error.
---@param err scope3.Error|string
---@param kind string  where the error has none
function output.fail(err, kind)
  state.error = state.error or output.error_of(err, kind)
end

--- Notes that a signal ended the command, whatever else it failed of.
function output.stopped()
  local before = state.error and state.error.message
  local is_new = before and before ~= STOPPED
  state.error = output.error_of(STOPPED .. (is_new and ": " .. before or ""), "cancelled")
end

local function whole_object(fields, err)
  local all = {}
  for key, value in entries(fields) do
    all[key] = value
  end
  all.error = err or json.null
  return all
end

-- The JSON of what was done.
local function text_of(err)
  if not state.lines or err then
    return (state.encode or json.pretty)(whole_object(state.object, err)) .. "\n"
  end
  local lines = {}
  for i, fields in ipairs(state.lines) do
    lines[i] = visible.json(json.encode(fields)) .. "\n"
  end
  return table.concat(lines)
end

-- What the command failed of, with this exit code.
local function error_for(code, exit)
  local err = code ~= exit.OK and state.error or nil
  if code ~= exit.OK and not err and not state.lines then
    err = output.error_of("the command failed", "failed")
  end
  return err
end

--- Has scope3.cli.report_files called when the exit code is known, which it may change.
---@param finish fun(code: integer, exit: table, fields: table, error_for: function, text_of: function): integer
function output.at_end(finish)
  state.at_end = finish
end

local NO_MEMORY = "not enough memory" -- as Lua says it

-- The text of an object that says no more than why the real one could not be made.
local function text_without_fields(err, is_memory, why)
  state.object, state.lines = {}, nil
  return text_of(err or is_memory and output.error_of(NO_MEMORY, "memory")
    or output.error_of("internal fault: " .. why, "internal"))
end

-- The text of the object, also where it cannot be made, and the exit code that follows from that.
local function object_text(err, code, exit)
  local ok, text = pcall(text_of, err)
  if ok then
    return text, code
  end
  local is_memory = tostring(text) == NO_MEMORY
  collectgarbage()
  ok, text = pcall(text_without_fields, err, is_memory, text)
  if ok then
    return text, code == exit.OK and (is_memory and exit.FAILED or exit.INTERNAL) or code
  elseif tostring(text) == NO_MEMORY then
    return LAST_WORDS, exit.FAILED
  end
  return UNTOLD, exit.INTERNAL
end

--- Ends the output: prints the object, and checks that all was written.
---@param code integer  that the command came to
---@param exit table
---@return integer code  to exit with
function output.finish(code, exit)
  if state.at_end then
    code = state.at_end(code, exit, state.object, error_for, text_of)
  end
  if state.json then
    local err = error_for(code, exit)
    local text
    text, code = object_text(err, code, exit)
    output.put(text)
  else
    output.put("") -- what others printed is still to be written
  end
  if state.unwritten then
    io.stderr:write("scope3: cannot write to standard output: ", state.unwritten, "\n")
    return exit.UNWRITTEN
  end
  return code
end

return output
