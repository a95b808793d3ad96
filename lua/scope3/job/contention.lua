--- Jobs of this Lua state that are on one audience at the same time. The service may process their requests in any
--- order: where one adds and another removes, nobody can say whom the audience has in the end. Both jobs warn of it.
--- Other processes are not seen.
local result = require "scope3.result"

local contention = {}

-- Service, account and audience -> the jobs on it. A job that nobody holds any longer is on none.
local at_work = {}

local function key_of(job, id)
  return job.client.base .. "\0" .. tostring(job.client.account_id) .. "\0" .. id
end

local function warn(job, id)
  job.contended = job.contended or {}
  if not job.contended[id] then
    job.contended[id] = true
    result.warn(job.result, "audience_contended",
      ("another job was at the audience %s at the same time, and one of them adds while the other "
      .. "removes: the service may take their requests in any order"):format(id), { audience_id = id })
  end
end

--- A job begins.
---@param job scope3.Job
---@param audiences {id: string}[]
function contention.enter(job, audiences)
  if not job.transport then
    return -- a dry run sends nothing
  end
  job.audience_ids = {}
  for i, audience in ipairs(audiences) do
    local key = key_of(job, audience.id)
    job.audience_ids[i] = audience.id
    at_work[key] = at_work[key] or setmetatable({}, { __mode = "k" })
    at_work[key][job] = {}
  end
end

--- A request of a job is about to go.
---@param job scope3.Job
---@param req {parts: scope3.Part[]}
function contention.note(job, req)
  for _, part in ipairs(req.parts) do
    local id = part.audience.id
    local jobs = at_work[key_of(job, id)]
    local mine = jobs and jobs[job]
    if mine then
      mine.adds, mine.removes = mine.adds or part.adds > 0, mine.removes or part.removes > 0 or part.delete
      for other, theirs in pairs(jobs) do
        if other ~= job and (mine.adds and theirs.removes or mine.removes and theirs.adds) then
          warn(job, id)
          warn(other, id)
        end
      end
    end
  end
end

--- A job has ended.
---@param job scope3.Job
function contention.leave(job)
  for _, id in ipairs(job.audience_ids or {}) do
    local key = key_of(job, id)
    local jobs = at_work[key]
    if jobs then
      jobs[job] = nil
      at_work[key] = next(jobs) and jobs or nil
    end
  end
end

return contention
