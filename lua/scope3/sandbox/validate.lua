--- What the service refuses in a sync request, every problem with its path (docs/contract.md section 2). A null is no
--- value that is missing: where a string is due, it is refused as a number would be.
local json = require "scope3.sandbox.json"

local CONSENT = { consent = true, legitimate_interest = true, contract = true, legal_obligation = true }
local SCHEMES = { Bearer = true, ["HMAC-SHA256"] = true }

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

local function is_hash(value)
  return type(value) == "string" and #value == 64 and not value:find("[^0-9a-f]")
end

-- Whether a value is a string of so many characters: code points, as JSON Schema counts.
local function is_text(value, least, most)
  if type(value) ~= "string" then
    return false
  end
  local _, continuation = value:gsub("[\128-\191]", "")
  local n = #value - continuation
  return n >= least and n <= (most or math.huge)
end

-- An URL as parsers of URLs take it: a scheme, a host, nothing that must be escaped.
local function is_url(value)
  return type(value) == "string" and value:find("^[Hh][Tt][Tt][Pp][Ss]?://[^/?#%s]") ~= nil
    and not value:find("[%z\1-\32\127]")
end

---@class scope3.sandbox.Checker  one request
---@field issues {path: string, message: string}[]
---@field limits table
---@field disliked table<string, boolean>
---@field members integer  added and removed, all audiences together
local Checker = {}
Checker.__index = Checker

function Checker:note(path, message)
  if #self.issues < self.limits.issues_listed then
    self.issues[#self.issues + 1] = { path = path, message = message }
  end
end

function Checker:uids(uids, path)
  if not json.is_array(uids) or #uids == 0 then
    return self:note(path, "must be an array with at least one entry")
  end
  for i, uid in ipairs(uids) do
    local at = ("%s[%d]"):format(path, i - 1)
    if not is_object(uid) then
      self:note(at, "must be an object")
    else
      for _, key in ipairs { "type", "value" } do
        if not is_text(uid[key], 1) then
          self:note(at .. "." .. key, "must be a non-empty string")
        end
      end
    end
  end
end

-- The fields of a member, as the schema has them.
function Checker:fields(member, path)
  if not is_text(member.externalId, 1) then
    self:note(path .. ".externalId", "must be a non-empty string")
  end
  for _, key in ipairs { "hashedEmail", "hashedPhone" } do
    if member[key] ~= nil and not is_hash(member[key]) then
      self:note(path .. "." .. key, "must match ^[0-9a-f]{64}$")
    end
  end
  if member.uids ~= nil then
    self:uids(member.uids, path .. ".uids")
  end
end

-- What the service's prose asks of a member beyond the schema. An id that is added twice has no defined winner.
function Checker:rules(member, path, seen)
  local id = member.externalId
  if self.disliked[id] then
    self:note(path .. (seen and ".hashedEmail" or ".externalId"), "is not accepted")
  end
  if not seen then
    return
  elseif type(id) == "string" and seen[id] then
    self:note(path .. ".externalId", "is repeated in this list")
  end
  seen[type(id) == "string" and id or 0] = true
  if member.hashedEmail == nil and member.hashedPhone == nil and member.uids == nil then
    self:note(path, "needs at least one of hashedEmail, hashedPhone, uids")
  end
end

-- A list of members. `seen` takes the ids of one that adds; `ignored` is a list that nothing becomes of.
function Checker:list(list, path, seen, ignored)
  if list == nil then
    return
  elseif not json.is_array(list) then
    return self:note(path, "must be an array")
  elseif #list > self.limits.max_members then
    self:note(path, ("must have at most %d entries"):format(self.limits.max_members))
  end
  for i = 1, #list do
    local at = ("%s[%d]"):format(path, i - 1)
    if not is_object(list[i]) then
      self:note(at, "must be an object")
    else
      self:fields(list[i], at)
      if not ignored then
        self:rules(list[i], at, seen)
      end
    end
  end
  self.members = self.members + (ignored and 0 or #list)
end

function Checker:audience(audience, path, seen)
  if not is_object(audience) then
    return self:note(path, "must be an object")
  end
  local id = audience.audienceId
  if not is_text(id, 1, 255) then
    self:note(path .. ".audienceId", "must be a string of 1 to 255 characters")
  elseif seen[id] then
    self:note(path .. ".audienceId", "is repeated in this request")
  else
    seen[id] = true
  end
  if audience.delete ~= nil and type(audience.delete) ~= "boolean" then
    self:note(path .. ".delete", "must be a boolean")
  end
  if audience.name ~= nil and not is_text(audience.name, 0, 255) then
    self:note(path .. ".name", "must be a string of at most 255 characters")
  end
  if audience.consentBasis ~= nil and not CONSENT[audience.consentBasis] then
    self:note(path .. ".consentBasis", "must be one of consent, legitimate_interest, contract, legal_obligation")
  end
  -- Members sent with a deletion are ignored, but their types are checked.
  local ignored = audience.delete == true
  self:list(audience.add, path .. ".add", {}, ignored)
  self:list(audience.remove, path .. ".remove", nil, ignored)
end

function Checker:authentication(auth, at)
  if not is_object(auth) then
    return self:note(at, "must be an object")
  end
  if not json.is_array(auth.schemes) or #auth.schemes ~= 1 or not SCHEMES[auth.schemes[1]] then
    self:note(at .. ".schemes", "must be an array of one entry, Bearer or HMAC-SHA256")
  end
  if not is_text(auth.credentials, 32) then
    self:note(at .. ".credentials", "must have at least 32 characters")
  end
end

function Checker:push(push)
  local at = "pushNotificationConfig"
  if not is_object(push) then
    return self:note(at, "must be an object")
  end
  if not is_url(push.url) then
    self:note(at .. ".url", "must be a URL")
  end
  local id = push.operation_id
  if id ~= nil and (not is_text(id, 1, 255) or id:find("[^A-Za-z0-9_.:-]")) then
    self:note(at .. ".operation_id", "must match ^[A-Za-z0-9_.:-]{1,255}$")
  end
  if push.token ~= nil and not is_text(push.token, 16, 4096) then
    self:note(at .. ".token", "must have 16 to 4096 characters")
  end
  if push.authentication ~= nil then
    self:authentication(push.authentication, at .. ".authentication")
  end
end

--- Issues of one request.
---@param body any  decoded
---@param limits {max_members: integer, issues_listed: integer, refuse: string[]|false}  `issues_listed`: a real service
---  does not list a hundred thousand; `refuse`: external ids that it does not like
---@return {path: string, message: string}[] issues  empty when it is fine
return function(body, limits)
  local self = setmetatable({ issues = json.array {}, limits = limits, disliked = {}, members = 0 }, Checker)
  for _, id in ipairs(limits.refuse or {}) do
    self.disliked[id] = true
  end
  if not is_object(body) then
    self:note("", "must be an object")
    return self.issues
  end
  if not json.is_array(body.audiences) or #body.audiences == 0 then
    self:note("audiences", "must be an array with at least one entry")
  else
    local seen = {}
    for i, audience in ipairs(body.audiences) do
      self:audience(audience, ("audiences[%d]"):format(i - 1), seen)
    end
  end
  if self.members > limits.max_members then
    self:note("audiences", ("%d members, at most %d in one call"):format(self.members, limits.max_members))
  end
  if body.deleteMissing ~= nil and type(body.deleteMissing) ~= "boolean" then
    self:note("deleteMissing", "must be a boolean")
  end
  if body.pushNotificationConfig ~= nil then
    self:push(body.pushNotificationConfig)
  end
  return self.issues
end
