-- AdCP's own conformance vectors for callbacks, which its package for Node carries, against webhook.verify:
--   lua webhooks.lua FOLDER    (of test-vectors)
local json = require "scope3.util.json"
local target = require "scope3.webhook.target_uri"
local webhook = require "scope3.webhook"

local folder = arg[1]
local passed, failed = 0, 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return assert(json.decode(text))
end

local function list(path)
  local names = {}
  for name in io.popen("ls " .. path):lines() do
    names[#names + 1] = path .. "/" .. name
  end
  return names
end

local function judge(name, expected, got)
  if expected == got then
    passed = passed + 1
  else
    failed = failed + 1
    print(("%s: %s, not %s"):format(name, tostring(got), tostring(expected)))
  end
end

-- Vectors whose answer changed since: a request-signing key may sign callbacks (docs/contract.md section 6, step 8).
local CHANGED = { ["Signing key has adcp_use=request-signing instead of webhook-signing"] = "accepted" }

local function config_of(vector, known)
  local set, state = { keys = {} }, vector.test_harness_state or {}
  for _, kid in ipairs(vector.jwks_ref or {}) do
    set.keys[#set.keys + 1] = (vector.jwks_override or {})[kid] or known[kid]
  end
  local code = vector.expected_outcome.error_code or ""
  return {
    mode = "rfc9421", keys = set,
    now = function()
      return vector.reference_now
    end,
    revoked = function(keyid)
      return code:find("revocation_stale$") and "stale"
        or code:find("key_revoked$") and keyid == "test-revoked-webhook-2026"
    end,
    seen = function(keyid, nonce)
      for _, entry in ipairs(state.replay_cache_entries or {}) do
        if entry.keyid == keyid and entry.nonce == nonce then
          return true
        end
      end
      return code:find("rate_abuse$") and "full"
    end,
  }
end

local function run(path, prefix, only_step)
  local known = {}
  for _, key in ipairs(read(path .. "/keys.json").keys) do
    known[key.kid] = key
  end
  for _, kind in ipairs { "positive", "negative" } do
    for _, file in ipairs(list(path .. "/" .. kind)) do
      local vector = read(file)
      local outcome = vector.expected_outcome
      if not only_step or outcome.failed_step == only_step and not vector.name:find("IDN", 1, true)
        and not outcome.error_code:find("_required$") then
        local payload, err = webhook.verify(vector.request, config_of(vector, known))
        -- What is wrong with the payload is found behind the signature.
        local got = (payload or err.code == "webhook_payload_invalid") and "accepted" or err.code
        local expected = CHANGED[vector.name] or outcome.success and "accepted"
          or outcome.error_code:gsub("^request_", prefix)
        judge(file:match("[^/]+/[^/]+/[^/]+$"), expected, got)
      end
    end
  end
end

run(folder .. "/webhook-signing", "webhook_")
-- The profile of requests shares the first step; its later ones come behind a tag that callbacks must not have.
run(folder .. "/request-signing", "webhook_", 1)
for _, case in ipairs(read(folder .. "/request-signing/canonicalization.json").cases) do
  local found = target.parse(case.input_url)
  -- hosts come as ASCII; names in other scripts are the sender's to convert
  if case.reject or case.input_url:find("[\128-\255]") then
    judge(case.name, nil, found)
  else
    judge(case.name, case.expected_target_uri .. " " .. case.expected_authority,
      found and found.uri .. " " .. found.authority)
  end
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
