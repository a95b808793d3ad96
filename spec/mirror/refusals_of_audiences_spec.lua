-- A member that the service refuses for one audience, and takes for another: what the state knows of each of them.
if not pcall(require, "scope3.state") then
  return -- a build without SQLite
end

local nights = require "spec.support.nights"
local scope3 = require "scope3"
local states = require "spec.support.states"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local AUDIENCES = { "first", "second" }

-- Rows of people: { id = "mail first second" }. The column `second` is not mapped: it belongs to no cells.
local function csv(people)
  local ids, lines = {}, { "id,mail,first,second" }
  for id in pairs(people) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  for i, id in ipairs(ids) do
    lines[i + 1] = id .. "," .. people[id]:gsub(" ", ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

local SCRIPT = {
  map = { external_id = "id", email = "mail" },
  audiences = { { id = "first", where = { first = { "1" } } }, { id = "second", where = { second = { "1" } } } },
}

local function counts(res, name)
  return { res.mirror.audiences[1][name], res.mirror.audiences[2][name] }
end

describe("a member that the service refuses for one audience and takes for another", function()
  local sandbox = world.around(setup, teardown, before_each)
  local season, told

  before_each(function()
    sandbox:configure { clock = "manual", log_bodies = true }
    season, told = nights.season(sandbox), 0
    season.opts.audience, season.loop = nil, virtual.loop(sandbox.url)
  end)

  local function night(people, opts)
    local all = { script = SCRIPT, max_removed = 1 }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    return season:night(csv(people), all)
  end

  -- The next request is refused, because of these members.
  local function refuse(...)
    local issues = world.json.array {}
    for i, path in ipairs { ... } do
      issues[i] = { path = path, message = "is not liked" }
    end
    sandbox:fault { on = "sync", act = "issues", status = 422, issues = issues }
  end

  -- What requests that were accepted since the last call had: "first+a second-b".
  local function sent()
    local list, words = sandbox:requests "sync", {}
    for i = told + 1, #list do
      for _, audience in ipairs(list[i].status == 202 and world.json.decode(list[i].body).audiences or {}) do
        for _, sign in ipairs { "+", "-" } do
          for _, member in ipairs(audience[sign == "+" and "add" or "remove"] or {}) do
            words[#words + 1] = (audience.audienceId or audience.audience_id) .. sign
              .. (member.externalId or member.external_id)
          end
        end
      end
    end
    told = #list
    table.sort(words)
    return table.concat(words, " ")
  end

  local function there()
    local all = {}
    for i, id in ipairs(AUDIENCES) do
      all[i] = season:membership(id)
    end
    return all
  end

  local A, B = "a@example.org 1 1", "b@example.org 1 1"
  local function hash(mail)
    return scope3.email.hash(mail)
  end

  -- What a night sent, and how it counted somebody in each audience.
  local function comes_to(people, text, what, opts)
    local res = assert(night(people, opts))
    assert.equal(text, sent())
    for name, of in pairs(what) do
      assert.same({ name, of }, { name, counts(res, name) })
    end
  end

  it("is not sent again to the one, and is unchanged in the other, whichever of them comes first", function()
    for i, path in ipairs { "audiences[0].add[0]", "audiences[1].add[0]" } do
      season.state = states.path()
      sandbox:reset()
      sandbox:configure { clock = "manual", log_bodies = true }
      told = 0
      refuse(path)
      local res = assert(night { a = A, b = B })
      local of_one = i == 1 and "first+b second+a second+b" or "first+a first+b second+b"
      assert.same({ of_one, 1 }, { sent(), res.rejected_by_service })
      for _ = 1, 2 do
        comes_to({ a = A, b = B }, "", { rejected_before = i == 1 and { 1, 0 } or { 0, 1 }, added = { 0, 0 },
          unchanged = i == 1 and { 1, 2 } or { 2, 1 }, changed = { 0, 0 }, removed = { 0, 0 } })
      end
    end
  end)

  it("goes to both when its cells change", function()
    refuse "audiences[0].add[0]"
    comes_to({ a = A }, "second+a", { added = { 1, 1 } })
    comes_to({ a = "new@example.org 1 1" }, "first+a second+a", { added = { 1, 0 }, changed = { 0, 1 } })
    assert.same({ { a = hash "new@example.org" }, { a = hash "new@example.org" } }, there())
    comes_to({ a = "new@example.org 1 1" }, "", { unchanged = { 1, 1 } })
  end)

  it("stays in the one as it was, and goes to both when it is again as before", function()
    assert(night { a = A })
    sent()
    refuse "audiences[0].add[0]"
    comes_to({ a = "new@example.org 1 1" }, "second+a", { changed = { 1, 1 } })
    comes_to({ a = "new@example.org 1 1" }, "", { rejected_before = { 1, 0 }, unchanged = { 0, 1 } })
    assert.same({ { a = hash "a@example.org" }, { a = hash "new@example.org" } }, there())
    comes_to({ a = A }, "first+a second+a", { changed = { 1, 1 } })
    assert.same({ { a = hash "a@example.org" }, { a = hash "a@example.org" } }, there())
  end)

  -- The other has, or may have, another version than the cells that were refused: it must not pass for unchanged.
  it("goes again to the other alone, where the task of its request failed", function()
    assert(night { a = A })
    sent()
    sandbox:configure { task_outcomes = world.json.array { "failed:terminal" } }
    refuse "audiences[0].add[0]"
    local now = { a = "new@example.org 1 1" }
    assert.is_nil((night(now)))
    sandbox:configure { task_outcomes = world.json.array {} }
    sent()
    comes_to(now, "second+a", { rejected_before = { 1, 0 }, changed = { 0, 1 } })
    comes_to(now, "", { rejected_before = { 1, 0 }, unchanged = { 0, 1 } })
    assert.same({ { a = hash "a@example.org" }, { a = hash "new@example.org" } }, there())
  end)

  it("goes again to the other alone, where the rest of the request was refused as a whole", function()
    assert(night { a = A })
    sent()
    sandbox:configure { clock = "manual", log_bodies = true, faults = world.json.array {
      { on = "sync", act = "issues", status = 422, issues = world.json.array { { path = "audiences[0].add[0]",
        message = "is not liked" } } },
      { on = "sync", act = "status", status = 422 } } }
    local now = { a = "new@example.org 1 1" }
    assert.is_nil((night(now)))
    assert.equal("", sent())
    comes_to(now, "second+a", { rejected_before = { 1, 0 }, changed = { 0, 1 } })
    comes_to(now, "", { rejected_before = { 1, 0 }, unchanged = { 0, 1 } })
    assert.same({ { a = hash "a@example.org" }, { a = hash "new@example.org" } }, there())
  end)

  it("goes to the other when that wants it, by a cell that makes no member", function()
    assert(night { a = "a@example.org 0 1", b = B })
    sent()
    refuse "audiences[0].add[0]"
    comes_to({ a = A, b = B }, "", { added = { 1, 0 } })
    comes_to({ a = "a@example.org 1 0", b = B }, "second-a", { rejected_before = { 1, 0 }, removed = { 0, 1 } })
    comes_to({ a = A, b = B }, "second+a", { rejected_before = { 1, 0 }, added = { 0, 1 } })
    comes_to({ a = A, b = B }, "", { rejected_before = { 1, 0 }, unchanged = { 1, 2 } })
  end)

  it("leaves the one where it stood, and is refused no more with other cells", function()
    assert(night { a = A, b = B })
    sent()
    refuse "audiences[0].add[0]"
    local now = { a = "new@example.org 1 1", b = B }
    comes_to(now, "second+a", { changed = { 1, 1 } })
    comes_to({ a = "new@example.org 0 1", b = B }, "first-a", { removed = { 1, 0 }, unchanged = { 1, 2 } })
    comes_to({ a = A, b = B }, "first+a second+a", { added = { 1, 0 }, changed = { 0, 1 } })
    comes_to({ a = A, b = B }, "", { unchanged = { 2, 2 } })
  end)

  it("is sent anew to the other alone, where what was accepted long ago is sent again", function()
    refuse "audiences[0].add[0]"
    assert(night { a = A, b = B })
    sent()
    comes_to({ a = A, b = B }, "first+b second+a second+b", { rejected_before = { 1, 0 }, changed = { 1, 2 } },
      { refresh_after = 0 })
  end)

  it("is counted so, too, where every row is looked at for emails that are left out", function()
    assert(night { a = A, b = B })
    refuse "audiences[0].add[0]"
    local now = { a = "new@example.org 1 1", b = B }
    assert(night(now))
    sent()
    local list = world.file("email\nnobody@example.org\n", ".csv")
    comes_to(now, "", { rejected_before = { 1, 0 }, unchanged = { 1, 2 }, excluded = { 0, 0 } }, { exclude = list })
    list = world.file("email\nnew@example.org\n", ".csv")
    comes_to(now, "first-a second-a", { rejected_before = { 0, 0 }, unchanged = { 1, 1 }, removed = { 1, 1 } },
      { exclude = list })
  end)

  it("goes to an audience that comes to the list later", function()
    local one = { map = SCRIPT.map, audiences = { SCRIPT.audiences[1] } }
    refuse "audiences[0].add[0]"
    assert(night({ a = A, b = B }, { script = one }))
    assert.equal("first+b", sent())
    comes_to({ a = A, b = B }, "second+a second+b", { rejected_before = { 1, 0 }, added = { 0, 2 } })
    comes_to({ a = A, b = B }, "", { rejected_before = { 1, 0 }, unchanged = { 1, 2 } })
  end)
end)
