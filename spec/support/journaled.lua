-- A job with a journal, for a process of its own that is killed at a chosen point:
-- journaled.lua URL JOURNAL FILE KILL_AT [torn] Points are every event of the network, and
-- each write to the journal, before and after it; "torn" leaves half a line behind instead.
local journal = require "scope3.job.journal"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"

local journaled = {}

--- Runs the job.
---@param url string
---@param keeper string|table
---@param file string
---@param on_event? function
function journaled.run(url, keeper, file, on_event)
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000, loop = virtual.loop(url),
  })
  local res, err = client:run({
    audience = "a", max_members = 12, unique = true, concurrency = 2, in_doubt_timeout = 259200,
    member = function(row)
      return { external_id = row.id, hashed_email = row.hash ~= "" and row.hash or nil, remove = row.hash == "" }
    end,
  }, file, { journal = keeper, on_event = on_event })
  if not res then
    return nil, err
  end
  return res:wait { on_event = on_event }
end

--- The points of a job, each told to `point(what)`.
function journaled.watch(path, point)
  local keeper = journal.file(path)
  for _, method in ipairs { "begin", "accepted", "ended" } do
    local plain = keeper[method]
    keeper[method] = function(self, record)
      point "before"
      local ok, err = plain(self, record)
      point "after"
      return ok, err
    end
  end
  return keeper, function()
    point "event"
  end
end

if arg and arg[0] and arg[0]:find("journaled%.lua$") then
  local url, path, file, kill_at, torn = arg[1], arg[2], arg[3], tonumber(arg[4]), arg[5] == "torn"
  local n = 0
  local keeper, on_event = journaled.watch(path, function(what)
    n = n + 1
    if n == kill_at then
      if torn and what == "before" then
        local handle = assert(io.open(path, "ab"))
        handle:write('{"type":"begin","requ')
        handle:close()
      end
      os.execute("kill -9 $PPID")
    end
  end)
  assert(journaled.run(url, keeper, file, on_event))
  print(n)
end

return journaled
