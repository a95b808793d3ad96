-- One run of a job in a storm: in this process, or in one of its own that is killed on the way:
-- storm.lua URL JOURNAL FILE KIND KILL_AT settles|stops
local model = require "spec.support.model"
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"

local storm = {}

--- Kinds of jobs: which promise they make of order, and on which service it holds.
storm.KINDS = {
  plain = { order = "strict", script = { map = { external_id = "id", hashed_email = "hash" } }, opts = {} },
  mixed = { script = { member = model.member }, opts = {} },
  unique = { script = { map = { external_id = "id", hashed_email = "hash" } }, opts = { unique = true } },
  parallel = { script = { member = model.member }, opts = { concurrency = 3 } },
}

local DAY = 86400
local loops = {} -- by URL: each has an engine

--- The clock of a sandbox, which all jobs of this process share.
function storm.loop(url)
  loops[url] = loops[url] or virtual.loop(url)
  return loops[url]
end

--- Runs the job, and waits for its tasks.
--- One that `settles` waits before what contradicts a request in doubt; others stop there.
---@return table res  whatever it came to
---@return table? err
function storm.run(url, path, file, kind, settles, on_event)
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000, loop = storm.loop(url),
  })
  local script = { audience = "a", max_members = 12 }
  for key, value in pairs(storm.KINDS[kind].script) do
    script[key] = value
  end
  local opts = {
    journal = path, on_event = on_event, deadline = 90 * DAY, in_doubt_timeout = settles and 3 * DAY or nil,
  }
  for key, value in pairs(storm.KINDS[kind].opts) do
    opts[key] = value
  end
  local res, err = client:run(script, file, opts)
  if res then
    local _
    _, err = res:wait { on_event = on_event, timeout = 20 * DAY }
  end
  return res or err.result, err
end

if arg and arg[0] and arg[0]:find "storm%.lua$" then
  local kill_at, n = tonumber(arg[5]), 0
  storm.run(arg[1], arg[2], arg[3], arg[4], arg[6] == "settles", function()
    n = n + 1
    if n == kill_at then
      os.execute "kill -9 $PPID"
    end
  end)
end

return storm
