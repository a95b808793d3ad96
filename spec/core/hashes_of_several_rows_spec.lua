-- Hashes of several rows are computed together where the processor gains by it. What is written is the same, byte for
-- byte, as where each row is hashed by itself in plain C.
local core = require "scope3.core"
local digest = require "openssl.digest"

local FASTEST = core.sha256_use()

local implementations = {}
for _, name in ipairs { "neon", "avx2", "sha-ni", "armv8" } do
  if core.sha256_with(name, "") then
    implementations[#implementations + 1] = name
  end
end

local function sha256(text)
  return (digest.new("sha256"):final(text):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

local function source_of(lines)
  local source = core.source { format = "csv", header = false }
  source:feed(table.concat(lines, "\n"))
  source:finish()
  return source
end

-- Fills payloads from the lines, of `max_members` each; gives what each step came to, with all bytes.
local function filled(lines, settings, max_members, epoch)
  settings.max_member, settings.rejections = 4000, true
  local builder, source = core.builder(settings), source_of(lines)
  local payload, later = core.payload { max_members = max_members, max_bytes = 100000 },
    core.payload { max_members = max_members, max_bytes = 100000 }
  local sealed, steps = epoch and core.id_set() or nil, {}
  local function note(...)
    steps[#steps + 1] = table.concat({ ... }, " ")
  end
  local function text(of, operation)
    return of:count() > 0 and of:text(operation, 1, of:count()) or ""
  end
  if epoch then
    builder:epoch(sealed, later)
  end
  local outcome
  repeat
    local message, row
    outcome, message, row = builder:fill(payload, source, 700, 60)
    note(outcome, tostring(message), tostring(row), text(payload, "add"), text(payload, "remove"))
    if outcome == "full" or outcome == "end" then
      if epoch then
        sealed:seal(payload)
      end
      payload:reset()
    elseif outcome == "turn" then
      payload, later = later, payload
      later:reset()
      sealed:clear()
      builder:epoch(sealed, later)
    end
  until outcome == "end" or outcome == "fatal"
  note(text(later, "add"))
  for _, rejection in ipairs(builder:rejections() or {}) do
    note(rejection.row, rejection.reason)
  end
  return steps
end

local function by_each(body)
  for _, name in ipairs(implementations) do
    core.sha256_use(name)
    body(name)
  end
end

local MAP = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 } }

describe("hashes of several rows", function()
  after_each(function()
    core.sha256_use(FASTEST)
  end)

  it("each stand in their own member, however many rows there are", function()
    by_each(function(name)
      for rows = 1, 20 do
        local lines = {}
        for i = 1, rows do
          lines[i] = ("id%d,person%d@b.example,+1206555%04d"):format(i, i, i)
        end
        local builder = core.builder { max_member = 1000, map = MAP }
        local payload = core.payload { max_members = 100, max_bytes = 100000 }
        assert.equal("end", (builder:fill(payload, source_of(lines), 1e9, 60)))
        for i = 1, rows do
          assert.equal(('{"externalId":"id%d","hashedEmail":"%s","hashedPhone":"%s"}'):format(i,
            sha256(("person%d@b.example"):format(i)), sha256(("+1206555%04d"):format(i))),
            payload:text("add", i, i), name)
        end
      end
    end)
  end)

  it("leave out a member that another took the place of before it was hashed", function()
    by_each(function(name)
      local builder = core.builder { max_member = 1000, map = MAP }
      local payload = core.payload { max_members = 100, max_bytes = 100000 }
      builder:fill(payload, source_of { "1,a@b.example,", "2,c@d.example,", "2,e@f.example," }, 1e9, 60)
      assert.equal(('{"externalId":"1","hashedEmail":"%s"},{"externalId":"2","hashedEmail":"%s"}'):format(
        sha256 "a@b.example", sha256 "e@f.example"), (payload:text("add", 1, 3):gsub(" +", "")), name)
    end)
  end)

  it("go with members that wait for room", function()
    by_each(function(name)
      local builder = core.builder { max_member = 1000, member = function(row)
        return {
          { external_id = row[1] .. "a", email = row[2] }, { external_id = row[1] .. "b", email = "b" .. row[2] },
        }
      end }
      local payload = core.payload { max_members = 3, max_bytes = 100000 }
      local source = source_of { "1,a@b.example", "2,c@d.example" }
      assert.equal("full", (builder:fill(payload, source, 1e9, 60)))
      assert.truthy(payload:text("add", 3, 3):find(sha256 "c@d.example", 1, true), name)
      payload:reset()
      assert.equal("end", (builder:fill(payload, source, 1e9, 60)))
      assert.equal(('{"externalId":"2b","hashedEmail":"%s"}'):format(sha256 "bc@d.example"),
        payload:text("add", 1, 1), name)
    end)
  end)

  it("of a list that a script breaks off are written nowhere", function()
    by_each(function(name)
      local settings = { member = function(row)
        if row[1] == "2" then
          return { { external_id = "2a", email = "no@b.example", phone = "+12065550101" }, "nonsense" }
        end
        return { { external_id = row[1] .. "aaaaaa", email = row[2] }, { external_id = row[1] .. "b", email = row[2] } }
      end }
      local lines = { "1,a@b.example", "2,-", "3,c@d.example", "4,e@f.example" }
      local steps = filled(lines, settings, 100)
      core.sha256_use "portable"
      assert.same(filled(lines, settings, 100), steps, name)
    end)
  end)

  it("are there before a payload can be read, also where a script fails", function()
    by_each(function(name)
      local payload = core.payload { max_members = 100, max_bytes = 100000 }
      local builder
      builder = core.builder { max_member = 1000, map = MAP, where = function(row)
        return row[1] == "1" or payload:text("add", 1, 1) ~= nil
      end }
      local outcome, message = builder:fill(payload, source_of { "1,a@b.example,", "2,c@d.example," }, 1e9, 60)
      assert.equal("script", outcome)
      assert.truthy(message:find("attempt to read a payload while a builder fills it", 1, true), message)
      assert.equal(('{"externalId":"1","hashedEmail":"%s"}'):format(sha256 "a@b.example"), payload:text("add", 1, 1),
        name)
    end)
  end)

  it("make the same bytes as plain C, from random rows", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local function any(list)
      return list[math.random(#list)]
    end
    local function value()
      return any {
        "", ("%s@%s.example"):format(("m"):rep(math.random(20)), ("d"):rep(math.random(60))),
        ("p%d@b.example"):format(math.random(9)), ("ab"):rep(32), "nonsense", "c@d.example",
      }
    end
    for round = 1, 60 do
      local lines = {}
      for i = 1, math.random(60) do
        lines[i] = ("%d,%s,%s"):format(math.random(30), value(), any { "", "+12065550142", "123", "+442079460958" })
      end
      -- Lists of one to three members, some of them removals, and at times one that is no member.
      local settings = round % 2 == 0 and { map = MAP } or { member = function(row)
        local list = {}
        for i = 1, 1 + #row[2] % 3 do
          list[i] = { external_id = row[1] .. ("x"):rep(i), email = row[2], phone = row[3], remove = #row[2] % 7 == i }
        end
        list[#list + 1] = #row[2] % 5 == 4 and "nonsense" or nil
        return list
      end }
      local max_members, epoch = math.random(3, 20), round % 3 == 0
      core.sha256_use "portable"
      local wanted = filled(lines, settings, max_members, epoch)
      by_each(function(name)
        assert.same(wanted, filled(lines, settings, max_members, epoch), ("%s, round %d, seed %d"):format(name, round,
          seed))
      end)
    end
  end)
end)
