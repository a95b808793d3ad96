-- A payload knows the identifiers of its living members at any time, without reading them.
local core = require "scope3.core"
local seed = require "spec.support.seed"
local spooled = require "spec.support.spooled"
local world = require "spec.support.world"

local HASH = ("0123456789abcdef"):rep(4)
local NONE = { 0, 0, 0, 0 }

local function random(most)
  return math.random(0, most)
end

-- A member of few ids, so that many replace another; and its emails, phones, uids, and what came hashed.
local function member_of(id)
  local member, has = { external_id = id }, { random(1), random(1), random(3), 0 }
  if has[1] + has[2] + has[3] == 0 then
    has[1] = 1
  end
  local hashed = random(1)
  if has[1] == 1 then
    member[hashed == 1 and "hashed_email" or "email"] = hashed == 1 and HASH or "anna@example.com"
    has[4] = has[4] + hashed
  end
  hashed = random(1)
  if has[2] == 1 then
    member[hashed == 1 and "hashed_phone" or "phone"] = hashed == 1 and HASH or "+12065550142"
    has[4] = has[4] + hashed
  end
  member.uids = {}
  for i = 1, has[3] do
    member.uids[i] = { type = "own_" .. i, value = '{"type":"\\' .. i .. '","hashedEmail":"' }
  end
  return member, has
end

local function sum_of(living)
  local sum = { 0, 0, 0, 0 }
  for _, has in pairs(living) do
    for i = 1, 4 do
      sum[i] = sum[i] + has[i]
    end
  end
  return sum
end

describe("members that others replace", function()
  it("are found by ids with quotes and backslashes in them", function()
    local builder, earlier = spooled.kit()
    local _, later = spooled.kit()
    for i, id in ipairs { "plain", 'a"b', "a\\b", 'c\\"', 'a"' } do
      assert(builder:add(earlier, { external_id = id, email = "anna@example.com" }))
      if i ~= 1 then
        assert(builder:add(later, { external_id = id, email = "bert@example.com" }))
      end
    end
    assert.same({ 2, 3, 4, 5 }, earlier:replace(later, 1, 4))
    assert.equal(1, earlier:living())
  end)
end)

describe("the identifiers of a payload", function()
  setup(function()
    print("seed " .. seed)
    math.randomseed(seed)
  end)

  it("are those of its members, whatever was added, replaced, removed and taken out", function()
    for _ = 1, 40 do
      local builder, payload = spooled.kit()
      local living, places = {}, {}
      for step = 1, 60 do
        local id = "{id" .. random(20) .. '"\\'
        local what = random(9)
        if what == 0 and places[id] then
          local had = living[id] or NONE
          local there = living[id] ~= nil
          assert.same({ there, had[1], had[2], had[3], had[4] }, { payload:drop(places[id]) })
          living[id] = nil
        elseif what == 1 then
          assert(builder:add(payload, { external_id = id }, true))
          living[id] = NONE
          places[id] = payload:count()
        else
          local member, has = member_of(id)
          assert(builder:add(payload, member))
          living[id] = has
          places[id] = payload:count()
        end
        assert.same(sum_of(living), { payload:identifiers() }, "step " .. step)
      end
      payload:reset()
      assert.same(NONE, { payload:identifiers() })
    end
  end)

  it("are also known of members that came from a spool", function()
    local builder, payload = spooled.kit()
    local living = {}
    for i = 1, 50 do
      local id = "{id" .. i .. '"'
      local member, has = member_of(id)
      assert(builder:add(payload, member))
      has[4] = 0 -- a spool does not say what came hashed
      living[id] = has
    end
    local spool = assert(core.spool(world.path(".spool"), { capacity = 65536 }))
    assert.is_true(spool:keep(payload, 1, payload:count()))
    local _, again = spooled.kit()
    assert.equal(50, (spool:reader()(again)))
    assert.same(sum_of(living), { again:identifiers() })
    assert.equal(50, again:living())
    spool:close()
  end)
end)
