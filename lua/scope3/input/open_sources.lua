--- Counts the sources whose file is open. A loop that is left early leaves its source's descriptor to the garbage
--- collector, which is run when many are open.
local entries = require "scope3.util.entries"

local open_sources = {}

local FIRST_LIMIT = 16
local sources = setmetatable({}, { __mode = "k" })
local count, limit = 0, FIRST_LIMIT

--- Notes that a source has opened a file.
---@param source scope3.Source
function open_sources.add(source)
  sources[source] = true
  count = count + 1
end

--- Notes that a source has closed its file. Idempotent.
---@param source scope3.Source
function open_sources.remove(source)
  if sources[source] then
    sources[source] = nil
    count = count - 1
  end
end

--- Runs the collector where many sources are open. For the moment before another file is opened.
function open_sources.collect()
  if count < limit then
    return
  end
  collectgarbage()
  count = 0
  for _ in entries(sources) do
    count = count + 1
  end
  limit = math.max(FIRST_LIMIT, 2 * count)
end

return open_sources
