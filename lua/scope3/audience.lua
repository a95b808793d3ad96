--- An audience built in memory. Members are normalised and hashed as they are added, and raw values are not kept.
local arguments = require "scope3.util.arguments"
local body_size = require "scope3.api.body_size"
local core = require "scope3.core"
local errors = require "scope3.error"
local identity = require "scope3.identity"
local options = require "scope3.util.options"
local rare = require "scope3.util.rare"
local validate = require "scope3.api.validate"

---@class scope3.AudienceMeta  what an audience is at the service
---@field id string|integer  a whole number stands for its text
---@field name? string
---@field consent_basis? "consent"|"legitimate_interest"|"contract"|"legal_obligation"

---@class scope3.Audience
---@field id string
---@field name? string
---@field consent_basis? string
---@field deleted boolean
local Audience = {}
Audience.__index = Audience
Audience.__name = "scope3.audience"

local audience = {}

local LARGEST = 64 * 2 ^ 20 -- bytes of a request
local ROOM = 1 / 64 -- of a request, for what stands round the members of its audiences

local META = { id = "id", name = "string", consent_basis = "string" }

--- What is wrong with an argument that names an audience: an id, or `{ id =, name =, consent_basis = }`.
---@param value any
---@return string?
function audience.problem(value)
  if options.is_id(value) then
    return nil
  elseif type(value) ~= "table" then
    return "audience must be an id, or a table with id, name and consent_basis, not " .. arguments.kind(value)
  elseif getmetatable(value) == Audience then
    return "audience: is a scope3.audience, which holds its own members and goes with client:sync: give its id here"
  end
  local problem = options.problem(value, META)
  return problem and "audience: " .. problem
end

--- The id, name and consent basis of an argument that names an audience.
---@param value string|integer|scope3.AudienceMeta  without a problem
---@return {id: string, name: string?, consent_basis: string?}
function audience.read(value)
  if options.is_id(value) then
    return { id = options.id(value) }
  end
  return { id = options.id(value.id), name = value.name, consent_basis = value.consent_basis }
end

--- Reads an argument that names an audience; raises on misuse.
---@param what string  the function, for the message
---@param value any
---@param level integer  whom to blame, as error() counts in the caller
---@return {id: string, name: string?, consent_basis: string?}
function audience.meta(what, value, level)
  local problem = audience.problem(value)
  if problem then
    error(what .. ": " .. problem, level + 1)
  end
  return audience.read(value)
end

-- Bytes for the members of a request.
local function room_in(size)
  return math.floor(size * (1 - ROOM))
end

-- Adds a payload whose members fit into the request that goes after those of the payloads before it.
local function add_payload(self)
  local payloads = self.payloads
  local last = payloads[#payloads]
  self.size = last and body_size.after(self.size, last:bytes(), LARGEST) or self.size
  payloads[#payloads + 1] = core.payload { max_members = rare.number("payload_members", validate.MAX_MEMBERS),
    max_bytes = room_in(self.size) }
end

--- Makes an audience in memory.
---
---     local audience = assert(scope3.audience({ id = "newsletter", name = "Newsletter" }, { region = "DE" }))
---
---@param meta string|integer|scope3.AudienceMeta  an id, or a table
---@param opts? scope3.ReadingOptions  how its members are read
---@return scope3.Audience?
---@return scope3.Error? err  kind "invalid" lists every problem
function audience.new(meta, opts)
  meta = audience.meta("scope3.audience", meta, 2)
  opts = options.check("scope3.audience", opts, identity.options, 2)
  local issues = {}
  validate.audience(issues, meta, "audience")
  validate.options(issues, opts)
  if #issues > 0 then
    return nil, errors.invalid("audience", issues)
  end
  return setmetatable({
    id = meta.id, name = meta.name, consent_basis = meta.consent_basis, deleted = false,
    builder = core.builder(options.merge(identity.reading(opts), { max_member = room_in(body_size.first()) })),
    payloads = {}, size = body_size.first(), -- of the request that the last payload goes with, at most
    waits = false, -- a member for room: a field from the start, because to add one may find no memory
  }, Audience)
end

-- Moves a member that had no room into a new payload. Where memory runs out the member waits for the next call.
local function flush(self)
  local payloads = self.payloads
  while self.waits do
    add_payload(self)
    self.waits = not self.builder:flush(payloads[#payloads])
  end
end

local function add(self, member, remove)
  local payloads = self.payloads
  flush(self)
  if #payloads == 0 then
    add_payload(self)
  end
  local added, reason = self.builder:add(payloads[#payloads], member, remove, 3,
    remove and "audience:remove" or "audience:add")
  if added == nil then
    local because = self.builder:because()
    return nil, errors.new("invalid", "the member was rejected: " .. identity.why(reason, because),
      { code = reason, because = because })
  end
  self.waits = added == false
  flush(self)
  return true
end

---@class scope3.Member
---@field external_id string|integer  a number only when it is exact
---@field email? string  raw, or hashed already
---@field phone? string  raw, or hashed already
---@field region? string  the country of a phone in national form
---@field hashed_email? string
---@field hashed_phone? string
---@field uids? scope3.Uid[]|table<string, string>  an array, or a table from types to values
---@field remove? boolean  removes the member; only in what member(row) of a script returns

---@class scope3.Uid
---@field type string  such as "uid2"
---@field value string

--- Adds a member. An identifier that cannot be used is dropped and counted. A member without any left is rejected.
---
---     local ok, err = audience:add { external_id = "17", email = "jane@example.com", phone = "+4930901820" }
---
---@param member scope3.Member
---@return true?
---@return scope3.Error? err  kind "invalid"; `code` is the reason
function Audience:add(member)
  arguments.self(audience.is(self), "audience:add", "scope3.audience", self)
  local added, err = add(self, member, false) -- no tail call: misuse is blamed on the third function
  return added, err
end

--- Removes a member from the audience. Only `external_id` is needed.
---@param member scope3.Member
---@return true?
---@return scope3.Error? err  kind "invalid"; `code` is the reason
function Audience:remove(member)
  arguments.self(audience.is(self), "audience:remove", "scope3.audience", self)
  local added, err = add(self, member, true)
  return added, err
end

--- Marks the whole audience to be deleted at the service. Its members are then not sent.
---@return scope3.Audience self
function Audience:delete()
  arguments.self(audience.is(self), "audience:delete", "scope3.audience", self)
  self.deleted = true
  return self
end

--- Counts the members to add and to remove. A repeated external id counts once within about 100,000 members.
---@return integer adds
---@return integer removes
function Audience:count()
  arguments.self(audience.is(self), "audience:count", "scope3.audience", self)
  flush(self)
  local adds, removes = 0, 0
  for _, payload in ipairs(self.payloads) do
    local a, r = payload:living()
    adds, removes = adds + a, removes + r
  end
  return adds, removes
end

--- Counts the identifiers of the members of an audience.
---@private
---@param self scope3.Audience
---@return integer emails
---@return integer phones
---@return integer uids
---@return integer prehashed  of these: identifiers that came hashed already
function audience.identifiers(self)
  local emails, phones, uids, prehashed = 0, 0, 0, 0
  for _, payload in ipairs(self.deleted and {} or self.payloads) do
    local e, p, u, h = payload:identifiers()
    emails, phones, uids, prehashed = emails + e, phones + p, uids + u, prehashed + h
  end
  return emails, phones, uids, prehashed
end

--- Whether a value is an audience in memory.
---@private
---@param value any
---@return boolean
function audience.is(value)
  return getmetatable(value) == Audience
end

return audience
