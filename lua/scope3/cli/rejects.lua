--- What --rejects writes: a line of CSV for each rejection, which names rows, lines, columns and reasons, and no
--- values.
local interpreted = require "scope3.util.interpreted"
local output = require "scope3.cli.output"
local plural = require "scope3.util.plural"
local text = require "scope3.cli.text"

local rejects = {}

-- Standard output as a file, which is written to in pieces.
local function standard_output()
  local parts, bytes = {}, 0
  local function flush()
    output.put(table.concat(parts))
    parts, bytes = {}, 0
    return true
  end
  output.report_to(io.stderr)
  return {
    write = function(_, words)
      parts[#parts + 1], bytes = words, bytes + #words
      return bytes < 8192 or flush()
    end,
    close = flush, -- what could not be written decides the exit code by itself
  }
end

--- A file that takes rejections: row, line, column, outcome, reason, and first the file where there may be
--- `several`.
---@param path string
---@param several boolean
---@return {write: fun(rejection: table), close: fun(): boolean?, string?}?
---@return string? message
function rejects.open(path, several)
  local file, why
  if path == "-" then
    file = standard_output()
  else
    file, why = io.open(path, "w")
  end
  if not file then
    return nil, "cannot write " .. tostring(why)
  end
  local failed
  -- After a failure nothing more is written: half a line must not go on as another one.
  local function put(words)
    if failed then
      return
    end
    local ok, why_not = file:write(words)
    failed = not ok and why_not or nil
  end
  -- LuaJIT does a compiled write that failed once more, so that half a line would be there twice.
  interpreted(put)
  put(several and "file,row,line,column,outcome,reason\n" or "row,line,column,outcome,reason\n")
  local function cell(value)
    value = text.visible(tostring(value)) -- names and reasons of others
    return value:find('[,"\r\n]') and '"' .. value:gsub('"', '""') .. '"' or value
  end
  return {
    write = function(rejection)
      local inside = rejection.lines and (" (%s inside)"):format(plural.of(rejection.lines, "further line")) or ""
      local line = rejection.line and ("%.0f"):format(rejection.line) or ""
      put((several and cell(rejection.file or "") .. "," or "") .. ("%.0f,%s,%s,%s,%s\n"):format(rejection.row, line,
        cell(rejection.column or ""), rejection.dropped and "dropped" or "rejected", cell(rejection.reason) .. inside))
    end,
    -- A full disk shows here at the latest.
    close = function()
      local ok, why_not = file:close()
      return ok and not failed, failed or why_not
    end,
  }
end

return rejects
