--- The requests that members of several audiences become.
local planner = require "scope3.job.planner"
local splitter = require "scope3.job.splitter"

local audience_requests = {}

local function requests(entries, opts)
  local audiences = {}
  for i, entry in ipairs(entries) do
    local of = entry.audience
    audiences[i] = { id = of.id, name = of.name, consent_basis = of.consent_basis, payloads = { entry.payload } }
  end
  local lists = planner.plan(audiences, { max_members = opts.max_members, max_bytes = opts.max_bytes,
    push = opts.push_notification_config })
  if lists then
    return lists
  end
  lists = {} -- a member does not fit any more, because its audience has a longer name now
  for i, audience in ipairs(audiences) do
    local payload = audience.payloads[1]
    lists[i] = { splitter.range({ audience = audience, payload = payload }, 1, payload:count()) }
  end
  return lists
end

--- Plans them. Audiences that may not exist, because members are only removed from them, have requests of their own.
---@param payloads scope3.AudiencePayloads
---@param known scope3.KnownAudiences
---@param opts table  checked options of the jobs: max_members, max_bytes, push_notification_config
---@return scope3.Part[][] lists  a request each
function audience_requests.plan(payloads, known, opts)
  local sure, unsure = {}, {}
  for _, entry in ipairs(payloads.list) do
    local adds = entry.payload:living()
    if entry.living > 0 then
      table.insert((adds > 0 or known:has(entry.audience.id)) and sure or unsure, entry)
    end
  end
  local lists = requests(sure, opts)
  for _, parts in ipairs(requests(unsure, opts)) do
    lists[#lists + 1] = parts
  end
  return lists
end

return audience_requests
