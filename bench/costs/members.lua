-- Runs under callgrind: the ways of a row and of a ready table to a member.
--   members.lua MANY.csv ONE.csv ROWS
local count = require "bench.costs.marks"
local scope3 = require "scope3"

local MANY_CSV, ONE_CSV, MANY = arg[1], arg[2], tonumber(arg[3])

local client = assert(scope3.client { api_key = "scope3_none", account_id = "25" })

local JOB = {
  audience = "crm",
  map = { external_id = "Customer Id", email = "Email", phone = "Phone 1", region = "Country" },
}

local members = {}
for i = 1, MANY do
  members[i] = {
    external_id = ("%015X"):format(i), email = ("Anna.Smith%d@example.com"):format(i), region = "Germany",
    phone = ("030 23%06d"):format(i),
  }
end

local function map(path)
  assert(client:run(JOB, path, { dry_run = true }))
end

local function nothing()
  return true
end

local function prepare(path)
  assert(scope3.prepare(JOB, path, nothing))
end

local function audience_of(n)
  local audience = assert(scope3.audience { id = "crm" })
  for i = 1, n do
    assert(audience:add(members[i]))
  end
  return audience
end

-- The request of an audience that stands: what a host is held up by before anything is sent.
local function plan(audience)
  assert(client:sync(audience, { dry_run = true }))
end

local function add_to_stream(n)
  local stream = assert(client:stream("crm", { dry_run = true }))
  for i = 1, n do
    assert(stream:add(members[i]))
  end
  assert(stream:finish())
end

count("map many", map, MANY_CSV)
count("map one", map, ONE_CSV)
count("prepare many", prepare, MANY_CSV)
count("prepare one", prepare, ONE_CSV)
count("add many", audience_of, MANY)
count("add one", audience_of, 1)
count("stream many", add_to_stream, MANY)
count("stream one", add_to_stream, 1)
count("plan many", plan, audience_of(MANY))
count("plan one", plan, audience_of(1))
