--- Emails, phones and universal ids, one value at a time (docs/contract.md section 7).
local core = require "scope3.core"
local options = require "scope3.options"

local identity = {}

local function check_text(name, value)
  if type(value) ~= "string" then
    error(("%s: the value must be a string, not a %s"):format(name, type(value)), 3)
  end
end

-- The three functions of a kind that is normalised and then hashed. `spec` is of its options; a text stands for the one named `short`.
local function hashed_kind(name, spec, short, normalize)
  local kind = {}

  local function read_options(what, opts)
    if short and type(opts) == "string" then
      opts = { [short] = opts }
    end
    local checked = options.check(what, opts, spec, 3) -- no tail call: it would take a function from those that are counted
    return checked
  end

  --- The form that is hashed.
  ---@param raw string
  ---@param opts? string|{mend: boolean?}|{region: string?, phone_repairs: "all"|string[]|nil}  of an email: `mend` false refuses what would
  --- otherwise be mended, such as mailto:. Of a phone: its country (a text alone is this), and repairs that go beyond libphonenumber, off by default
  ---@return string? normal
  ---@return string[]|string|nil repairs  what was mended; the reason, a key such as "email_no_at", where there is no result
  ---@return string|string[]|nil text  the reason for people; of a phone that was read, the steps that libphonenumber takes too, for people
  function kind.normalize(raw, opts)
    check_text(name .. ".normalize", raw)
    opts = read_options(name .. ".normalize", opts)
    return normalize(raw, opts)
  end

  --- What is sent: 64 lowercase hex digits. A value that is a SHA-256 already is never hashed again.
  ---@param raw string
  ---@param opts? string|table  as in normalize
  ---@return string? hash
  ---@return string[]|string|nil repairs
  ---@return string? text
  function kind.hash(raw, opts)
    check_text(name .. ".hash", raw)
    opts = read_options(name .. ".hash", opts)
    local already, why, text = core.hashed(raw)
    if already or why then
      return already, why, text
    end
    local normal
    normal, why, text = normalize(raw, opts)
    if not normal then
      return nil, why, text
    end
    return core.sha256(normal), why
  end

  --- Whether a value can be used, raw or hashed already.
  ---@param raw string
  ---@param opts? string|table  as in normalize
  ---@return true?
  ---@return string[]|string|nil repairs
  ---@return string? text
  function kind.check(raw, opts)
    check_text(name .. ".check", raw)
    local hash, why, text = kind.hash(raw, opts)
    if not hash then
      return nil, why, text
    end
    return true, why
  end

  return kind
end

identity.email_options = { mend = "boolean" }
identity.email = hashed_kind("scope3.email", identity.email_options, nil, function(raw, opts)
  return core.email_normalize(raw, opts.mend ~= false)
end)
identity.phone_options = { region = "string", phone_repairs = { some_of = core.phone_repairs } }
identity.phone = hashed_kind("scope3.phone", identity.phone_options, "region", function(raw, opts)
  return core.phone_normalize(raw, opts.region, opts.phone_repairs and options.some(opts.phone_repairs, core.phone_repairs))
end)
--- The release of libphonenumber that phones are validated by.
identity.phone.metadata_version = core.phone_metadata_version

--- What becomes of external ids that are emails or phones, which are raw identities: refused (where nothing is said),
--- hashed, or sent as they are.
identity.IDS = { "refuse", "hash", "as_is" }

--- How a job or an audience reads identifiers: options of all kinds.
identity.options = options.merge(identity.email_options, identity.phone_options, { ids = identity.IDS })

--- The fields of a core.builder for checked options.
---@param opts {mend: boolean?, ids: "refuse"|"hash"|"as_is"|nil, region: string?, phone_repairs: "all"|string[]|nil}
---@return {mend: boolean?, ids: string?, region: string?, phone_repairs: string[]?}
function identity.reading(opts)
  return { mend = opts.mend, ids = opts.ids, region = opts.region,
    phone_repairs = opts.phone_repairs and options.some(opts.phone_repairs, core.phone_repairs) }
end

identity.external_id = {}

--- The id that is sent for a value, as members get it.
---@param raw string
---@param opts? {mend: boolean?, ids: "refuse"|"hash"|"as_is"|nil, region: string?, phone_repairs: "all"|string[]|nil}
---  as in scope3.JobOptions
---@return string? id
---@return string[]|string|nil repairs  what was mended; the reason, a key such as "id_email", where there is no result
---@return string? text  the reason for people
function identity.external_id.normalize(raw, opts)
  check_text("scope3.external_id.normalize", raw)
  opts = options.check("scope3.external_id.normalize", opts, identity.options, 2)
  local reading = identity.reading(opts)
  return core.id_read(raw, reading.mend, reading.ids, reading.region, reading.phone_repairs)
end

--- The rules by which identifiers are read. A journal holds it: the members of one job must be read by one set of rules. The first number grows with
--- every change of rules of ours.
identity.version = ("4, Unicode 17, phones %s"):format(core.phone_metadata_version)

identity.uid = {}

--- Whether a universal id can be sent. It goes as it is, without what stands round it: never hashed, never case-folded.
---@param type_ string  such as "uid2", in any spelling
---@param value string
---@return true?
---@return string[]|string|nil repairs  what was mended; the reason where it cannot be sent
---@return string? text
function identity.uid.check(type_, value)
  check_text("scope3.uid.check", type_)
  check_text("scope3.uid.check", value)
  return core.uid_check(type_, value)
end

return identity
