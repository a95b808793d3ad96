--- Decides what the end of a task means for the members of its request.

local completion = {}

---@class scope3.TaskOutcome
---@field state "completed"|"partly failed"|"failed"
---@field members? integer  that failed; nil where none did
---@field audiences? string[]  ids of those whose members failed, where others' did not
---@field removes? integer  of these, the removals
---@field parts? scope3.Part[]|false  that they are in, where their payloads stay as they are
---@field error? string
---@field transient? boolean  the reason passes
---@field retry_after? number  seconds that the service asks to wait

-- The members of a request that failed with its task: those of the audiences that the error names, where it names some
-- of the request's; else all. Gives their number, the removals among them, their parts, and the ids of the audiences
-- where these are not all.
local function failed_share(work, err)
  local named, members, removes, parts, ids = {}, 0, 0, {}, {}
  for _, id in ipairs(err and err.audiences or {}) do
    named[id] = true
  end
  for _, share in ipairs(work.shares or {}) do
    if named[share.id] then
      members, removes = members + share.adds + share.removes, removes + share.removes
      parts[#parts + 1], ids[#ids + 1] = share.part, share.id
    end
  end
  if #parts == 0 or #parts == #work.shares then
    return work.entry.members, work.entry.removes, work.parts
  end
  return members, removes, work.parts and parts, ids
end

--- What the end of a task means.
---@param work scope3.TaskWork
---@param status string  the task's last
---@param err? scope3.Error  why it failed
---@return scope3.TaskOutcome
function completion.of(work, status, err)
  if status == "completed" then
    return { state = "completed" }
  end
  local members, removes, parts, ids = failed_share(work, err)
  return {
    state = members < work.entry.members and "partly failed" or "failed",
    members = members, removes = removes, parts = parts, audiences = ids,
    error = err and err.message, transient = err and err.retryable, retry_after = err and err.retry_after,
  }
end

return completion
