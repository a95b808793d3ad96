-- Lua 5.4 as one would write it today:
-- a CSV reader in Lua, luaossl, lua-cjson, digits of phones behind a plus, bodies of 40,000 members.
local cjson = require "cjson"
local digest = require "openssl.digest"

local function fields_of(line, source)
  local fields, at = {}, 1
  while true do
    if line:sub(at, at) == '"' then
      local from, text = at + 1, ""
      while true do
        local quote = line:find('"', from, true)
        if not quote then
          line = line .. "\n" .. source:read("l")
        elseif line:sub(quote + 1, quote + 1) == '"' then
          text, from = text .. line:sub(from, quote), quote + 2
        else
          fields[#fields + 1] = text .. line:sub(from, quote - 1)
          at = quote + 1
          break
        end
      end
    else
      local comma = line:find(",", at, true)
      fields[#fields + 1] = line:sub(at, comma and comma - 1)
      at = comma or #line + 1
    end
    if at > #line then
      return fields
    end
    at = at + 1
  end
end

local function sha256(text)
  return (digest.new("sha256"):final(text):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

local source, sink = assert(io.open(arg[1])), assert(io.open("/dev/null", "w"))
local columns = {}
for i, name in ipairs(fields_of(source:read("l"), source)) do
  columns[name] = i
end
local members = {}
local function send()
  sink:write(cjson.encode { accountId = "25", audiences = { { audienceId = "crm", add = members } } })
  members = {}
end
for line in source:lines() do
  local row = fields_of(line, source)
  members[#members + 1] = {
    externalId = row[columns["Customer Id"]],
    hashedEmail = sha256(row[columns.Email]:match("^%s*(.-)%s*$"):lower()),
    hashedPhone = sha256("+" .. row[columns["Phone 1"]]:gsub("%D", "")),
  }
  if #members == 40000 then
    send()
  end
end
send()
