-- Rows of files into a night, and its candidates out of it: what is sent is the difference, row by row, and the same
-- however the bytes came.
local core = require "scope3.core"
local nights = require "spec.support.night_of_files"
local world = require "spec.support.world"

local function csv(rows, eol)
  local lines = { "id,email,phone,region,keep" }
  for _, row in ipairs(rows) do
    lines[#lines + 1] = row
  end
  return table.concat(lines, eol or "\n") .. (eol or "\n")
end

local function input_of(text, more)
  local input = { text = text, path = world.file(text) }
  for name, value in pairs(more or {}) do
    input[name] = value
  end
  return input
end

local function people(n, change)
  local rows = {}
  for i = 1, n do
    rows[i] = change and change[i] or ("p%d,p%d@example.org,,US,yes"):format(i, i)
  end
  return csv(rows)
end

local function ids(entries)
  local list = {}
  for i, entry in ipairs(entries) do
    list[i] = entry.op .. " " .. entry.id
  end
  return table.concat(list, ", ")
end

-- As UTF-16.
local function wide(text)
  return "\255\254" .. (text:gsub("[%z\1-\255]", "%0\0"))
end

-- Every way in which the same bytes may come: from a file, whose rows are sought; fed in pieces; and as UTF-16.
local function ways(text)
  return {
    { input_of(text) }, { input_of(text, { fed = true, piece = 7 }) },
    { input_of(text, { fed = true, piece = 200000 }) },
    { input_of(wide(text)) },
  }
end

-- Bytes that this process has read of files so far.
local function bytes_read()
  local file = assert(io.open "/proc/self/io")
  local n = tonumber(file:read("*a"):match "rchar: (%d+)")
  file:close()
  return n
end

describe("a night of files", function()
  after_each(world.clean)

  it("sends all of a first file, and nothing of the same one again", function()
    local inputs = { input_of(people(300)) }
    local filled = nights.fill(inputs, {})
    local first = nights.night({}, inputs)
    assert.is_true(filled.text == table.concat(first.texts))
    assert.equal(300, first.built.add)
    local second = nights.night(first.state, inputs)
    assert.same({ "" }, second.texts)
    assert.same({}, second.entries)
    assert.equal(300, second.night[1].unchanged)
  end)

  it("sends the one row whose cell changed, and notes the one that is only written otherwise", function()
    local first = nights.night({}, { input_of(people(3000)) })
    local after = people(3000,
      { [1700] = "p1700,other@example.org,,US,yes", [2900] = "p2900, P2900@Example.org ,,US,yes" })
    for _, inputs in ipairs(ways(after)) do
      local second = nights.night(first.state, inputs)
      assert.equal("add p1700, note p2900", ids(second.entries))
      assert.equal(1, select(2, second.texts[1]:gsub("externalId", "")))
      assert.truthy(second.texts[1]:find('"p1700"', 1, true))
      assert.same({ add = 1, note = 1, rejected = 0 }, second.built)
      local third = nights.night(second.state, inputs)
      assert.equal("", ids(third.entries))
    end
  end)

  it("reads no more of a file than what is near the rows that it wants", function()
    local first = nights.night({}, { input_of(people(60000)) })
    local change = {}
    for _, i in ipairs { 20000, 20001, 40000, 59990 } do
      change[i] = ("p%d,other@example.org,,US,yes"):format(i)
    end
    local before
    local second = nights.night(first.state, { input_of(people(60000, change)) },
      { between = function() before = bytes_read() end })
    assert.equal("add p20000, add p20001, add p40000, add p59990", ids(second.entries))
    assert.is_true(bytes_read() - before < 400000) -- of 1,900,000
    local other = nights.night(first.state, { input_of(wide(people(60000, change))) })
    assert.same(second.blobs, other.blobs)
  end)

  it("has those leave who are gone, are skipped now, or give no member any more", function()
    local first = nights.night({}, { input_of(people(40)) }, { conditions = { { "eq", 5, { "yes" } } } })
    local rows = { [7] = "p7,p7@example.org,,US,no", [8] = "p8,nothing,,US,yes", [9] = "",
      [10] = ",p10@example.org,,US,yes" }
    local opts = { conditions = { { "eq", 5, { "yes" } } } }
    for _, inputs in ipairs(ways(people(40, rows))) do
      local second = nights.night(first.state, inputs, opts)
      assert.equal("p10 p7 p8 p9", table.concat(second.leavers, " "))
      assert.equal("rejected p8", ids(second.entries))
      local third = nights.night(second.state, inputs, opts)
      assert.equal("", ids(third.entries))
      assert.equal(1, third.night[1].rejected_before)
    end
  end)

  it("counts and reports rows as filling does, with their rows and lines", function()
    local text = "\239\187\191" .. csv({
      "a1,a1@example.org,,US,yes", '"a2","a2@example.org","",US,"a note\r\nof three\r\nlines"', "",
      "a3,nothing,,US,yes",
      ",b@example.org,,US,yes", "c@example.org,c@example.org,,US,yes", "a4,a4@example.org,,US,no", "a5,,,,yes",
      "a6,,12,Atlantis,yes", "a7,a7@example.org,1,2,3,4,5", "a8,a8@example.org", ",short", "n/a,x@example.org,,,yes",
      "a9,x@@y,+12065550142,US,yes", '"q",q@example.org,,"US",yes', "last,nothing,,US,yes",
    }, "\r\n")
    local opts = { conditions = { { "ne", 5, { "no" } } } }
    for _, inputs in ipairs(ways(text)) do
      local filled, night = nights.fill(inputs, opts), nights.night({}, inputs, opts)
      for _, key in ipairs { "rows", "skipped", "used", "members", "rejected", "dropped", "hashed_email",
        "hashed_phone", "repaired", "unknown_regions", "conditions" } do
        assert.same({ key, filled.counts[key] }, { key, night.counts[key] })
      end
      table.sort(filled.rejections)
      table.sort(night.rejections)
      assert.same(filled.rejections, night.rejections)
      assert.equal(filled.short_rows, night.short_rows)
      assert.truthy(filled.text:find("a2", 1, true))
      assert.equal(filled.text, night.texts[1])
    end
  end)

  it("ends a payload and a chunk together, and goes on with two others", function()
    local inputs = { input_of(people(50)) }
    local whole = nights.night({}, inputs)
    for _, opts in ipairs { { max_members = 7 }, { max_bytes = 500 }, { max_members = 1 } } do
      opts.bytes = 1
      local parts = nights.night({}, inputs, opts)
      assert.is_true(#parts.texts > 5)
      for i, text in ipairs(parts.texts) do
        local said = {}
        for id in text:gmatch '"externalId":"([^"]*)"' do
          said[#said + 1] = "add " .. id
        end
        assert.equal(table.concat(said, ", "), ids(nights.entries(parts.blobs[i])))
      end
      assert.equal(whole.texts[1], table.concat(parts.texts, ","))
    end
  end)

  it("ends a chunk that has grown large, although its payload has room", function()
    local rows = {}
    for i = 1, 80 do
      rows[i] = ("%s%d,p%d@example.org,,US,yes"):format(("x"):rep(60000), i, i)
    end
    local night = nights.night({}, { input_of(csv(rows)) }, { max_bytes = 20e6 })
    assert.equal(2, #night.texts)
    assert.is_true(#night.blobs[1] < 5e6)
    assert.equal(80, night.built.add)
  end)

  it("rejects an id that a state cannot hold, before it is built", function()
    local rows = { ("x"):rep(65535) .. ",a@example.org,,US,yes", ("y"):rep(65536) .. ",b@example.org,,US,yes" }
    local night = nights.night({}, { input_of(csv(rows)) }, { max_bytes = 20e6 })
    assert.equal(1, night.built.add)
    assert.same({ member_too_large = 1 }, night.surveyed.rejected)
  end)

  it("looks at every column that the map takes, and at which one a value stands in", function()
    local opts = { map = { { "external_id", 1 }, { "external_id", 2 }, { "email", 3 }, { "email", 4 }, { "phone", 5 },
      { "hashed_email", 6 }, { "region", 7 }, { "uids", 8, "uid2" }, { "uids", 9, "maid" }, { "phone", 10 } } }
    local function text(row)
      return "a,b,c,d,e,f,g,h,i,j\nsame,,s@example.org,,,,,,,\n" .. row .. "\n"
    end
    local before = "a,,a@example.org,,,,US,,,"
    local first = nights.night({}, { input_of(text(before)) }, opts)
    assert.equal("add same, add a", ids(first.entries))
    local seen = {}
    for _, row in ipairs {
      "a,,b@example.org,,,,US,,,", "a,,a@example.org,b@example.org,,,US,,,", "a,,a@example.org,,1,,US,,,",
      "a,,a@example.org,,1,,US,,,2", "a,,a@example.org,,,1,US,,,", "a,,a@example.org,,,,DE,,,",
      "a,,a@example.org,,,,US,1,,", "a,,a@example.org,,,,US,,1,", "a,,a@example.org,,,,US,1,1,",
      "a,,a@example.org,,,,US,2,,", "a,,a@example.org,1,1,,US,,,",
      "a,,a@example.org,1,,,US,,,", "a,,a@example.org,,1,,US,,,1",
      "a,,x@y.info,,.example+1206555,,US,,,", "a,,x@y.info.example,,+1206555,,US,,,",
    } do
      local inputs = { input_of(text(row)) }
      local second = nights.night(first.state, inputs, opts)
      assert.equal(1, #second.entries)
      assert.is_nil(seen[second.entries[1].cells])
      seen[second.entries[1].cells] = true
      assert.equal("", ids(nights.night(second.state, inputs, opts).entries))
    end
    for _, row in ipairs { before, '"a"," a ",a@example.org,"",,,US, ,,', "n/a,a,a@example.org,,,,US,,," } do
      assert.same({}, nights.night(first.state, { input_of(text(row)) }, opts).entries)
    end
  end)

  it("takes several files in turn, of which the last row of an id counts", function()
    local inputs = {
      input_of(csv { "a,a@example.org,,US,yes", "b,b@example.org,,US,yes" }),
      input_of(csv { "c,c@example.org,,US,yes", "a,other@example.org,,US,yes" }),
      input_of(csv { "a,other@example.org,,US,no" }),
    }
    local night = nights.night({}, inputs, { conditions = { { "eq", 5, { "yes" } } } })
    assert.equal("add b, add c, add a", ids(night.entries))
    assert.equal(1, night.night.replaced)
    assert.equal(3, night.built.add)
  end)

  it("takes JSON in every layout", function()
    local objects = {}
    for i = 1, 20 do
      objects[i] = ('{"email": "p%d@example.org", "id": %d, "note": [1, {"x": "}"}]}'):format(i, i)
    end
    objects[21] = '{"id": true, "email": "x@example.org"}'
    objects[22] = '{"id": "", "email": true}'
    objects[23] = '{"id": 23, "email": true, "phone": "+12065550142"}'
    local texts = {
      table.concat(objects, "\n"), table.concat(objects, " "), "[" .. table.concat(objects, ",\n  ") .. "]",
      table.concat(objects, "\n"):gsub(", ", ",\n"), "\239\187\191\n\n" .. table.concat(objects, "\r\n\r\n") .. "\r\n",
    }
    for _, text in ipairs(texts) do
      local opts = { map = nights.KEYS }
      local changed = text:gsub('p3@', 'p33@'):gsub('p17@example.org', 'nothing'):gsub('p20@', 'P20@')
      local before = { input_of(text, { format = "jsonl" }) }
      local first = nights.night({}, before, opts)
      assert.equal(21, first.built.add)
      local all = nights.fill(before, opts).rejections
      table.sort(all)
      table.sort(first.rejections)
      assert.same(all, first.rejections)
      for _, fed in ipairs { false, 5, 100000 } do
        local inputs = { input_of(changed, { format = "jsonl", fed = fed and true, piece = fed }) }
        local second = nights.night(first.state, inputs, opts)
        assert.equal("add 3, rejected 17, note 20", ids(second.entries))
        assert.same({ "17" }, second.leavers)
        local filled = nights.fill(inputs, opts)
        assert.equal(filled.counts.rejected_rows, second.counts.rejected_rows)
      end
    end
  end)

  it("gives ids as they are sent", function()
    local inputs = { input_of(csv { ' "x1" ,a@example.org,,US,yes', "7.0,b@example.org,,US,yes",
      '"say ""hi"" \\ é",c@example.org,,US,yes', "d@example.org,d@example.org,,US,yes" }) }
    local night = nights.night({}, inputs, { ids = "hash" })
    local sent = {}
    for _, entry in ipairs(night.entries) do
      sent[#sent + 1] = entry.id
    end
    assert.same({ "x1", "7", 'say "hi" \\ é',
      "bfab0f54ca1cbaf654674237be1f78873a57633a6d41a46ecff7b4a62de10c98" }, sent)
  end)

  it("asks where() once for each row, and tells of one that fails", function()
    local asked = 0
    local opts = { where = function(row)
      asked = asked + 1
      if row.id == "p5" then
        error "no"
      end
      return row.keep == "yes"
    end }
    local inputs = { input_of(people(10, { [3] = "p3,p3@example.org,,US,no" })) }
    local night = nights.night({}, inputs, opts)
    assert.equal(10, asked)
    assert.equal("add p1, add p2, add p4, add p6, add p7, add p8, add p9, add p10", ids(night.entries))
    assert.equal(1, night.counts.skipped)
    assert.same({ script_error = 1 }, night.counts.rejected)
    local filled = nights.fill(inputs, opts)
    assert.same(filled.states, night.states)
    assert.same(filled.rejections, night.rejections)
  end)

  it("tells blank cells, absent ones and those of other columns apart only where members differ", function()
    local first = nights.night({}, { input_of(csv { "a,a@example.org,,,yes", "b,b@example.org,,,yes" }) })
    local second = nights.night(first.state, { input_of(csv { "a,a@example.org,  ,,no", "b,,b@example.org,,yes" }) })
    assert.equal("rejected b", ids(second.entries))
  end)

  it("refuses a file that was changed between its two readings", function()
    local before = people(100)
    for _, after in ipairs { (before:gsub("p50@", "p51@")), before:sub(1, 700), "id\n" .. before, "", '"' .. before,
      (before:gsub("p50,", "p5,,")) } do
      local inputs = { input_of(before) }
      local out = nights.night({}, inputs, { between = function() world.write(inputs[1].path, after) end })
      assert.equal("changed", out.ended)
      assert.is_nil(out.state)
    end
  end)

  it("takes nothing of member(), of an epoch, of several audiences, or of another file than is due", function()
    local night = core.mirror.night { key = ("k"):rep(16), parts = 1 }
    local two = core.mirror.night { key = ("k"):rep(16), parts = 1, audiences = 2 }
    local builder = core.builder { max_member = 1000, map = nights.MAP }
    local payload, chunk = core.payload { max_members = 10, max_bytes = 1000 }, core.mirror.chunk(1)
    local path = world.file(people(3))
    local function source()
      return assert(core.source { format = "csv", path = path })
    end
    local scripted = core.builder { max_member = 1000, member = function() end }
    assert.has_error(function() scripted:survey(night, source(), 0, 1e6, 1) end,
      "a night does not take what member() gives")
    assert.has_error(function() builder:build(payload, source(), two, chunk, 0, 1e6, 1) end,
      "the members of a payload are of one audience")
    assert.equal("end", builder:survey(night, source(), 0, 1e6, 1))
    assert(night:merge(0))
    assert.equal("end", builder:build(payload, source(), night, chunk, 0, 1e6, 1))
    assert.same({ add = 3, note = 0, rejected = 0 }, builder:built())
    assert.equal("end", builder:build(payload, source(), night, chunk, 0, 1e6, 1))
    builder:epoch(core.id_set(), core.payload { max_members = 10, max_bytes = 1000 })
    assert.has_error(function() builder:survey(night, source(), 0, 1e6, 1) end, "a night has no epochs")
    local other = core.mirror.night { key = ("k"):rep(16), parts = 1 }
    builder = core.builder { max_member = 1000, map = nights.MAP }
    assert.equal("end", builder:survey(other, source(), 0, 1e6, 1))
    assert(other:merge(0))
    assert.has_error(function() builder:build(payload, source(), other, core.mirror.chunk(1), 1, 1e6, 1) end,
      "candidates of an earlier file wait")
    assert.has_error(function() other:candidate() end, "attempt to use a closed night")
  end)
end)
