-- Ways that grow in the memory of one process: no service is asked.
local cli = require "scope3.cli"
local core = require "scope3.core"
local scope3 = require "scope3"
local json = require "scope3.util.json"
local world = require "spec.support.world"

local memory = {}

local client = assert(scope3.client { api_key = "scope3_none", account_id = "25" })

--- Audiences of one member each, or to be deleted.
---@param n integer
---@param deleted? boolean
---@return scope3.Audience[]
function memory.audiences(n, deleted)
  local list = {}
  for i = 1, n do
    local one = assert(scope3.audience { id = "audience-" .. i })
    if deleted then
      one:delete()
    else
      assert(one:add { external_id = "x" .. i, email = ("a%d@example.com"):format(i) })
    end
    list[i] = one
  end
  return list
end

local function dry_sync(deleted)
  return function(n)
    local list = memory.audiences(n, deleted)
    return function()
      assert(client:sync(list, { dry_run = true }))
    end
  end
end

-- Rows of which none can be used.
local function refused_rows(n)
  local i = 0
  return function()
    i = i + 1
    return i <= n and { id = "x" .. i, mail = "none" } or nil
  end
end

local SCRIPT = { audience = "a", map = { external_id = "id", email = "mail" } }

local function rejects_told(n)
  return function()
    local told = 0
    assert(client:run(SCRIPT, refused_rows(n), { dry_run = true, on_reject = function()
      told = told + 1
    end }))
    assert(told >= n)
  end
end

local function rejects_written(n)
  local lines = { "id,mail" }
  for i = 1, n do
    lines[#lines + 1] = ("x%d,none"):format(i)
  end
  local rows, rejects = world.file(table.concat(lines, "\n"), ".csv"), world.path ".rejects"
  return function()
    cli.main { "sync", rows, "--account", "25", "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
      "--dry-run", "--quiet", "--rejects", rejects }
    assert(select(2, world.read(rejects):gsub("\n", "")) > n)
  end
end

-- The ids come twice, so that each replaces one of the epoch.
local function repeated_ids(n)
  return function()
    local stream = assert(client:stream("a", { dry_run = true, unique = true, max_members = 256 }))
    for i = 1, n do
      assert(stream:add { external_id = "x" .. i % (n / 2), email = "a@example.com" })
    end
    assert(stream:finish())
  end
end

local SECRET = ("s"):rep(32)

-- Callbacks of n tasks, and their headers.
local function signed_callbacks(n)
  local list, timestamp = {}, tostring(os.time())
  for i = 1, n do
    local body = json.encode { idempotency_key = ("%016d"):format(i), task_id = "task-" .. i, status = "completed" }
    list[i] = { method = "POST", url = "https://hooks.example.com/", body = body, headers = {
      ["X-ADCP-Timestamp"] = timestamp,
      ["X-ADCP-Signature"] = "sha256=" .. core.hmac_sha256(SECRET, timestamp, ".", body),
    } }
  end
  return list
end

local function callbacks_kept(n)
  local list, config = signed_callbacks(n), { mode = "hmac", secrets = { SECRET }, now = os.time }
  return function()
    local deliveries = scope3.webhook.deliveries()
    for _, request in ipairs(list) do
      local payload = assert(scope3.webhook.verify(request, config))
      assert(deliveries:add(payload.idempotency_key, request.body))
      assert(deliveries:keep(payload.idempotency_key, request.body))
    end
  end
end

-- Nonces of one key, and as many again when all of those have expired.
local function nonces_kept(n)
  return function()
    local now = 0
    local cache = scope3.webhook.replay_cache { now = function()
      return now
    end }
    for round = 1, 2 do
      for i = 1, n do
        assert(cache:seen("key", round .. "-" .. i, now + 300, now) == false)
      end
      now = now + 1000
    end
  end
end

memory.WAYS = {
  { "audiences_dry", 1000, dry_sync(false), "audiences of a client:sync, dry run" },
  { "deletions_dry", 1000, dry_sync(true), "deletions of a client:sync, dry run" },
  { "rejects", 2000, rejects_told, "rejections told to on_reject" },
  { "rejects_file", 2000, rejects_written, "rejections that the command writes to a file" },
  { "repeats", 1000, repeated_ids, "members of a stream in epochs, of which half have the id of another one" },
  { "callbacks", 500, callbacks_kept, "callbacks verified, handled and kept" },
  { "nonces", 500, nonces_kept, "nonces kept, and as many after those have expired" },
}

return memory
