-- An output of busted: failures in full, one line of counts, and the counts in $SCOPE3_COUNTS for the runner.
return function()
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()

  local function describe(kind, entry)
    io.write("   ", kind, ": ", entry.name or "?", "\n")
    local message = entry.message
    if type(message) ~= "string" then
      message = require "pl.pretty".write(message)
    end
    io.write("      ", (message:gsub("\n", "\n      ")), "\n")
    local trace = entry.trace
    if trace and trace.short_src then
      io.write("      at ", trace.short_src, ":", tostring(trace.currentline), "\n")
    end
    io.flush()
  end

  handler.suiteEnd = function()
    local passed, failed = handler.successesCount, handler.failuresCount + handler.errorsCount
    local skipped = handler.pendingsCount
    for _, entry in ipairs(handler.failures) do
      describe("failed", entry)
    end
    for _, entry in ipairs(handler.errors) do
      describe("error", entry)
    end
    for _, entry in ipairs(handler.pendings) do
      describe("skipped", entry)
    end
    io.write(("   %d passed, %d failed, %d skipped in %.1f s\n"):format(passed, failed, skipped, handler.getDuration()))
    local file = os.getenv("SCOPE3_COUNTS")
    if file then
      local out = assert(io.open(file, "w"))
      out:write(passed, " ", failed, " ", skipped, "\n")
      out:close()
    end
    return nil, true
  end

  require "spec.support.forget".ended_files(busted)
  busted.subscribe({ "suite", "end" }, handler.suiteEnd)
  return handler
end
