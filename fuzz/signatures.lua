-- Callbacks under RFC 9421 through webhook/signature_base, target_uri and the whole verification.
-- The signature base is one line a component and can be read back; what is accepted is covered, fresh, and new.
--
-- An input is a request: a line with method and URL, lines "Name: value" (in which \n is a line end), an empty line,
-- the body. The signature "sig" counts as right here: what stands behind it is reached, and the base is looked at.
local core = require "scope3.core"
local errors = require "scope3.error"
local headers = require "scope3.webhook.headers"
local sha256 = require "fuzz.model.sha256"
local signature_base = require "scope3.webhook.signature_base"
local structured_fields = require "scope3.webhook.structured_fields"
local target_uri = require "scope3.webhook.target_uri"

local NOW = 1776520800
local RIGHT = "sig"
local signed -- the base that was verified last

package.loaded["scope3.crypto"] = {
  ed25519 = function()
    return {
      verify = function(_, base, bytes)
        signed = base
        return bytes == RIGHT
      end,
    }
  end,
}
local webhook = require "scope3.webhook"

local KEY = { kid = "k", use = "sig", key_ops = { "verify" }, adcp_use = "webhook-signing", kty = "OKP",
  crv = "Ed25519", alg = "EdDSA", x = ("A"):rep(43) }
local COVERED = { "@method", "@target-uri", "@authority", "content-type", "content-digest" }

local function read_request(input)
  local method, url, rest = input:match "^(%S+) ([^\n]*)\n(.*)$"
  local lines, body = (rest or ""):match "^(.-)\n\n(.*)$"
  if not lines then
    return nil
  end
  local fields = {}
  for name, value in lines:gmatch "([^:\n]+):([^\n]*)" do
    fields[name] = fields[name] or {}
    table.insert(fields[name], (value:gsub("\\n", "\n")))
  end
  return { method = method, url = url, headers = fields, body = body }
end

-- --- the parts ---------------------------------------------------------------------------------------------------

local function check_target(url)
  local target = target_uri.parse(url)
  if not target then
    return nil
  end
  assert(target.uri == target.scheme .. "://" .. target.authority .. target.path .. (target.query or ""), "its parts")
  assert(target.path:sub(1, 1) == "/" and not ("/" .. target.path .. "/"):find("/%.%.?/"), "dots are left")
  assert(core.lower(target.authority) == target.authority, "capitals are left")
  local again = assert(target_uri.parse(target.uri), "its own form is none")
  assert(again.uri == target.uri, "not canonical")
  return target
end

-- The components of a base, which are its lines, as they were asked for.
local function check_base(base, input, request)
  local lines = {}
  for line in (base .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  assert(#lines == #input.value + 1 and not base:find "[%z\r]", "a line too many or too few")
  for i, component in ipairs(input.value) do
    assert(lines[i]:sub(1, #component.text + 2) == component.text .. ": ", "a line of another component")
  end
  assert(lines[#lines] == '"@signature-params": ' .. input.text, "the last line")
  assert(lines[1] == nil or not lines[1]:find('"@method": ', 1, true)
    or lines[1] == '"@method": ' .. request.method, "another method")
end

local function check_bases(request, fields, target)
  local members, labels = structured_fields.dictionary(headers.all(fields, "signature-input") or "")
  for _, label in ipairs(labels or {}) do
    local input, is_plain = members[label], true
    for _, item in ipairs(input.type == "list" and input.value or {}) do
      is_plain = is_plain and item.type == "string"
    end
    local base = input.type == "list" and is_plain and signature_base.build(request, fields, target, input)
    if base then
      check_base(base, input, request)
    end
  end
end

-- --- the whole ---------------------------------------------------------------------------------------------------

local function verify(request, seen, now)
  local payload, err = webhook.verify(request, { mode = "rfc9421", seen = seen, keys = { keys = { KEY } },
    now = function()
      return now
    end })
  if payload then
    return payload
  end
  assert(errors.is(err) and err.kind == "webhook" and type(err.code) == "string", "no error")
  assert(type(err.status) == "number" and err.message ~= "", "an error that says nothing")
  return nil, err.code
end

local function check_accepted(request, fields, seen)
  for _, name in ipairs(COVERED) do
    assert(("\n" .. signed):find('\n"' .. name .. '": ', 1, true), name .. " is not covered")
  end
  local digests = structured_fields.dictionary(headers.all(fields, "content-digest"))
  assert(core.hex(digests["sha-256"].value) == sha256.hex(request.body), "another body")
  assert(select(2, verify(request, seen, NOW)) == "webhook_signature_replayed", "taken twice")
  local fresh = webhook.replay_cache()
  assert(verify(request, fresh, NOW + 700) == nil, "taken too late")
  assert(verify(request, fresh, NOW - 700) == nil, "taken too early")
  request.body = request.body .. " "
  assert(select(2, verify(request, fresh, NOW)) == "webhook_signature_digest_mismatch", "a longer body is taken")
end

return function(input)
  local request = read_request(input)
  local fields = request and headers.collect(request.headers)
  if not fields then
    return
  end
  local target = check_target(request.url)
  if target then
    check_bases(request, fields, target)
  end
  local seen = webhook.replay_cache()
  signed = nil
  if verify(request, seen, NOW) then
    check_accepted(request, fields, seen)
  end
end
