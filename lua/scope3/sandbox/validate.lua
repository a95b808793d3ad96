--- What the service refuses in a sync request, every problem with its path (docs/contract.md section 2).
local json = require "scope3.sandbox.json"

local null = json.null

local CONSENT = { consent = true, legitimate_interest = true, contract = true, legal_obligation = true }

local function absent(value)
  return value == nil or value == null
end

local function is_array(value)
  return type(value) == "table" and (value[1] ~= nil or next(value) == nil)
end

local function is_hash(value)
  return type(value) == "string" and #value == 64 and not value:find("[^0-9a-f]")
end

local function characters(text)
  local _, continuation = text:gsub("[\128-\191]", "")
  return #text - continuation
end

--- Issues of one request.
---@param body any  decoded
---@param limits {max_members: integer, issues_listed: integer, refuse: string[]|false}  `issues_listed`: a real service does not list a hundred
---  thousand; `refuse`: external ids that it does not like
---@return {path: string, message: string}[] issues  empty when it is fine
return function(body, limits)
  local issues = json.array {}
  local disliked = {}
  for _, id in ipairs(limits.refuse or {}) do
    disliked[id] = true
  end
  local function note(path, message)
    if #issues < limits.issues_listed then
      issues[#issues + 1] = { path = path, message = message }
    end
  end

  local function check_uids(uids, path)
    if not is_array(uids) or #uids == 0 then
      return note(path, "must be an array with at least one entry")
    end
    for i, uid in ipairs(uids) do
      local at = ("%s[%d]"):format(path, i - 1)
      if type(uid) ~= "table" then
        note(at, "must be an object")
      else
        for _, key in ipairs { "type", "value" } do
          if type(uid[key]) ~= "string" or uid[key] == "" then
            note(at .. "." .. key, "must be a non-empty string")
          end
        end
      end
    end
  end

  local function check_member(member, path, is_add, seen)
    if type(member) ~= "table" then
      return note(path, "must be an object")
    end
    local id = member.externalId
    if type(id) ~= "string" or id == "" then
      note(path .. ".externalId", "must be a non-empty string")
    elseif seen[id] then
      note(path .. ".externalId", "is repeated in this request")
    else
      seen[id] = true
    end
    if disliked[id] then
      note(path .. (is_add and ".hashedEmail" or ".externalId"), "is not accepted")
    end
    if not is_add then
      return
    end
    local identifiers = 0
    for _, key in ipairs { "hashedEmail", "hashedPhone" } do
      if not absent(member[key]) then
        identifiers = identifiers + 1
        if not is_hash(member[key]) then
          note(path .. "." .. key, "must match ^[0-9a-f]{64}$")
        end
      end
    end
    if not absent(member.uids) then
      identifiers = identifiers + 1
      check_uids(member.uids, path .. ".uids")
    end
    if identifiers == 0 then
      note(path, "needs at least one of hashedEmail, hashedPhone, uids")
    end
  end

  local function check_members(list, path, is_add, seen)
    if absent(list) then
      return 0
    elseif not is_array(list) then
      note(path, "must be an array")
      return 0
    end
    for i = 1, #list do
      check_member(list[i], ("%s[%d]"):format(path, i - 1), is_add, seen)
    end
    return #list
  end

  local function check_audience(audience, path, seen_audiences)
    if type(audience) ~= "table" then
      note(path, "must be an object")
      return 0
    end
    local id = audience.audienceId
    if type(id) ~= "string" or characters(id) < 1 or characters(id) > 255 then
      note(path .. ".audienceId", "must be a string of 1 to 255 characters")
    elseif seen_audiences[id] then
      note(path .. ".audienceId", "is repeated in this request")
    else
      seen_audiences[id] = true
    end
    if not absent(audience.delete) and type(audience.delete) ~= "boolean" then
      note(path .. ".delete", "must be a boolean")
    elseif audience.delete == true then
      return 0
    end
    if not absent(audience.name) and (type(audience.name) ~= "string" or characters(audience.name) > 255) then
      note(path .. ".name", "must be a string of at most 255 characters")
    end
    if not absent(audience.consentBasis) and not CONSENT[audience.consentBasis] then
      note(path .. ".consentBasis", "must be one of consent, legitimate_interest, contract, legal_obligation")
    end
    local seen = {}
    return check_members(audience.add, path .. ".add", true, seen)
      + check_members(audience.remove, path .. ".remove", false, seen)
  end

  local function check_push(push)
    local at = "pushNotificationConfig"
    if type(push) ~= "table" then
      return note(at, "must be an object")
    end
    if type(push.url) ~= "string" or not push.url:find("^https?://[^/]") then
      note(at .. ".url", "must be a URL")
    end
    local id = push.operation_id
    if not absent(id) and (type(id) ~= "string" or #id < 1 or #id > 255 or id:find("[^%w_.:%-]")) then
      note(at .. ".operation_id", "must match ^[A-Za-z0-9_.:-]{1,255}$")
    end
    if not absent(push.token) and (type(push.token) ~= "string" or #push.token < 16 or #push.token > 4096) then
      note(at .. ".token", "must have 16 to 4096 characters")
    end
    local auth = push.authentication
    if not absent(auth) then
      local scheme = type(auth) == "table" and type(auth.schemes) == "table" and auth.schemes[1]
      if scheme ~= "Bearer" and scheme ~= "HMAC-SHA256" then
        note(at .. ".authentication.schemes", "must hold Bearer or HMAC-SHA256")
      end
      if type(auth) ~= "table" or type(auth.credentials) ~= "string" or #auth.credentials < 32 then
        note(at .. ".authentication.credentials", "must have at least 32 characters")
      end
    end
  end

  if type(body) ~= "table" then
    note("", "must be an object")
    return issues
  end
  if not is_array(body.audiences) or #body.audiences == 0 then
    note("audiences", "must be an array with at least one entry")
    return issues
  end
  local members, seen = 0, {}
  for i, audience in ipairs(body.audiences) do
    members = members + check_audience(audience, ("audiences[%d]"):format(i - 1), seen)
  end
  if members > limits.max_members then
    note("audiences", ("%d members, at most %d in one call"):format(members, limits.max_members))
  end
  if not absent(body.deleteMissing) and type(body.deleteMissing) ~= "boolean" then
    note("deleteMissing", "must be a boolean")
  end
  if not absent(body.pushNotificationConfig) then
    check_push(body.pushNotificationConfig)
  end
  return issues
end
