--- The sandbox's own routes under /sandbox, without a key: what was received, who is in an audience, and faults.
local entries = require "scope3.util.entries"
local faults = require "scope3.sandbox.faults"
local json = require "scope3.sandbox.json"
local settings = require "scope3.sandbox.settings"
local signing = require "scope3.sandbox.signing"
local state = require "scope3.sandbox.state"
local version = require "scope3.version"

local control = {}

local function answer(status, value)
  return { status = status, headers = { { "Content-Type", "application/json" } }, body = json.encode(value) }
end

local routes = {}

routes["GET /sandbox/config"] = function(sandbox)
  return answer(200, sandbox.config)
end

routes["PUT /sandbox/config"] = function(sandbox, _, body)
  local changes = json.decode(body)
  local problem = (type(changes) ~= "table" or json.is_array(changes)) and "it is no object of JSON"
    or settings.change(sandbox.config, changes)
  if problem then
    return answer(400, { error = problem })
  elseif changes.seed then
    sandbox.random = faults.random(changes.seed)
  end
  return answer(200, sandbox.config)
end

routes["GET /sandbox/members"] = function(sandbox, request)
  local audience = sandbox.state:account(request.query.account or "").by_id[request.query.audience or ""]
  if not audience then
    return answer(404, { error = "no such audience" })
  end
  if request.query.ids then
    local ids = json.array()
    for id in entries(audience.members) do
      ids[#ids + 1] = id
    end
    table.sort(ids)
    return answer(200, { count = audience.count, ids = ids })
  end
  local members = {}
  for id, stored in entries(audience.members) do
    members[id] = state.show_member(stored)
  end
  return answer(200, { count = audience.count, members = members })
end

routes["GET /sandbox/requests"] = function(sandbox)
  return answer(200, { count = #sandbox.log, requests = sandbox.log })
end

routes["GET /sandbox/applied"] = function(sandbox)
  return answer(200, { applied = json.array(sandbox.state.applied) })
end

-- An object of a body; an empty one where it is none.
local function object(body)
  local value = json.decode(body)
  return type(value) == "table" and not json.is_array(value) and value or {}
end

local function is_between(value, least, most)
  return type(value) == "number" and value >= least and value <= most
end

routes["PUT /sandbox/clock"] = function(sandbox, _, body)
  local seconds = object(body).advance
  if not is_between(seconds, 0, 1e9) then
    return answer(400, { error = "advance must be a number of seconds" })
  elseif sandbox.config.clock ~= "manual" then
    return answer(400, { error = "the clock is real: set clock to manual first" })
  end
  sandbox:advance(seconds)
  return answer(200, {})
end

routes["GET /sandbox/callbacks"] = function(sandbox)
  return answer(200, { callbacks = sandbox.callbacks })
end

routes["POST /sandbox/reset"] = function(sandbox)
  sandbox:reset()
  return answer(200, {})
end

-- Fields of an audience's row that can be set, to whatever a service may answer; `more` holds fields that it has
-- besides.
local EDITABLE = { status = "status", deleted = "deleted", name = "name", uploadedCount = "uploaded",
  matchedCount = "matched", more = "more" }

routes["PUT /sandbox/audience"] = function(sandbox, _, body)
  local asked = object(body)
  if type(asked.account) ~= "string" or type(asked.audienceId) ~= "string" or not is_between(asked.age or 0, -1e9, 1e9)
    or type(asked.more or {}) ~= "table" then
    return answer(400, { error = "account and audienceId must be strings, age a number of seconds, more an object" })
  end
  local audience = sandbox.state:audience(asked.account, asked.audienceId)
  audience.ready_at = nil
  for from, to in entries(EDITABLE) do
    if asked[from] ~= nil then
      audience[to] = asked[from]
    end
  end
  audience.updated = sandbox.clock() - (asked.age or 0)
  return answer(200, state.show_audience(audience))
end

routes["GET /.well-known/jwks.json"] = function()
  return answer(200, signing.jwks())
end

routes["GET /health"] = function()
  return answer(200, { status = "ok", version = "sandbox-" .. version, commitSha = ("0"):rep(40) })
end

--- The route of a control request, or nil.
function control.route(request)
  return routes[request.method .. " " .. request.path]
end

return control
