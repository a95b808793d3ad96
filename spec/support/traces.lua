-- What the specs make the library say: errors, results, output of the command, journals, rejects, logs of nginx.
-- All of it is kept in the folder $SCOPE3_TRACES, if there is one, and
-- searched after the specs (spec/support/search.lua) for keys and for people.
local traces = {}

local folder = os.getenv "SCOPE3_TRACES"
if folder == "" then
  folder = nil
end

--- Keeps a text under a kind, which becomes the name of a file.
---@param kind string
---@param text string
function traces.keep(kind, text)
  if folder and text ~= "" then
    local file = assert(io.open(folder .. "/" .. kind, "ab"))
    file:write(text, "\n")
    file:close()
  end
end

--- Keeps every error that is made from now on, as people and as programs see it.
function traces.watch_errors()
  if not folder then
    return
  end
  local errors = require "scope3.error"
  local new = errors.new
  function errors.new(...)
    local err = new(...)
    local parts = { tostring(err) }
    for _, key in ipairs { "code", "field", "task_id" } do
      parts[#parts + 1] = err[key] ~= nil and tostring(err[key]) or nil
    end
    for _, issue in ipairs(type(err.issues) == "table" and err.issues or {}) do
      parts[#parts + 1] = ("%s: %s"):format(tostring(issue.path), tostring(issue.message))
    end
    traces.keep("errors", table.concat(parts, " | "))
    return err
  end
end

--- Runs a shell command that copies what a file holds.
---@param kind string
---@param path string
function traces.keep_file(kind, path)
  if folder then
    local file = io.open(path, "rb")
    if file then
      traces.keep(kind, file:read "*a")
      file:close()
    end
  end
end

return traces
