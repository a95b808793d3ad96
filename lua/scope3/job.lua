--- Sends the requests of one job, in order: each after the one before was accepted, and one that would reverse an
--- earlier operation only after the tasks of the earlier ones have ended (docs/contract.md section 5).
local errors = require "scope3.error"
local request = require "scope3.request"
local result = require "scope3.result"
local tasks = require "scope3.tasks"

---@class scope3.Job
local job = {}
job.__index = job

local GRACE = 5 -- seconds that a request under way is given when the job is stopped

--- Starts a job.
---@param client table
---@param audiences table[]  metadata of its audiences
---@param opts table  checked options
---@return scope3.Job
function job.new(client, audiences, opts)
  local transport = not opts.dry_run and client:transport() or nil
  local now = client.loop.now()
  return setmetatable({
    client = client,
    transport = transport,
    opts = opts,
    started = now,
    limits = { cancel = opts.cancel, grace = GRACE, deadline = opts.deadline and now + opts.deadline or nil },
    result = result.new(client, audiences),
    pending = {}, -- tasks accepted since the last barrier
    operations = {}, -- the operations of the requests accepted since then
    on_event = opts.on_event or client.on_event,
  }, job)
end

--- Seconds since the job began.
---@return number
function job:seconds()
  return self.client.loop.now() - self.started
end

local function path_of(client)
  return "/advertisers/" .. client.account_id .. "/audiences/sync"
end

-- The request under way has ended: its members are counted once, as sent, failed or unknown.
local function settle(self, data, err)
  local flight = self.flight
  self.flight = nil
  local call, entry, res = flight.call, flight.entry, self.result
  entry.attempts = call.attempts
  entry.send_end = self:seconds()
  entry.seconds = entry.send_end - entry.send_start
  res.retries = res.retries + math.max(0, call.attempts - 1)
  res.bytes_sent = res.bytes_sent + call.bytes_sent
  if flight.release then
    flight.release()
  end
  if data and type(data.taskId) ~= "string" and type(data.operationId) ~= "string" then
    data, err = nil, errors.new("http", "the service accepted the request but named no task",
      { code = "BAD_REPLY", uncertain = true })
  end
  if err then
    entry.state = err.uncertain and "unknown" or "failed"
    res[entry.state] = res[entry.state] + entry.members
    self.failure = self.failure or err
    return nil, err
  end
  entry.state = "accepted"
  entry.task_id = type(data.taskId) == "string" and data.taskId or data.operationId
  res.sent = res.sent + entry.members
  local task = { task_id = entry.task_id, status = "submitted" }
  res.tasks[#res.tasks + 1] = task
  self.pending[#self.pending + 1] = task
  self.on_event { event = "accepted", request = #res.requests, members = entry.members, task_id = entry.task_id }
  return true
end

--- Waits for the request under way.
---@return true?
---@return scope3.Error? err
function job:await()
  if not self.flight then
    return true
  end
  return settle(self, self.transport:await(self.flight.call, self.limits))
end

--- Moves the request under way on without waiting.
function job:pump()
  if self.transport then
    self.transport:pump()
    if self.flight and self.flight.call.done then
      settle(self, self.flight.call.data, self.flight.call.err)
    end
  end
end

--- True when a request with these operations holds the other one than a request that was accepted and whose task has not ended.
---@param adds integer
---@param removes integer
---@return boolean
function job:reverses(adds, removes)
  return (adds > 0 and self.operations.remove or removes > 0 and self.operations.add) == true
end

-- Waits for the tasks of the requests before. A task that failed stops the job: what follows depends on it.
local function barrier(self)
  self.on_event { event = "barrier", tasks = #self.pending }
  local ok, err = tasks.wait(self.client, self.pending, self.limits, self.opts, self.on_event)
  if not ok then
    self.failure = err
    return nil, err
  end
  self.pending, self.operations = {}, {}
  return true
end

--- Waits until every task of the requests so far has ended well.
---@return true?
---@return scope3.Error? err
function job:turn()
  local ok, err = self:await()
  if ok and not self.failure then
    ok, err = barrier(self)
  end
  if not ok or self.failure then
    return nil, err or self.failure
  end
  self.result.epochs = self.result.epochs + 1
  return true
end

--- Sends a request: waits until the one before was accepted, starts this one, and returns while it is under way.
---@param parts scope3.Part[]
---@param bytes integer  of the body
---@param release? fun()  called when the payloads are free again
---@param how? {began: number?, ordered: boolean?}  the second of the job at which building the payload began; `ordered` false: this request
---  has no id in common with those before it whose tasks have not ended, and need not wait for them
---@return true?
---@return scope3.Error? err  the job's failure: this request was then not sent
function job:send(parts, bytes, release, how)
  local began, ordered = how and how.began, not how or how.ordered ~= false
  local adds, removes = 0, 0
  for _, part in ipairs(parts) do
    adds, removes = adds + part.adds, removes + part.removes
  end
  local res = self.result
  local entry = { members = adds + removes, adds = adds, removes = removes, bytes = bytes, state = "sending", epoch = res.epochs,
    build_start = began, build_end = began and self:seconds() }
  if self.flight and not self.flight.call.done then
    self.on_event { event = "blocked" }
  end
  local ok, err = self:await()
  if ok and not self.failure and self.limits.cancel and self.limits.cancel() then
    self.failure = errors.new("cancelled", "stopped before everything was sent")
  end
  local operations = { add = adds > 0 or nil, remove = removes > 0 or nil }
  if ok and not self.failure and ordered and self:reverses(adds, removes) then
    ok, err = barrier(self)
  end
  if not ok or self.failure then
    entry.state = "failed"
    res.requests[#res.requests + 1] = entry
    res.failed = res.failed + entry.members
    if release then
      release()
    end
    return nil, err or self.failure
  end
  res.requests[#res.requests + 1] = entry
  if self.opts.dry_run then
    entry.state = "not sent"
    res.would_send = (res.would_send or 0) + entry.members
    if release then
      release()
    end
    return true
  end
  for operation in pairs(operations) do
    self.operations[operation] = true
  end
  local call = self.transport:start {
    method = "POST",
    path = path_of(self.client),
    body = request.body(parts, self.opts.push_notification_config),
    timeout = self.opts.timeout or 60 + bytes / 100000,
    on_event = self.on_event,
  }
  entry.send_start = self:seconds()
  self.flight = { call = call, entry = entry, release = release }
  self.on_event { event = "request", request = #res.requests, members = entry.members, bytes = bytes }
  return true
end

--- Stops without sending more. A request under way is given a few seconds to be answered.
---@param err scope3.Error
function job:stop(err)
  if self.flight then
    self.limits = { deadline = self.client.loop.now() + GRACE }
    self:await()
  end
  self.failure = err
end

--- Ends the job: waits for the last request, and gives the result or the failure with the result in it.
---@return scope3.Result?
---@return scope3.Error? err
function job:finish()
  self:await()
  local res = self.result
  res.seconds = self:seconds()
  if self.failure then
    self.failure.result = res
    return nil, self.failure
  end
  return res
end

return job
