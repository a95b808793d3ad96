--- The file of --metrics: what the last run came to, for the textfile collector of Prometheus' node_exporter.
---
--- It is written at the end, also of a run that failed or was stopped, and always whole: a new file takes the place of
--- the old one. Only the time of the last success is taken over from the old one.
local context = require "scope3.cli.context"
local core = require "scope3.core"
local output = require "scope3.cli.output"
local replaced = require "scope3.cli.replaced"
local samples = require "scope3.metrics.samples"
local text = require "scope3.metrics.text"

local metrics_file = {}

local SUCCESS = "scope3_job_last_success_timestamp_seconds"
local MOST = 65536 -- bytes of the old file that are looked at; ours has some 4 kB

---@type scope3.Result?
local result
local succeeded -- when a run did before this one; read once, because this one may turn out to fail after it was written

--- Notes what the job came to.
---@param res scope3.Result
function metrics_file.note(res)
  result = res
end

---@type scope3.Drained?
local drained

--- Notes what a drain came to.
---@param res scope3.Drained
function metrics_file.note_drained(res)
  drained = res
end

-- When a run succeeded, as the old file says: 0 where it says nothing that can be meant.
local function last_success(path, now)
  local file = core.file_kind(path) == "file" and io.open(path, "rb")
  local before = file and file:read(MOST)
  if file then
    file:close()
  end
  before = before or ""
  for line, ends in before:gmatch "([^\n]+)()" do
    local said = line:sub(1, #SUCCESS + 1) == SUCCESS .. "{" and line:match " ([0-9.]+)$"
    local at = said and before:sub(ends, ends) == "\n" and core.number(said)
    if at and at >= 0 and at <= now then
      return at
    end
  end
  return 0
end

-- Writes the file: true, or nil and a message.
local function write(path, code, seconds)
  local now = core.time()
  succeeded = succeeded or last_success(path, now)
  local page = text.new()
  local name = path:match "([^/]+)%.prom$" -- pattern: a word of the command line
  samples.job(page, text.labels { name = name }, {
    ended = now, succeeded = code == 0 and now or succeeded, seconds = seconds, exit_code = code,
    result = result,
  }, core.reasons)
  if drained then
    samples.drain(page, text.labels { name = name, queue = drained.queue }, drained, true)
  end
  local ok, why = replaced.write(path, page:whole())
  if not ok then
    return nil, ("cannot write the metrics to %s: %s%s"):format(path, tostring(why),
      require("scope3.cli.report_summary").despite(result))
  end
  return true
end

-- Writes the file: the code to exit with. Nothing guards what runs here, and memory may be short.
local function write_safely(path, code, seconds, exit)
  local fine, ok, why = pcall(write, path, code, seconds)
  if fine and ok then
    return code
  end
  pcall(function()
    context.fail(fine and why or "cannot write the metrics: " .. tostring(ok), "failed")
  end)
  return (code == exit.OK or code == exit.NOTHING) and exit.FAILED or code
end

--- Writes the file while a drain goes on.
---@param path string
---@param res scope3.Drained
---@return string? why  it could not be written
function metrics_file.refresh(path, res)
  local page = text.new()
  -- pattern: a path is short, and the user's own
  samples.drain(page, text.labels { name = path:match "([^/]+)%.prom$", queue = res.queue }, res)
  local fine, ok, why = pcall(replaced.write, path, page:whole())
  return not (fine and ok) and ("cannot write the metrics to %s: %s"):format(path, tostring(fine and why or ok)) or nil
end

--- Ends the command's output. The file has the code that it comes to.
---@param path string
---@param code integer  to which the command came
---@param seconds number  that it took
---@param exit table
---@return integer code  to exit with
function metrics_file.finish(path, code, seconds, exit)
  local wanted = write_safely(path, code, seconds, exit)
  local final = output.finish(wanted, exit)
  if final ~= wanted then
    write_safely(path, final, seconds, exit)
  end
  return final
end

return metrics_file
