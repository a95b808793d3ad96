--- Decides what an interrupted job has left to send of a batch, by what its journal says of an earlier run.
local splitter = require "scope3.job.splitter"

local resume = {}

-- The request that deletes has no members, and is one whole.
local function range_of(batch, range)
  return batch.delete_missing and batch.parts or { splitter.range(batch.parts[1], range.first, range.last) }
end

--- What a batch is recognised by in a journal.
---@param batch scope3.Batch
---@return string
function resume.digest(batch)
  return batch.delete_missing and "delete_missing" or batch.parts[1].payload:digest()
end

--- The parts of a request of an earlier run, and what the new request takes over from it.
---@param batch scope3.Batch
---@param past scope3.PastRequest
---@return scope3.Part[]
---@return table from
function resume.earlier(batch, past)
  return range_of(batch, past), {
    without = past.without, replaced = past.replaced, uncertain = past.uncertain or past.state == "unknown" or nil,
  }
end

--- Members of a batch that the service rejected in an earlier run.
---@param batch scope3.Batch
---@param indexes integer[]
---@return scope3.RejectedMember[]
function resume.rejected(batch, indexes)
  local part, list = batch.parts[1], {}
  for i, index in ipairs(indexes) do
    list[i] = { part = part, index = index, row = part.payload:row(index),
      issue = { path = "", message = "the service refused it in an earlier run" } }
  end
  return list
end

--- What was not sent of a batch, in lists that are no larger than the service takes.
---@param batch scope3.Batch
---@param past? scope3.BatchPast  nil where the journal does not know the batch
---@param max_bytes? integer  of a body
---@param push? table  where the service is to report what became of its tasks
---@return scope3.Part[][]
function resume.left(batch, past, max_bytes, push)
  local lists = { batch.parts }
  if past then
    lists = {}
    for i, gap in ipairs(past.left) do
      lists[i] = batch.delete_missing and batch.parts or splitter.living(range_of(batch, gap))
    end
  end
  local fitting = {}
  for _, parts in ipairs(lists) do
    if #parts > 0 then
      for _, list in ipairs(splitter.fit(parts, not batch.delete_missing and max_bytes or nil, push)) do
        fitting[#fitting + 1] = list
      end
    end
  end
  return fitting
end

return resume
