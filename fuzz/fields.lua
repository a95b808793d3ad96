-- Structured fields (RFC 8941) through webhook/structured_fields.
-- A dictionary that is read is made of texts of the field, and reads the same when it is put together from them.
local core = require "scope3.core"
local structured_fields = require "scope3.webhook.structured_fields"

local VALUES = {
  string = "string", token = "string", bytes = "string", integer = "number", decimal = "number", boolean = "boolean",
  list = "table",
}

local function same(a, b)
  if a.type ~= b.type or a.text ~= b.text or (a.type ~= "list" and a.value ~= b.value) then
    return false
  end
  for name, param in pairs(a.params) do
    local other = b.params[name]
    if not other or other.type ~= param.type or other.value ~= param.value then
      return false
    end
  end
  for i, item in ipairs(a.type == "list" and a.value or {}) do
    if not b.value[i] or not same(item, b.value[i]) then
      return false
    end
  end
  return true
end

-- A string as RFC 8941 section 4.1.6 writes it.
local function quoted(text)
  return '"' .. text:gsub('["\\]', "\\%0") .. '"'
end

local function check_bare(item)
  assert(type(item.value) == VALUES[item.type], item.type)
  if item.type == "string" then
    assert(not item.value:find "[^ -~]", "a string of other than printable ASCII")
  elseif item.type == "integer" then
    assert(item.value % 1 == 0 and math.abs(item.value) < 1e15, "an integer of over 15 digits")
  elseif item.type == "decimal" then
    assert(math.abs(item.value) < 1e12, "a decimal of over 12 digits")
  end
end

local function check_item(item, text)
  assert(text:find(item.text, 1, true), "its text is not of the field")
  check_bare(item)
  for name, param in pairs(item.params) do
    assert(name:find "^[a-z*][a-z0-9_.*-]*$" and param.type ~= "list", "a parameter")
    check_bare(param)
  end
  for _, inner in ipairs(item.type == "list" and item.value or {}) do
    assert(inner.type ~= "list", "a list in a list")
    check_item(inner, text)
  end
  if item.type == "string" and next(item.params) == nil then
    assert(item.text == quoted(item.value), "a string that is written otherwise")
  end
end

-- The members once more, each alone and all together.
local function check_again(members, labels)
  local parts = {}
  for i, label in ipairs(labels) do
    local member = members[label]
    local is_flag = member.type == "boolean" and not member.text:find "^%?"
    parts[i] = label .. (is_flag and "" or "=") .. member.text
    local alone = assert(structured_fields.dictionary(" " .. parts[i] .. " "), "not alone")
    assert(same(alone[label], member), "another one alone")
  end
  local all, names = structured_fields.dictionary(table.concat(parts, ",\t "))
  if all == nil then -- with the blanks it is too long
    return
  end
  assert(table.concat(names, ",") == table.concat(labels, ","), "other labels")
  for _, label in ipairs(labels) do
    assert(same(all[label], members[label]), "another one among all")
  end
end

return function(text)
  local members, labels = structured_fields.dictionary(text)
  if not members then
    return
  end
  local seen = {}
  for _, label in ipairs(labels) do
    assert(not seen[label] and members[label], "a label twice, or without a member")
    seen[label] = true
    check_item(members[label], text)
  end
  for label in pairs(members) do
    assert(seen[label], "a member without a label")
  end
  check_again(members, labels)
  for _, label in ipairs(labels) do
    local both = text:match "^(.-) *$" .. "," .. label
    assert(structured_fields.dictionary(both) == nil, "a label twice is taken")
  end
  assert(core.lower(text))
end
