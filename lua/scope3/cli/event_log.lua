--- What --events writes: a line of JSON for each event of a job or a wait.
---
--- Each line is written at once and by one call, so that who follows the file sees whole lines. After a failure nothing
--- more is written: half a line must not go on as another one. What is lost then is counted.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local interpreted = require "scope3.util.interpreted"
local json = require "scope3.util.json"
local output = require "scope3.cli.output"
local text = require "scope3.cli.text"
local time = require "scope3.util.time"
local visible = require "scope3.util.visible"

local event_log = {}

---@class scope3.cli.EventLog
---@field write fun(event: scope3.Event)
---@field close fun(): string?  what could not be written, or nil

local function line_of(event)
  local fields = { time = time.utc(core.time()) }
  for key, value in entries(event) do
    if key ~= "result" then -- as it grows it would be the longest part of each line; the report has it at the end
      fields[key] = value
    end
  end
  return visible.json(json.encode(fields)) .. "\n" -- paths are words of others
end

-- Standard output, whose failures decide the exit code by themselves.
local function to_standard_output()
  output.report_to(io.stderr)
  return {
    write = function(event)
      output.put(line_of(event))
    end,
    close = function() end,
  }
end

local function to_file(file, path, tell)
  local failed, lost = nil, 0
  local function put(line)
    local ok, why
    if not failed then
      ok, why = file:write(line)
    end
    if not ok then
      lost = lost + 1
      if not failed then
        failed = tostring(why)
        tell(("cannot write all of %s: %s"):format(path, failed))
      end
    end
  end
  -- LuaJIT does a compiled write that failed once more, so that half a line would be there twice.
  interpreted(put)
  return {
    write = function(event)
      put(line_of(event))
    end,
    close = function()
      local ok, why = file:close()
      if failed then
        return ("cannot write all of %s: %s (%s lost)"):format(path, failed,
          text.plural(lost, "event is", "events are"))
      end
      return not ok and ("cannot write all of %s: %s"):format(path, tostring(why)) or nil
    end,
  }
end

--- Opens the file of --events; what was in it is lost.
---@param path string  or "-" for standard output
---@param tell? fun(words: string)  is told at once what cannot be written, which close() gives in any case
---@return scope3.cli.EventLog?
---@return string? message
function event_log.open(path, tell)
  if path == "-" then
    return to_standard_output()
  end
  local file, why = io.open(path, "w")
  if not file then
    return nil, "cannot write " .. tostring(why)
  end
  file:setvbuf("no")
  return to_file(file, path, tell or function() end)
end

return event_log
