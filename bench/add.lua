-- What adding a ready table costs:
-- no file is read and no row is looked at, the members stand in memory before the clock starts.
--   lua bench/add.lua [ROUNDS]
local scope3 = require "scope3"

-- Small audiences, so that their memory is there already after the first:
-- touching new pages costs more than the members.
local MEMBERS, AT_ONCE, ROUNDS = 40000, 2000, tonumber(arg and arg[1]) or 9

local client = assert(scope3.client { api_key = "scope3_none", account_id = "25" })
local REGIONS, PHONES = { "Germany", "United States", "France" },
  { "030 23%06d", "(206) 555-0%03d", "01 42 %02d 12 34" }

local members = {}
for i = 1, MEMBERS do
  local k = i % 3 + 1
  members[i] = { external_id = ("%015X"):format(i), email = ("Anna.Smith%d@example.com"):format(i), region = REGIONS[k],
    phone = PHONES[k]:format(i % (k == 1 and 1000000 or k == 2 and 1000 or 100)) }
end
local hashed = {}
for i = 1, MEMBERS do
  hashed[i] = { external_id = members[i].external_id, hashed_email = ("%064x"):format(i) }
end

local function add_to_audience(list)
  local audience
  for i = 1, #list do
    audience = i % AT_ONCE ~= 1 and audience or assert(scope3.audience { id = "crm" })
    assert(audience:add(list[i]))
  end
end

local function add_to_stream(list)
  local stream = assert(client:stream("crm", { dry_run = true, max_members = AT_ONCE }))
  for i = 1, #list do
    assert(stream:add(list[i]))
  end
  assert(stream:finish())
end

-- Nanoseconds a member, the best of the rounds.
local function measure(add, list)
  local best
  for _ = 1, ROUNDS do
    collectgarbage()
    local start = os.clock()
    add(list)
    local spent = (os.clock() - start) / #list * 1e9
    best = best and math.min(best, spent) or spent
  end
  return best
end

local lua = jit and jit.version or _VERSION
print(("%-38s %12s"):format("ready tables, " .. lua .. ", best of " .. ROUNDS, "ns a member"))
for _, case in ipairs {
  { "audience:add, email, phone, region", add_to_audience, members },
  { "stream:add, the same", add_to_stream, members },
  { "audience:add, a hash that is ready", add_to_audience, hashed },
} do
  print(("%-38s %12.0f"):format(case[1], measure(case[2], case[3])))
end
