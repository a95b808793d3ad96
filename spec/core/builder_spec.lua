-- From rows to the JSON that is sent: payloads, builders, and the rows that scripts see.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local curl = require "scope3.engine"
local capture = require "spec.support.capture"
local world = require "spec.support.world"

-- A builder and a payload.
local function kit()
  return core.builder { max_member = 1000000, rejections = true },
    core.payload { max_members = 1000, max_bytes = 1000000 }
end

describe("a payload at its limits", function()
  it("gives at least one member a range, and nothing after its end", function()
    local builder, payload = kit()
    assert.same({ 0, 0, 0, 0 }, { payload:cut(1, 10, 1000) })
    builder:add(payload, { external_id = ("x"):rep(100), email = "a@b.example" })
    builder:add(payload, { external_id = "2", email = "a@b.example" })
    local last, adds, removes = payload:cut(1, 10, 5)
    assert.same({ 1, 1, 0 }, { last, adds, removes })
    assert.same({ 2, 0, 0, 0 }, { payload:cut(3, 10, 1000) })
    assert.is_nil(payload:row(3))
  end)

  it("is collected when nobody holds it, although Lua sees little of it", function()
    local living, members = setmetatable({}, { __mode = "v" }), {}
    for k = 1, 39 do
      members[k] = { external_id = ("x"):rep(200000) .. k, email = "a@b.example" }
    end
    for i = 1, 60 do
      local builder, payload = core.builder { max_member = 1000000 },
        core.payload { max_members = 1000, max_bytes = 8000000 }
      for k = 1, 39 do
        builder:add(payload, members[k])
      end
      assert(payload:count() == 39)
      living[i] = payload
    end
    local n = 0
    for _ in pairs(living) do
      n = n + 1
    end
    -- 64 MB, what grew since the last time, and the slack of an allocator
    assert.is_true(n <= 20, n .. " of 60 payloads of 8 MB live")
  end)

  it("refuses limits that are none, and what is no payload", function()
    for _, limits in ipairs {
      {}, { max_members = 0, max_bytes = 10 },
      { max_members = 1, max_bytes = 0 / 0 }, { max_members = 1, max_bytes = 2 ^ 33 },
      { max_members = 1, max_bytes = 10, max_rows = 1 }, { max_members = "many", max_bytes = 10 },
    } do
      assert.has_error(function() core.payload(limits) end)
    end
    local builder, payload = kit()
    for _, misuse in ipairs {
      function() builder:add(builder, { external_id = "1" }) end, function() builder:add(payload, "1") end,
      function() payload.add(builder) end, function() payload:cut(0, 1, 1) end,
      function() payload:cut(1, 0, 1) end, function() core.builder { max_member = 100, mapp = {} } end,
      function() core.builder { max_member = 100, map = { { "surname", 1 } } } end,
      function() core.builder { max_member = 100, where = "x" } end,
    } do
      assert.has_error(misuse)
    end
    assert.equal(0, builder:counts().rows)
  end)
end)

describe("the JSON of a payload", function()
  local server, engine

  before_each(function()
    server, engine = capture.start(), curl.engine {}
  end)

  after_each(function()
    engine:close()
    server:close()
    world.clean()
  end)

  local function send(payload, first, last)
    assert(engine:submit { method = "POST", url = server.url, timeout = 60, body = {
      '{"add":[', { payload, "add", first, last }, '],"remove":[', { payload, "remove", first, last }, "]}" } })
    local result = world.next_result(engine)
    assert.equal(202, result.status, result.message)
  end

  -- What the server read, decoded; and as it came.
  local function received()
    local bodies, decoded = server.bodies(), {}
    for i, body in ipairs(bodies) do
      decoded[i] = assert(cjson.decode(body))
    end
    return decoded, bodies
  end

  it("carries every ASCII character of an external id and a uid unchanged, and refuses controls", function()
    local builder, payload = kit()
    local want = {}
    for byte = 0, 127 do
      local text = "x" .. string.char(byte) .. "y"
      if byte < 32 or byte == 127 then
        assert.same({ nil, "id_control" }, { builder:add(payload, { external_id = text, uids = { mine = "x" } }) })
        assert.same({ nil, "no_identifier" }, { builder:add(payload,
          { external_id = "1", uids = { { type = text, value = "x" }, { type = "mine", value = text } } }) })
      else
        want[#want + 1] = text
        assert.is_true(builder:add(payload, { external_id = text, uids = { { type = text, value = text } } }))
      end
    end
    assert.same({ 95, 0 }, { payload:living() })
    assert.same({ uid_control = 33, uid_type = 33 }, builder:counts().dropped)
    send(payload, 1, 95)
    local bodies, raw = received()
    assert.is_nil(raw[1]:find("[%z\1-\31]"))
    for i, text in ipairs(want) do
      assert.same({ externalId = text, uids = { { type = text, value = text } } }, bodies[1].add[i])
    end
  end)

  it("has the universal ids of a table in the order of their types, whatever order the table has", function()
    local builder, payload = kit()
    local want = {}
    for i = 1, 40 do
      want[i] = { type = ("t%02d"):format(i), value = "v" .. i }
    end
    for round = 1, 8 do -- the order of a table is a matter of its hashes and of what it held before
      local uids = {}
      for i = 1, 40 * round do
        uids["other" .. i] = ""
      end
      for i = 1, 40 do
        local at = (i * (2 * round + 1)) % 41
        uids[want[at].type] = want[at].value
      end
      for i = 1, 40 * round do
        uids["other" .. i] = nil
      end
      assert.is_true(builder:add(payload, { external_id = tostring(round), uids = uids }))
    end
    assert.equal(8 * 8, builder:counts().dropped.uid_too_many)
    send(payload, 1, payload:count())
    for _, member in ipairs(received()[1].add) do
      assert.equal(32, #member.uids)
      for i, uid in ipairs(member.uids) do
        assert.same(want[i], uid)
      end
    end
  end)

  it("has universal ids without the white space round them, and otherwise as they are", function()
    local builder, payload = kit()
    assert.is_true(builder:add(payload, { external_id = "1", uids = { mine = " A b\r\n", other = " \t" } }))
    assert.is_true(builder:add(payload, { external_id = "2", uids = { { type = "mine", value = "\194\160A b " } } }))
    assert.same({}, builder:counts().dropped)
    send(payload, 1, payload:count())
    for _, member in ipairs(received()[1].add) do
      assert.same({ { type = "mine", value = "A b" } }, member.uids)
    end
  end)

  it("carries text outside ASCII as it is, and nothing that is not UTF-8", function()
    local builder, payload = kit()
    local good = {
      "é", "\194\170", "\223\191", "\224\160\128", "\237\159\191",
      "\238\128\128", "\239\191\191", "\240\144\128\128", "\244\143\191\191",
    }
    for _, text in ipairs(good) do
      assert.is_true(builder:add(payload, { external_id = text, uids = { { type = "t", value = text } } }))
    end
    for _, bad in ipairs {
      "\128", "\192\128", "\193\191", "\224\159\191", "\237\160\128",
      "\240\143\191\191", "\244\144\128\128", "\245\128\128\128", "\195", "\226\130",
    } do
      assert.is_false(core.utf8_valid(bad))
      assert.same({ nil, "external_id_utf8" },
        { builder:add(payload, { external_id = "x" .. bad, email = "a@b.example" }) })
      assert.same({ nil, "no_identifier" },
        { builder:add(payload, { external_id = "x", uids = { { type = "t", value = bad } } }) })
    end
    send(payload, 1, payload:count())
    local body = received()[1]
    for i, text in ipairs(good) do
      assert.same({ externalId = text, uids = { { type = "t", value = text } } }, body.add[i])
    end
  end)

  it("cut anywhere holds the last word on everybody, once", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local cuts, wants = {}, {}
    for round = 1, 8 do
      local builder, payload = kit()
      local want = {}
      for i = 1, math.random(300) do
        local id, remove = ("n\"%d"):format(math.random(80)), math.random(3) == 1
        assert.is_true(builder:add(payload, { external_id = id, uids = { { type = "t", value = "v" .. i } } }, remove))
        want[id] = remove and "gone" or "v" .. i
      end
      local first, max_members, max_bytes = 1, math.random(40), math.random(2000)
      while first <= payload:count() do
        local last, adds, removes, bytes = payload:cut(first, max_members, max_bytes)
        assert.is_true(adds + removes <= max_members and (bytes <= max_bytes or adds + removes == 1), "seed " .. seed)
        send(payload, first, last)
        cuts[#cuts + 1] = { round = round, adds = adds, removes = removes }
        first = last + 1
      end
      wants[round] = want
    end
    local gots, bodies = {}, received()
    assert.equal(#cuts, #bodies)
    for i, body in ipairs(bodies) do
      local cut = cuts[i]
      local got = gots[cut.round] or {}
      gots[cut.round] = got
      assert.same({ cut.adds, cut.removes }, { #body.add, #body.remove }, "seed " .. seed)
      for _, member in ipairs(body.add) do
        assert.is_nil(got[member.externalId], "seed " .. seed)
        got[member.externalId] = member.uids[1].value
      end
      for _, member in ipairs(body.remove) do
        assert.is_nil(got[member.externalId], "seed " .. seed)
        got[member.externalId] = "gone"
      end
    end
    assert.same(wants, gots, "seed " .. seed)
  end)
end)

-- A builder over rows: its outcome at one text of CSV or JSON Lines.
local function fill(settings, text, format, decode)
  settings.max_member, settings.rejections = 1000000, true
  local builder, payload = core.builder(settings), core.payload { max_members = 1000, max_bytes = 1000000 }
  local source = core.source { format = format or "csv", decode = decode }
  source:feed(text)
  source:finish()
  source:columns()
  local outcome, message, row = builder:fill(payload, source, 1e9, 60)
  return outcome, message, row, builder:counts(), builder
end

describe("a row that a script sees", function()
  local CSV = "id,mail,mail\n17,a@b.example,\n"
  local MAP = { { "external_id", 1 }, { "email", 2 } }

  -- What the script gets of the row of `text`, and the message it failed with.
  local function seen(look, text, format, decode)
    local values
    local outcome, message = fill({ map = MAP, where = function(row)
      values = { look(row) }
      return true
    end }, text or CSV, format, decode)
    return values, outcome == "script" and message or nil
  end

  it("has its columns by name and by number", function()
    local values = seen(function(row) return row.id, row[1], row[2], row[3], #row, tostring(row) end)
    assert.same({ "17", "17", "a@b.example", "", 3, "scope3.row" }, values)
    values = seen(function(row) return row.id, row.o[2], row.none == nil, row.n end, '{"id":"17","o":[1,2],"n":true}\n',
      "jsonl", cjson.decode)
    assert.same({ "17", 2, true, true }, values)
  end)

  it("raises at a column that is not there, stands twice, or is no column at all", function()
    local cases = {
      { function(row) return row.nosuch end, "there is no column 'nosuch'; the columns are: id, mail, mail" },
      { function(row) return row.mail end, "the column 'mail' stands more than once: use its number" },
      { function(row) return row[4] end, "there is no column 4; the row has 3" },
      { function(row) return row[0] end, "there is no column 0" },
      { function(row) return row[-1] end, "there is no column -1" },
      { function(row) return row[true] end, "a column is named by a string or a number, not a boolean" },
      { function(row) row.id = "x" end, "a row is read-only" },
      { function(row) row[1] = "x" end, "a row is read-only" },
      { function(row) return row[row[2]] end, "the message quotes the row and is withheld" },
    }
    for _, case in ipairs(cases) do
      local _, message = seen(case[1])
      assert.truthy(message and message:find(case[2], 1, true), message)
      assert.is_nil(message:find("a@b.example", 1, true))
    end
  end)

  it("is gone after the call", function()
    local kept = seen(function(row) return row end)[1]
    for _, use in ipairs {
      function() return kept.id end, function() return kept[1] end, function() return #kept end,
    } do
      local ok, message = pcall(use)
      assert.is_false(ok)
      assert.truthy(message:find("a row is valid only during the call that it was given to", 1, true), message)
    end
    assert.equal("scope3.row", tostring(kept))
  end)

  it("never stands in the message of a failure", function()
    local text = "id,mail,code\ncustomer-17,jane@b.example,99\n"
    for _, fail in ipairs {
      function(row) error("cannot use " .. row.mail) end, function(row) error(row.id) end,
      function(row) error(row.mail, 0) end, function(row) error("(" .. row.code .. ")") end,
      function(row) error({ row.mail }) end, function(row) return row[row.id] end,
      function(row) return (row.mail)() end, function(row) return row.mail + 1 end,
      function(row) return #row.mail < row.id end, function(row) return ("x"):rep(row.mail) end,
      function(row) return (nil)[row.id] end, function(row) return require(row.id) end,
      function(row) return assert(false, row.mail .. " is bad") end,
      function(row) return string.format("%d", row.id) end,
    } do
      for _, key in ipairs { "where", "member" } do
        local outcome, message, row, counts = fill({ [key] = fail, map = key == "where" and MAP or nil }, text)
        assert.same({ "script", 1 }, { outcome, row })
        for _, value in ipairs { "customer-17", "jane@b.example", "99" } do
          assert.is_nil(message:find("%f[%w]" .. value:gsub("%p", "%%%0") .. "%f[%W]"), message)
        end
        assert.same({ 1, 1, { script_error = 1 } }, { counts.rows, counts.rejected_rows, counts.rejected })
      end
    end
  end)

  it("leaves its builder alone while it is looked at", function()
    local builder, payload
    builder, payload = core.builder { max_member = 1000, map = MAP, where = function()
      builder:counts()
    end }, core.payload { max_members = 10, max_bytes = 1000 }
    local outcome, message = builder:take(payload, { "1", "a@b.example" })
    assert.equal("script", outcome)
    assert.truthy(message:find("a builder was used from inside its own callback", 1, true), message)
    assert.equal(1, builder:counts().rows)
  end)
end)

describe("the rows of a builder", function()
  it("always add up, whatever they are and whatever the script says", function()
    local seed = require "spec.support.seed"
    math.randomseed(seed)
    local function any(list)
      return list[math.random(#list)]
    end
    local function member(row)
      local id, mail = row[1], row[2]
      return any {
        function() return { external_id = id, email = mail } end,
        function() return { external_id = id, remove = true } end,
        function()
          return {
            { external_id = id, email = mail },
            { external_id = id .. "b", phone = "+12065551234" }, { external_id = "" },
          }
        end,
        function() end, function() return nil, "no consent" end,
        function() return {} end, function() return nil, "not " .. mail end,
      }()
    end
    for round = 1, 40 do
      local lines = { "id,mail" }
      for i = 2, 120 do
        lines[i] = any {
          "1,a@b.example", math.random(50) .. ",c@d.example",
          ",a@b.example", "7,nonsense", "8", "9,a,b", '10,"x"y', "11,\0", "",
        }
      end
      local where = round % 2 == 0 and function() return math.random(3) > 1 end or nil
      local builder = core.builder {
        max_member = 2000, rejections = true, where = where, member = round % 4 > 1 and member or nil,
        map = round % 4 <= 1 and { { "external_id", 1 }, { "email", 2 } } or nil, remove = round % 8 == 0,
      }
      local payload = core.payload { max_members = math.random(20), max_bytes = 2000 }
      local source = core.source { format = "csv" }
      source:feed(table.concat(lines, "\n"))
      source:finish()
      source:columns()
      local living = 0
      local outcome
      repeat
        outcome = builder:fill(payload, source, math.random(500), 60)
        if outcome == "full" or outcome == "end" then
          local adds, removes = payload:living()
          assert.is_true(outcome == "end" or adds + removes > 0, "seed " .. seed)
          living = living + adds + removes
          payload:reset()
        end
      until outcome ~= "full" and outcome ~= "more"
      assert.equal("end", outcome, "seed " .. seed)
      local c, rejected = builder:counts(), 0
      assert.equal(source:rows(), c.rows, "seed " .. seed)
      assert.equal(c.rows, c.skipped + c.rejected_rows + c.used_rows, "seed " .. seed)
      assert.equal(c.members, c.adds + c.removes, "seed " .. seed)
      assert.equal(c.members, living + c.replaced, "seed " .. seed)
      for _, n in pairs(c.rejected) do
        rejected = rejected + n
      end
      assert.equal(c.rejected_rows, rejected, "seed " .. seed)
      for reason in pairs(c.reasons) do
        assert.is_nil(reason:find("example", 1, true))
      end
      for _, rejection in ipairs(builder:rejections() or {}) do
        assert.is_true(rejection.row >= 1 and rejection.row <= c.rows, "seed " .. seed)
      end
      assert.is_nil(builder:rejections())
    end
  end)

  it("keep their order and their numbers over full payloads", function()
    local lines = {}
    for i = 1, 50 do
      lines[i] = i % 5 == 0 and i .. ",nonsense" or i .. ",a@b.example"
    end
    local builder = core.builder { max_member = 1000, map = { { "external_id", 1 }, { "email", 2 } } }
    local payload = core.payload { max_members = 7, max_bytes = 1000000 }
    local source = core.source { format = "csv", header = false }
    source:feed(table.concat(lines, "\n"))
    source:finish()
    local rows, outcome = {}
    repeat
      outcome = builder:fill(payload, source, 1e9, 60)
      assert.is_true(outcome == "end" or payload:count() == 7)
      for i = 1, payload:count() do
        rows[#rows + 1] = payload:row(i)
      end
      payload:reset()
    until outcome ~= "full"
    assert.equal(40, #rows)
    for i, row in ipairs(rows) do
      assert.equal(i + math.floor((i - 1) / 4), row)
    end
  end)

  it("of Lua tables may hold tables where texts belong, which are dropped", function()
    for _, value in ipairs { {}, { "+12065551234" }, { a = {} }, print } do
      local builder = core.builder { max_member = 1000, columns = { "id", "mail", "tel" },
        map = { { "external_id", 1 }, { "email", 2 }, { "phone", 3 } }, rejections = true }
      local payload = core.payload { max_members = 3, max_bytes = 1000 }
      assert.equal("more", (builder:take(payload, { id = "1", mail = value, tel = value })))
      assert.same({ not_text = 2 }, builder:counts().dropped)
      assert.same({ no_identifier = 1 }, builder:counts().rejected)
      assert.equal("more", (builder:take(payload, { id = "2", mail = "a@b.example", tel = value })))
      assert.equal(1, payload:count())
    end
  end)

  it("of Lua tables wait for room as members do", function()
    local builder = core.builder { max_member = 1000, member = function(row)
      return {
        { external_id = row.id .. "a", email = "a@b.example" }, { external_id = row.id .. "b", email = "a@b.example" },
      }
    end }
    local payload = core.payload { max_members = 3, max_bytes = 1000 }
    assert.equal("more", (builder:take(payload, { id = "1" })))
    assert.equal("full", (builder:take(payload, { id = "2" })))
    assert.has_error(function() builder:take(payload, { id = "3" }) end,
      "the row before waits for room: flush it first")
    assert.equal(3, payload:count())
    payload:reset()
    assert.is_true(builder:flush(payload))
    assert.equal(1, payload:count())
    assert.same({ 2, 2, 4 }, { builder:counts().rows, builder:counts().used_rows, builder:counts().members })
  end)
end)
