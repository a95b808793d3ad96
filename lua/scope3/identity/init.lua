--- Emails, phones and universal ids, one value at a time (docs/contract.md section 7).
local arguments = require "scope3.util.arguments"
local core = require "scope3.core"
local errors = require "scope3.error"
local options = require "scope3.util.options"

local identity = {}

-- One error for each reason, made at its first use: refusing a value makes no garbage.
local rejections = {}

-- The error of a reason. An error that a caller has written to is made anew.
local function rejection_of(reason)
  local err, text = rejections[reason], core.reasons[reason]
  if not err or err.kind ~= "invalid" or err.code ~= reason or err.message ~= text then
    err = errors.new("invalid", text, { code = reason })
    rejections[reason] = err
  end
  return err
end

-- The results of a C function, with an error in place of a reason.
local function shaped(value, why, more)
  if value then
    return value, why, more
  end
  return nil, rejection_of(why)
end

local function check_text(what, name, value)
  if type(value) ~= "string" then
    error(what .. ": " .. arguments.problem(name, "a string", value), 3)
  end
end

-- The three functions of a kind of identifier that is normalised and then hashed. `spec` names its options. A text in
-- place of options is the value of the option `short`.
local function hashed_kind(name, spec, short, normalize)
  local kind = {}

  local function read_options(what, opts)
    if short and type(opts) == "string" then
      opts = { [short] = opts }
    end
    local checked = options.check(what, opts, spec, 3) -- no tail call: levels count functions
    return checked
  end

  -- As kind.hash(), with checked options.
  local function hash(raw, opts)
    local already, why = core.hashed(raw)
    if already or why then
      return already, why
    end
    local normal
    normal, why = normalize(raw, opts)
    if not normal then
      return nil, why
    end
    return core.sha256(normal), why
  end

  function kind.normalize(raw, opts)
    check_text(name .. ".normalize", "raw", raw)
    opts = read_options(name .. ".normalize", opts)
    return shaped(normalize(raw, opts))
  end

  function kind.hash(raw, opts)
    check_text(name .. ".hash", "raw", raw)
    opts = read_options(name .. ".hash", opts)
    return shaped(hash(raw, opts))
  end

  function kind.check(raw, opts)
    check_text(name .. ".check", "raw", raw)
    opts = read_options(name .. ".check", opts)
    local value, why = hash(raw, opts)
    return shaped(value and true, why)
  end

  return kind
end

---@class scope3.EmailOptions
---@field repair? boolean  false refuses what would otherwise be repaired, such as mailto:

---@class scope3.EmailFunctions
---@field normalize fun(raw: string, opts?: scope3.EmailOptions): string?, string[]|scope3.Error|nil  the form that is
---  hashed, and what was repaired; or nil and an error, whose `code` is the reason, such as "email_no_at"
---@field hash fun(raw: string, opts?: scope3.EmailOptions): string?, string[]|scope3.Error|nil  what is sent: 64
---  lowercase hex digits. A value that is a SHA-256 already is never hashed again
---@field check fun(raw: string, opts?: scope3.EmailOptions): true?, string[]|scope3.Error|nil  whether it can be used,
---  raw or hashed already

---@class scope3.PhoneOptions
---@field region? string  the country of a phone in national form
---@field phone_repairs? "all"|string[]  repairs that go beyond libphonenumber (none)

---@class scope3.PhoneFunctions  a text in place of `opts` is the region
---@field normalize fun(raw: string, opts?: string|scope3.PhoneOptions): string?, string[]|scope3.Error|nil, string[]?
---  E.164, what was repaired, and the steps of libphonenumber for people; or nil and an error, whose `code` is a reason
---@field hash fun(raw: string, opts?: string|scope3.PhoneOptions): string?, string[]|scope3.Error|nil
---@field check fun(raw: string, opts?: string|scope3.PhoneOptions): true?, string[]|scope3.Error|nil
---@field metadata_version string  the release of libphonenumber that phones are validated by

---@class scope3.ReadingOptions: scope3.EmailOptions, scope3.PhoneOptions  how identifiers are read
---@field ids? "refuse"|"hash"|"as_is"  what becomes of external ids that are emails or phones

---@class scope3.IdFunctions
---@field normalize fun(raw: string|integer, opts?: scope3.ReadingOptions): string?, string[]|scope3.Error|nil  the id
---  that is sent, and what was repaired; or nil and an error, whose `code` is the reason, such as "id_email"

---@class scope3.UidFunctions
---@field check fun(type: string, value: string): true?, string[]|scope3.Error|nil  whether a universal id can be sent.
---  It is sent as it is, without what stands round it: never hashed, never case-folded. The type is one such as
---  "uid2", in any spelling

identity.email_options = { repair = "boolean" }
---@type scope3.EmailFunctions
identity.email = hashed_kind("scope3.email", identity.email_options, nil, function(raw, opts)
  return core.email_normalize(raw, opts.repair ~= false)
end)
local function repairs_of(opts)
  return opts.phone_repairs and options.some(opts.phone_repairs, core.phone_repairs)
end

identity.phone_options = { region = "string", phone_repairs = { some_of = core.phone_repairs } }
---@type scope3.PhoneFunctions
identity.phone = hashed_kind("scope3.phone", identity.phone_options, "region", function(raw, opts)
  return core.phone_normalize(raw, opts.region, repairs_of(opts))
end)
identity.phone.metadata_version = core.phone_metadata_version

--- What becomes of external ids that are emails or phones, which are raw identities: refused (where nothing is said),
--- hashed, or sent as they are.
identity.IDS = { "refuse", "hash", "as_is" }

--- How a job or an audience reads identifiers: options of all kinds.
identity.options = options.merge(identity.email_options, identity.phone_options, { ids = identity.IDS })

--- Why a member was rejected, in words.
---@param reason string  a key
---@param because? string  the key of the first identifier that was dropped, where none is left for that
---@return string
function identity.why(reason, because)
  return core.reasons[reason] .. (because and (" (%s)"):format(core.reasons[because]) or "")
end

--- The fields of a core.builder for checked options.
---@param opts {repair: boolean?, ids: "refuse"|"hash"|"as_is"|nil, region: string?, phone_repairs: "all"|string[]|nil}
---@return {repair: boolean?, ids: string?, region: string?, phone_repairs: string[]?}
function identity.reading(opts)
  return { repair = opts.repair, ids = opts.ids, region = opts.region,
    phone_repairs = repairs_of(opts) }
end

---@type scope3.IdFunctions
identity.external_id = {
  normalize = function(raw, opts)
    if type(raw) ~= "string" and not options.is_id(raw) then
      local problem = arguments.problem("raw", "a string or a whole number below 2^53", raw)
      error("scope3.external_id.normalize: " .. problem, 2)
    end
    opts = options.check("scope3.external_id.normalize", opts, identity.options, 2)
    local reading = identity.reading(opts)
    return shaped(core.id_read(options.id(raw), reading.repair, reading.ids, reading.region, reading.phone_repairs))
  end,
}

--- The version of the rules for reading identifiers. A journal holds it: the members of one job must be read by one set
--- of rules. The first number grows with every change of this library's rules.
identity.version = ("6, Unicode 17, phones %s"):format(core.phone_metadata_version)

---@type scope3.UidFunctions
identity.uid = {
  check = function(type_, value)
    check_text("scope3.uid.check", "type", type_)
    check_text("scope3.uid.check", "value", value)
    return shaped(core.uid_check(type_, value))
  end,
}

return identity
