-- Exports that are packed by gzip: they are unpacked once, because a night keeps their rows until it knows who differs.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local has_gzip, gzip = pcall(require, "scope3.gzip")
local has_crypto = pcall(require, "scope3.crypto")
local nights = require "spec.support.nights"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local function packed(text)
  local path = world.file(text)
  assert(os.execute("gzip -nf " .. path))
  world.forget(path .. ".gz")
  return world.read(path .. ".gz")
end

local LINES = '{"id":"a","mail":"%s@example.org"}\n{"id":"b","mail":"b@example.org"}\n'

describe("a mirror of a packed export", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season

  before_each(function()
    sandbox:configure { clock = "manual" }
    season = nights.season(sandbox)
    season.loop = virtual.loop(sandbox.url)
  end)

  it("is sent where it is JSON Lines, and its changes after that", function()
    assert(season:night(packed(LINES:format "a"), { suffix = ".jsonl.gz" }))
    assert.same(nights.hashed { a = "a@example.org", b = "b@example.org" }, season:membership())
    local res = assert(season:night(packed(LINES:format "other"), { suffix = ".jsonl.gz" }))
    assert.equal(1, res.accepted)
    assert.same(nights.hashed { a = "other@example.org", b = "b@example.org" }, season:membership())
  end)

  it("is sent where it is CSV without a header", function()
    local opts = { suffix = ".csv.gz", header = false, script = { map = { external_id = 1, email = 2 } } }
    assert(season:night(packed "a,a@example.org\nb,b@example.org\n", opts))
    assert.same(nights.hashed { a = "a@example.org", b = "b@example.org" }, season:membership())
  end)

  -- Runs `work` while each object that unpacks is counted, and the bytes that all gave.
  local function unpacked(work)
    local make, counts = gzip.gunzip, { objects = 0, bytes = 0 }
    gzip.gunzip = function()
      local z = make()
      counts.objects = counts.objects + 1
      return setmetatable({}, { __index = function(_, name)
        return function(_, ...)
          local view, state = z[name](z, ...)
          counts.bytes = counts.bytes + (name == "next" and view and view:size() or 0)
          return view, state
        end
      end })
    end
    local fine, problem = pcall(work)
    gzip.gunzip = make
    assert(fine, problem)
    return counts
  end

  -- As in a build without libcrypto.
  local function without_crypto(work)
    local loaded, preload = package.loaded["scope3.crypto"], package.preload["scope3.crypto"]
    package.loaded["scope3.crypto"], package.preload["scope3.crypto"] = nil, function() error "none" end
    local fine, problem = pcall(work)
    package.loaded["scope3.crypto"], package.preload["scope3.crypto"] = loaded, preload
    assert(fine, problem)
  end

  local function people(n, changed)
    local all = {}
    for i = 1, n do
      all[("id%05d"):format(i)] = ("%s%d@example.org"):format(i % 50 == 0 and changed or "p", i)
    end
    return all
  end

  if has_gzip and has_crypto then
    it("is unpacked once", function()
      for _, changed in ipairs { "p", "x" } do
        local all = people(20000, changed)
        local text = nights.csv(all)
        local counts = unpacked(function()
          local res = assert(season:night(packed(text), { suffix = ".csv.gz" }))
          assert.equal(changed == "p" and 20000 or 400, res.accepted)
        end)
        -- Before that the header of the file is looked at.
        assert.equal(2, counts.objects)
        assert.is_true(counts.bytes >= #text and counts.bytes <= #text + 2 ^ 18, counts.bytes)
        assert.same(nights.hashed(all), season:membership())
      end
    end)

    it("is unpacked again in a build without libcrypto", function()
      local all = people(100)
      without_crypto(function()
        local counts = unpacked(function()
          assert(season:night(packed(nights.csv(all)), { suffix = ".csv.gz" }))
        end)
        assert.equal(3, counts.objects)
      end)
      assert.same(nights.hashed(all), season:membership())
    end)
  end

  it("tells how far it is while it is sent", function()
    local last = 0
    assert(season:night(packed(nights.csv(people(3000))), { suffix = ".csv.gz", on_event = function(event)
      if event.event == "progress" and event.phase == "send" and event.bytes then
        assert.is_true(event.bytes >= last and event.bytes <= event.size)
        last = event.bytes
      end
    end }))
    assert.is_true(last > 0)
  end)

  it("has several members of a row, and what is wrong with rows, as one that is not packed", function()
    local script = { map = { external_id = "id", email = { each = { "mail", "mail 2" } }, phone = "phone" } }
    local function text(domain)
      return ("id,mail,mail 2,phone\n1,a@%s,b@example.org,\n2,nothing,c@example.org,x\n3,,,\n4,d@%s\n 5 ,"
        .. "e@example.org,e@example.org,+12065550142\nq@example.org,q@example.org,,\n"):format(domain, domain)
    end
    local beside = nights.season(sandbox)
    beside.loop = season.loop
    local refused = 0
    for _, domain in ipairs { "example.org", "example.com", "example.com" } do
      local told = {}
      local ways = { { season, packed(text(domain)), "packed", ".csv.gz" }, { beside, text(domain), "plain" } }
      for i, way in ipairs(ways) do
        local rejections = {}
        local res = assert(way[1]:night(way[2], { script = script, suffix = way[4], audience = way[3],
          max_removed = 1, on_reject = function(rejection)
            rejections[#rejections + 1] = rejection
          end }))
        local mirror = {}
        for name, count in pairs(res.mirror) do
          mirror[name] = type(count) == "number" and count or nil
        end
        told[i] = { way[1]:membership(way[3]), rejections, mirror, res.rows, res.people, res.members, res.reasons,
          res.rejected, res.repairs }
      end
      refused = refused + #told[1][2]
      assert.same(told[2], told[1])
    end
    assert.is_true(refused > 3)
  end)

  it("lies beside others, with columns in another order", function()
    local function night(domain)
      local function file(text, suffix)
        return world.file(suffix and packed(text) or text, suffix or ".csv")
      end
      local paths = {
        file(("id,mail\na,a@%s\nb,b@%s\n"):format(domain, domain), ".csv.gz"),
        file(("mail,id\nc@%s,c\nother@example.org,b\n"):format(domain)),
        file(("x,mail,y,id\n1,d@%s,2,d\n3,nothing,4,e\n"):format(domain), ".csv.gz"),
        file(("x,Mail,y,id\n1,f@%s,2,f\n3,nothing,4,g\n"):format(domain), ".csv.gz"),
        file(("x,Mail,y,id,z\n5,h@%s,6,h\n"):format(domain), ".csv.gz"),
      }
      local rejected = {}
      local res = assert(sandbox:client { loop = season.loop }:run({ map = { external_id = "id", email = "mail" } },
        paths, { state = season.state, mode = "mirror", audience = "a", max_removed = 1,
          on_reject = function(rejection)
            rejected[#rejected + 1] = { rejection.file, rejection.column, rejection.row }
          end }))
      assert(res:wait { timeout = 60 })
      return res, rejected, paths
    end
    local first, rejected, paths = night "example.org"
    assert.equal(6, first.accepted)
    assert.same({ paths[3], "mail", 2 }, rejected[1])
    assert.same({ paths[4], "Mail", 2 }, rejected[3])
    local second = night "example.com"
    assert.same({ 5, 1 }, { second.accepted, second.mirror.unchanged })
    assert.same(nights.hashed { a = "a@example.com", b = "other@example.org", c = "c@example.com", d = "d@example.com",
      f = "f@example.com", h = "h@example.com" }, season:membership())
  end)
end)
