-- A job that only adds, with the journal of a night in a state; also for a process of its own that is killed:
-- night_job.lua URL STATE ROWS KILL_AT The points are before and after each call of the journal.
local journal = require "scope3.mirror.journal"
local protocol = require "scope3.mirror.protocol"
local scope3 = require "scope3"
local states = require "spec.support.states"
local virtual = require "spec.support.virtual"

local night_job = {}

local CALLS = { "begin", "begin_anew", "accepted", "ended" }

--- Rows with ids r1, r2, … and an email each.
function night_job.rows(count)
  local lines = { "id,mail" }
  for i = 1, count do
    lines[i + 1] = ("r%d,r%d@example.com"):format(i, i)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- Begins a night in a state: its journal, the state and the night.
function night_job.begin(path, members_of)
  local kept = assert(states.open(path))
  local run = assert(kept:begin_run(1000))
  return journal.of(kept, run, members_of or function(batch)
    return "operations of " .. batch
  end, function()
    return states.open(path)
  end), kept, run
end

--- Has point(method, when, record) called around each call of a journal. What it gives instead of nil is the answer.
function night_job.watch(keeper, point)
  for _, method in ipairs(CALLS) do
    local plain = keeper[method]
    keeper[method] = function(self, record)
      local err = point(method, "before", record)
      if err then
        return nil, err
      end
      local ok, why = plain(self, record)
      point(method, "after", record)
      return ok, why
    end
  end
end

--- Runs the job. `opts` are those of the client, of the job's script, and of its run.
function night_job.run(url, keeper, file, opts)
  local script, run = { audience = "a", map = { external_id = "id", email = "mail" } }, { journal = keeper }
  for given, all in pairs { [opts.job or false] = script, [opts.run or true] = run } do
    for key, value in pairs(type(given) == "table" and given or {}) do
      all[key] = value
    end
  end
  local client = { api_key = "scope3_test_key", account_id = "25", base_url = url, rate = 100000,
    loop = opts.loop or virtual.loop(url), limiter = scope3.limiter() }
  for key, value in pairs(opts.client or {}) do
    client[key] = value
  end
  return assert(scope3.client(client)):run(script, file, run)
end

--- What the tries of a chunk say: "1: 1-10 begun, 2: 1-10 without 4 refused 5 completed".
function night_job.tries(chunk)
  local texts = {}
  for i, try in ipairs(chunk.tries) do
    texts[i] = ("%d: %d-%d%s%s %s"):format(try.request, try.first, try.last,
      try.without[1] and " without " .. table.concat(try.without, " ") or "",
      try.refused[1] and " refusing " .. table.concat(try.refused, " ") or "", try.state)
  end
  return table.concat(texts, ", ")
end

--- What protocol says of a chunk of so many entries: "1-3 applied, 4 none refused".
function night_job.outcomes(chunk, count)
  local words = {}
  for i, range in ipairs(protocol.outcomes { count = count, tries = chunk.tries }) do
    words[i] = ("%s %s%s"):format(range.first == range.last and range.first or range.first .. "-" .. range.last,
      range.outcome, range.refused and " refused" or "")
  end
  return table.concat(words, ", ")
end

if arg and arg[0] and arg[0]:find("night_job%.lua$") then
  local url, path, file, kill_at = arg[1], arg[2], arg[3], tonumber(arg[4])
  local keeper, kept, run = night_job.begin(path)
  local n = 0
  night_job.watch(keeper, function()
    n = n + 1
    if n == kill_at then
      os.execute("kill -9 $PPID")
    end
  end)
  local res = assert(night_job.run(url, keeper, file, { job = { max_members = 4, concurrency = 2 } }))
  assert(kept:end_run(run, 2000, {}))
  keeper:close()
  assert(res:wait())
  print(n)
end

return night_job
