--- The sandbox's own routes under /sandbox, without a key: what was received, who is in an audience, and how to misbehave.
local door = require "scope3.door"
local faults = require "scope3.sandbox.faults"
local json = require "scope3.sandbox.json"
local signing = require "scope3.sandbox.signing"
local state_of = require "scope3.sandbox.state"

local control = {}

local function answer(status, value)
  return { status = status, headers = { { "Content-Type", "application/json" } }, body = json.encode(value) }
end

--- What may be set, with its default; false stands for "not set".
control.DEFAULTS = {
  accounts = false, keys = false, envelope = "bare", task_seconds = 0.2, audience_seconds = 0.1, retry_after = 0.1,
  min_size = 100,
  match_rate = 0.7, task_outcomes = json.array(), task_lengths = json.array(), task_shows_after = 0,
  task_order = "in", max_take = 250,
  pagination = "body", rate_limit = false,
  rate_form = "fields",
  seed = 1, clock = "real", task_jitter = 0, task_shares = false, date_skew = 0, retry_after_form = "seconds",
  max_body = 64 * 1024 * 1024, max_members = 100000, refuse = false, issues_listed = 100, faults = json.array(),
}

-- What those are that are not set by default; one of them may be a text, too.
local TYPES = { accounts = "table", keys = "table", rate_limit = "number", task_shares = "table", refuse = "table" }
local TEXTS = { retry_after = true }

-- What is wrong with the type of a setting, or nil.
local function type_problem(key, value)
  local want = TYPES[key] or type(control.DEFAULTS[key])
  if value == json.null or value == false or type(value) == want and value == value then
    return nil
  elseif TEXTS[key] and type(value) == "string" then
    return nil
  end
  return door.problem(key, "a " .. want, value)
end

--- Changes settings; nil, or what is wrong with them.
---@param config table  is changed
---@param changes table
---@return string?
function control.configure(config, changes)
  for key, value in pairs(changes) do
    local problem = control.DEFAULTS[key] ~= nil and type_problem(key, value)
    if control.DEFAULTS[key] == nil then
      return "unknown setting " .. door.name(key)
    elseif problem then
      return problem
    elseif key == "faults" then
      for _, rule in ipairs(value) do
        if type(rule) ~= "table" or not faults.ACTIONS[rule.act] or type(rule.on) ~= "string" then
          return "a fault needs on and a known act"
        end
      end
    end
    if value == json.null then
      value = false
    end
    config[key] = value
  end
end

-- task_order: "in" ends tasks when their time has come, "reversed" the later ones first, "strict" each after all before it.
-- task_lengths: seconds that the next tasks take, one each, before task_seconds and task_jitter count again.
-- task_shows_after: seconds for which a new task is not found.
-- Statuses by which tasks may end, for task_outcomes and task_shares: never (it goes on), completed, failed:transient,
-- failed:correctable, failed:terminal, canceled, rejected, input-required, auth-required, audience-error.

local routes = {}

routes["GET /sandbox/config"] = function(sandbox)
  return answer(200, sandbox.config)
end

routes["PUT /sandbox/config"] = function(sandbox, _, body)
  local changes = json.decode(body)
  local problem = type(changes) ~= "table" and "not JSON" or control.configure(sandbox.config, changes)
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
    for id in pairs(audience.members) do
      ids[#ids + 1] = id
    end
    table.sort(ids)
    return answer(200, { count = audience.count, ids = ids })
  end
  local members = {}
  for id, stored in pairs(audience.members) do
    members[id] = state_of.show_member(stored)
  end
  return answer(200, { count = audience.count, members = members })
end

routes["GET /sandbox/requests"] = function(sandbox)
  return answer(200, { count = #sandbox.log, requests = sandbox.log })
end

routes["GET /sandbox/applied"] = function(sandbox)
  return answer(200, { applied = json.array(sandbox.state.applied) })
end

routes["PUT /sandbox/clock"] = function(sandbox, _, body)
  sandbox:advance((json.decode(body) or {}).advance or 0)
  return answer(200, {})
end

routes["GET /sandbox/callbacks"] = function(sandbox)
  return answer(200, { callbacks = sandbox.callbacks })
end

routes["POST /sandbox/reset"] = function(sandbox)
  sandbox:reset()
  return answer(200, {})
end

local EDITABLE = { status = "status", deleted = "deleted", name = "name", uploadedCount = "uploaded", matchedCount = "matched" }

routes["PUT /sandbox/audience"] = function(sandbox, _, body)
  local asked = json.decode(body) or {}
  local audience = sandbox.state:audience(asked.account, asked.audienceId)
  audience.ready_at = nil
  for from, to in pairs(EDITABLE) do
    if asked[from] ~= nil then
      audience[to] = asked[from]
    end
  end
  audience.updated = sandbox.clock() - (asked.age or 0)
  return answer(200, state_of.show_audience(audience))
end

routes["GET /.well-known/jwks.json"] = function()
  return answer(200, signing.jwks())
end

routes["GET /health"] = function()
  return answer(200, { status = "ok" })
end

--- The route of a control request, or nil.
function control.route(request)
  return routes[request.method .. " " .. request.path]
end

return control
