-- Representative jobs, whatever is to fail meanwhile. Each is a table of functions:
--   prepare()  makes everything as it was before the job
--   act()      runs the job while things fail; gives the message of a clean error, or nothing
--   check()    when nothing fails any more: runs it again, or resumes it; gives what is wrong, or nothing
-- `files` names what the job writes, for the spec that has files fail.
local errors = require "scope3.error"
local journal = require "scope3.job.journal"
local scope3 = require "scope3"
local service = require "spec.torture.service"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local jobs = {}

---@class torture.Place  where a job runs
---@field url string  of a sandbox
---@field folder string  for its files
---@field gzip? string  a packed file of ROWS

-- Every third is removed again, further on than a request reaches.
local function make_rows()
  local lines, left = { "id,hash" }, {}
  for i = 1, 14 do
    local id = "person" .. (i - 1) % 10
    local removed = i > 10 and i % 2 == 0
    lines[#lines + 1] = ("%s,%s"):format(id, removed and "" or ("%064x"):format(i))
    left[id] = not removed or nil
  end
  local ids = {}
  for id in pairs(left) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  return table.concat(lines, "\n") .. "\n", ids
end

local LEFT -- the ids that are in the audience at the end
jobs.ROWS, LEFT = make_rows()

--- Texts that nothing of a job may hold but its requests.
jobs.PERSONAL = { "person%d", ("0"):rep(20), "@example" }

-- A client whose waits take no time. It keeps an engine of its own until it is closed.
local function new_client(place, options)
  local all = {
    api_key = "scope3_test_key", account_id = "25", base_url = place.url, rate = 100000, loop = virtual.loop(),
  }
  for key, value in pairs(options or {}) do
    all[key] = value
  end
  return scope3.client(all)
end

local function close_client(client)
  local shared = require("scope3.http.engines").get(client.loop)
  if shared.engine then
    shared.engine:close()
    shared.engine, shared.calls = nil, {}
  end
end

local function personal(text)
  for _, pattern in ipairs(jobs.PERSONAL) do
    if text:find(pattern) then
      return ("holds personal data: %s"):format(pattern)
    end
  end
end

-- What is wrong with a result.
local function problem_of(result)
  local fine, why = pcall(world.assert_sums, result)
  return not fine and tostring(why) or personal(result:json())
end

-- What is wrong with who is in an audience.
local function wrong_members(place, audience, ids)
  local found = service.ids(place, audience)
  table.sort(found)
  local is, should = table.concat(found, " "), table.concat(ids, " ")
  return is ~= should and ("in the audience: %s; meant: %s"):format(is, should) or nil
end

local function write_rows(place)
  local path = place.folder .. "/rows.csv"
  world.write(path, jobs.ROWS)
  return path
end

-- A job of rows: a member for each, and a removal for one without a hash.
local function run_rows(client, path, options)
  return client:run({
    audience = "a", max_members = 4, unique = true, concurrency = 2, in_doubt_timeout = 259200,
    member = function(row)
      return { external_id = row.id, hashed_email = row.hash ~= "" and row.hash or nil, remove = row.hash == "" }
    end,
  }, path, options)
end

local ATTEMPTS = 8 -- of a request that may have been accepted, while memory is out for its answers

-- Whether more was accepted again than the result says of it.
local function twice(place, result)
  local accepted, unsure = 0, 0
  for _, request in ipairs(result.requests) do
    accepted = accepted + (request.task_id and 1 or 0)
    unsure = unsure + (request.possibly_twice and (place.answers_fail and ATTEMPTS or 1) or 0)
  end
  local replies = 0
  for _, request in ipairs(service.control(place, "GET", "requests").requests) do
    replies = replies + (request.kind == "sync" and request.status == 202 and 1 or 0)
  end
  return replies - accepted > unsure and ("%d requests were accepted again, %d are said to be unsure"):format(
    replies - accepted, unsure) or nil
end

-- A call of the client, waited for, as a job: `call(client)` gives a result.
local function job_of(place, call, options)
  local self = {}

  -- What memory runs out for may raise, which leaves the client open.
  local function close()
    if self.client then
      close_client(self.client)
      self.client = nil
    end
  end

  function self.attempt()
    local client, err = new_client(place, options)
    if not client then
      return nil, err
    end
    self.client = client
    local result, ended
    result, err = call(client)
    if result then
      ended, err = result:wait { timeout = 100000, interval = 0.01 }
    end
    self.result = result or type(err) == "table" and err.result or nil
    close()
    return ended, err
  end

  function self.prepare()
    self.result = nil
    service.reset(place)
  end

  function self.act()
    local ended, err = self.attempt()
    return not ended and tostring(err) or nil
  end

  -- It goes on as if nothing had been.
  function self.check()
    close()
    collectgarbage() -- what an error of memory has left
    collectgarbage()
    local problem = self.result and problem_of(self.result)
    local ended, err = self.attempt()
    problem = problem or self.result and problem_of(self.result) or not ended and tostring(err)
    return problem or wrong_members(place, "a", self.left or LEFT)
  end

  return self
end

function jobs.file(place)
  local path = write_rows(place)
  return job_of(place, function(client)
    return run_rows(client, path)
  end)
end

function jobs.gzip(place)
  return job_of(place, function(client)
    return run_rows(client, place.gzip)
  end)
end

function jobs.sync(place)
  local self = job_of(place, function(client)
    local audience = scope3.audience { id = "a", name = "A" }
    audience:add { external_id = "person1", email = "one@example.org" }
    audience:add { external_id = "person2", phone = "+493012345678" }
    audience:add { external_id = "person3", email = "three@example.org" }
    audience:remove { external_id = "person3" }
    return client:sync(audience)
  end)
  self.left = { "person1", "person2" }
  return self
end

function jobs.stream(place)
  local self = job_of(place, function(client)
    local stream, err = client:stream({ id = "a" }, { max_members = 2, in_doubt_timeout = 259200 })
    if not stream then
      return nil, err
    end
    for i = 1, 5 do
      stream:add { external_id = "person" .. i, email = i .. "@example.org" }
    end
    stream:remove { external_id = "person2" }
    return stream:finish()
  end)
  self.left = { "person1", "person3", "person4", "person5" }
  return self
end

function jobs.delete_missing(place)
  local self = job_of(place, function(client)
    local audience = scope3.audience { id = "a" }
    audience:add { external_id = "person1", email = "one@example.org" }
    return client:sync(audience, { delete_missing = { "old" } })
  end)
  local prepare, check = self.prepare, self.check
  self.left = { "person1" }

  function self.prepare()
    prepare()
    local client = assert(new_client(place))
    local old = scope3.audience { id = "old" }
    old:add { external_id = "person9", email = "nine@example.org" }
    assert(assert(client:sync(old)):wait { timeout = 100000 })
    close_client(client)
  end

  function self.check()
    local problem = check()
    local client = assert(new_client(place))
    local left = client:audience "old"
    close_client(client)
    return problem or left and not left.deleted and "an audience was not deleted" or nil
  end

  return self
end

function jobs.journal(place)
  local path, rows = place.folder .. "/work.journal", write_rows(place)
  local self = job_of(place, function(client)
    return run_rows(client, rows, { journal = path })
  end)
  local prepare, check = self.prepare, self.check
  self.files = "work.journal"

  function self.prepare()
    prepare()
    os.remove(path)
  end

  function self.check()
    local problem = check()
    return problem or twice(place, self.result) or personal(world.read(path))
  end

  return self
end

--- A job that is resumed while things fail, after it had been stopped half way.
function jobs.resume(place)
  local self = jobs.journal(place)
  local path, prepare = place.folder .. "/work.journal", self.prepare

  function self.prepare()
    prepare()
    local keeper, left = journal.file(path), 3
    local begin = keeper.begin
    keeper.begin = function(this, record)
      left = left - 1
      if left < 0 then
        return nil, errors.new("journal", "stopped here")
      end
      return begin(this, record)
    end
    local client = assert(new_client(place))
    assert(not run_rows(client, place.folder .. "/rows.csv", { journal = keeper }))
    close_client(client)
    local file = assert(io.open(path, "ab")) -- and by a crash, which left half a line
    file:write '{"type":"begin","requ'
    file:close()
  end

  return self
end

jobs.webhook = require "spec.torture.webhook_job"
jobs.collector = require "spec.torture.collector_job"

function jobs.limiter(place)
  local path, rows = place.folder .. "/work.limiter", write_rows(place)
  local self = job_of(place, function(client)
    return run_rows(client, rows)
  end, { limiter = path })
  local prepare, check = self.prepare, self.check
  self.files = "work.limiter"

  function self.prepare()
    prepare()
    os.remove(path)
  end

  function self.check()
    return check() or personal(world.read(path))
  end

  return self
end

-- Opens a connection to Redis, and asks it for something of everything.
local function ask_redis(place)
  local connection, err = require("scope3.redis").open { url = place.redis, loop = "blocking" }
  local text, replies = ("x"):rep(100000), nil
  if connection then
    replies, err = connection:pipeline { { "SET", "a", text }, { "GET", "a" }, { "KEYS", "a*" } }
  end
  if replies then
    assert(replies[2] == text and replies[3][1] == "a", "another reply")
    replies, err = connection:script("return ARGV[1]", {}, { 5 })
  end
  if connection then
    connection:close()
  end
  return not replies and tostring(err) or nil
end

function jobs.redis(place)
  local shared = require("scope3.http.engines").get { name = "blocking" }
  local function act()
    local message = ask_redis(place)
    local engine = shared.engine
    shared.engine = nil -- first, as nothing may fail between the two
    return engine and engine:close() or message
  end
  return { prepare = function() end, act = act, check = act }
end

return jobs
