-- A JSON Schema (the part of draft 2020-12 that is used) of the sync request, written from docs/contract.md section 2, and a small
-- validator of exactly these keywords. `pattern` holds Lua patterns. Values are decoded by lua-cjson, which cannot tell [] from {}.
local schema = {}

local hash = { type = "string", pattern = "^%x+$", minLength = 64, maxLength = 64, lowercase = true }

local added = {
  type = "object", required = { "externalId" }, additionalProperties = false,
  properties = {
    externalId = { type = "string", minLength = 1 },
    hashedEmail = hash,
    hashedPhone = hash,
    uids = { type = "array", minItems = 1, items = {
      type = "object", required = { "type", "value" }, additionalProperties = false,
      properties = { type = { type = "string", minLength = 1 }, value = { type = "string", minLength = 1 } },
    } },
  },
  anyOf = { { required = { "hashedEmail" } }, { required = { "hashedPhone" } }, { required = { "uids" } } },
}

local removed = {
  type = "object", required = { "externalId" }, additionalProperties = false,
  properties = { externalId = { type = "string", minLength = 1 } },
}

schema.sync_request = {
  type = "object", required = { "audiences" }, additionalProperties = false,
  properties = {
    audiences = { type = "array", minItems = 1, items = {
      type = "object", required = { "audienceId" }, additionalProperties = false,
      properties = {
        audienceId = { type = "string", minLength = 1, maxLength = 255 },
        name = { type = "string", maxLength = 255 },
        consentBasis = { enum = { "consent", "legitimate_interest", "contract", "legal_obligation" } },
        add = { type = "array", minItems = 1, maxItems = 100000, items = added },
        remove = { type = "array", minItems = 1, maxItems = 100000, items = removed },
        delete = { type = "boolean" },
      },
    } },
    deleteMissing = { type = "boolean" },
    pushNotificationConfig = {
      type = "object", required = { "url" }, additionalProperties = false,
      properties = {
        url = { type = "string", pattern = "^https?://" },
        operation_id = { type = "string", pattern = "^[%w_.:-]+$", maxLength = 255 },
        token = { type = "string", minLength = 16, maxLength = 4096 },
        authentication = { type = "object", required = { "schemes", "credentials" }, additionalProperties = false, properties = {
          schemes = { type = "array", minItems = 1, maxItems = 1, items = { enum = { "Bearer", "HMAC-SHA256" } } },
          credentials = { type = "string", minLength = 32 },
        } },
      },
    },
  },
}

local function length(text)
  local _, continuation = text:gsub("[\128-\191]", "")
  return #text - continuation
end

local function is_array(value)
  return type(value) == "table" and (value[1] ~= nil or next(value) == nil)
end

local function is_type(value, name)
  if name == "array" then
    return is_array(value)
  elseif name == "object" then
    return type(value) == "table" and value[1] == nil
  end
  return type(value) == name
end

local check

local function check_table(rule, value, path, problems)
  for _, key in ipairs(rule.required or {}) do
    if value[key] == nil then
      problems[#problems + 1] = path .. "." .. key .. " is missing"
    end
  end
  if rule.properties then
    for key, item in pairs(value) do
      if rule.properties[key] then
        check(rule.properties[key], item, path .. "." .. tostring(key), problems)
      elseif rule.additionalProperties == false then
        problems[#problems + 1] = path .. "." .. tostring(key) .. " is not known"
      end
    end
  end
  if rule.items then
    if #value < (rule.minItems or 0) or #value > (rule.maxItems or math.huge) then
      problems[#problems + 1] = path .. " has too few or too many items"
    end
    for i, item in ipairs(value) do
      check(rule.items, item, ("%s[%d]"):format(path, i - 1), problems)
    end
  end
  if rule.anyOf then
    for _, option in ipairs(rule.anyOf) do
      local tried = {}
      check(option, value, path, tried)
      if #tried == 0 then
        return
      end
    end
    problems[#problems + 1] = path .. " fits none of anyOf"
  end
end

function check(rule, value, path, problems)
  if rule.type and not is_type(value, rule.type) then
    problems[#problems + 1] = path .. " must be of type " .. rule.type
    return
  end
  if rule.enum then
    local found = false
    for _, allowed in ipairs(rule.enum) do
      found = found or allowed == value
    end
    if not found then
      problems[#problems + 1] = path .. " is not one of the enum"
    end
  end
  if type(value) == "string" then
    if length(value) < (rule.minLength or 0) or length(value) > (rule.maxLength or math.huge) then
      problems[#problems + 1] = path .. " is too short or too long"
    end
    if (rule.pattern and not value:find(rule.pattern)) or (rule.lowercase and value:find("%u")) then
      problems[#problems + 1] = path .. " does not match"
    end
  elseif type(value) == "table" then
    check_table(rule, value, path, problems)
  end
end

--- Problems of a value, an empty list when there are none.
function schema.problems(rule, value)
  local problems = {}
  check(rule, value, "$", problems)
  return problems
end

return schema
