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

  it("tells values apart that begin and end alike", function()
    local first = nights.night({}, { input_of(csv { "p1,abcd@efgh.org,,US,yes" }) })
    local second = nights.night(first.state, { input_of(csv { "p1,abcd@efgefgh.org,,US,yes" }) })
    assert.equal(1, second.built.add)
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
      assert.same({ 1, 1, 0 }, { second.built.add, second.built.note, second.built.rejected })
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
      assert.same({ 3, 4, 1 }, { second.night[1].removed, second.night[1].leavers, second.night[1].leavers_rejected })
      local third = nights.night(second.state, inputs, opts)
      assert.equal("", ids(third.entries))
      assert.equal(1, third.night[1].rejected_before)
    end
  end)

  it("removes leavers by their ids alone, in as many payloads as it takes", function()
    local names = { "x1", 'say "hi" \\ é', "7", ("long"):rep(100), ("x"):rep(255), "tab\there", "\226\130\172" }
    local filled, all = core.payload { max_members = 100, max_bytes = 100000 }, {}
    local remover = core.builder { max_member = 10000, remove = true }
    local chunk = core.mirror.chunk(1)
    for _, id in ipairs(names) do
      chunk:add("add", 0, id, core.mirror.key_hash(nights.KEY, id), ("c"):rep(8), ("m"):rep(8))
      if not id:find "\t" then -- which a row does not give
        assert.is_true(remover:add(filled, { external_id = id }))
      end
    end
    for i = 1, filled:count() do
      all[i] = filled:text("remove", i, i)
    end
    all[#all + 1] = '{"externalId":"tab\\u0009here"}'
    table.sort(all)
    local state = nights.fold({ { chunk:blob() } }, {})
    for _, max in ipairs { 1, 2, 3, 7, 8 } do
      local night = nights.night(state, { input_of(csv {}) }, { max_members = max })
      assert.equal(math.floor((7 + max - 1) / max), #night.removed)
      local said = {}
      for member in table.concat(night.removed, ","):gmatch '{"externalId":"[^}]*"}' do
        said[#said + 1] = member
      end
      table.sort(said)
      assert.same(all, said)
      table.sort(names)
      assert.same(names, night.leavers)
      assert.equal(7, night.built.remove)
      assert.same({ 7, 0, 7 }, { night.counts.members, night.counts.adds, night.counts.removes })
      assert.same({}, nights.night(night.state, { input_of(csv {}) }).leavers)
    end
  end)

  it("stands still where a leaver cannot be removed", function()
    local function leaving(id)
      local chunk = core.mirror.chunk(1)
      chunk:add("add", 0, id, core.mirror.key_hash(nights.KEY, id), ("c"):rep(8), ("m"):rep(8))
      local night = core.mirror.night { key = nights.KEY, parts = 1 }
      assert(night:chunk(chunk:blob(), { { first = 1, last = 1, outcome = "applied" } }))
      assert(night:merge(0))
      return night, core.mirror.chunk(2)
    end
    local builder = core.builder { max_member = 1000, map = nights.MAP }
    local small = core.payload { max_members = 10, max_bytes = 20 }
    local night, chunk = leaving "somebody"
    assert.same({ nil, "it would be larger than its format allows", "too_large" },
      { builder:leave(small, night, chunk) })
    assert.same({ 0, 0 }, { small:count(), chunk:count() })
    local large = core.payload { max_members = 10, max_bytes = 1000 }
    assert.equal("end", builder:leave(large, night, chunk))
    assert.same({ 1, 1 }, { large:count(), chunk:count() })
    assert.has_error(function() builder:leave(core.payload { max_members = 1, max_bytes = 100 }, night, chunk) end,
      "a payload has other members than its chunk")
    night, chunk = leaving "\255"
    large = core.payload { max_members = 10, max_bytes = 1000 }
    assert.same({ nil, "the state is damaged", "damaged" },
      { builder:leave(large, night, chunk) })
    assert.same({ 0, 0 }, { large:count(), chunk:count() })
  end)

  it("lets nobody leave where it only adds, not even whose row gives no member any more", function()
    local first = nights.night({}, { input_of(people(4)) })
    local after = { input_of(people(2, { "p1,nothing,,US,yes", "p2,x@example.org,,US,yes" })) }
    local second = nights.night(first.state, after, { mode = "upsert" })
    assert.equal("add p2, rejected p1", ids(second.entries))
    assert.same({}, second.leavers)
    assert.same({ 2, 0, 0 }, { second.night[1].kept, second.night[1].leavers, second.night[1].leavers_rejected })
    local third = nights.night(second.state, after)
    assert.equal("p1 p3 p4", table.concat(third.leavers, " "))
    assert.same({ 2, 3, 1 }, { third.night[1].removed, third.night[1].leavers, third.night[1].leavers_rejected })
  end)

  it("removes those who have a row where it only removes, and keeps everybody else", function()
    local first = nights.night({}, { input_of(people(6)) })
    local gone = { input_of(csv { "p2,,,,no", "p9,p9@example.org,,US,yes", "p5,other@example.org,,US,yes",
      "p8,p8@example.org,,US,yes", "p2,p2@example.org,,US,yes" }) }
    local second = nights.night(first.state, gone, { mode = "remove" })
    assert.equal("p2 p5", table.concat(second.leavers, " "))
    assert.same({}, second.entries)
    assert.same({ "" }, second.texts)
    local counts = second.night[1]
    assert.same({ 2, 2, 4, 2, 0, 1 }, { counts.removed, counts.not_there, counts.kept, counts.leavers,
      counts.leavers_rejected, second.night.replaced })
    assert.same({ { row = 2, file = 0, line = 3 }, { row = 4, file = 0, line = 5 } }, second.samples[1].not_there)
    local third = nights.night(second.state, gone, { mode = "remove" })
    assert.same({ 0, 4, 4 }, { third.night[1].removed, third.night[1].not_there, third.night[1].kept })
    assert.equal("add p2, add p5", ids(nights.night(second.state, { input_of(people(6)) }).entries))
  end)

  it("shows the first rows of each verdict, by file and row", function()
    local first = nights.night({}, { input_of(people(9, { [9] = "p9,nothing,,US,yes" })) })
    local inputs = { input_of(csv { '"p1",p1@example.org,,US,"a\nb"', "p2,p2@example.org,,US,yes",
      "new5,e@example.org,,US,yes", "p4,x@example.org,,US,yes", "new4,d@example.org,,US,yes" }),
      input_of(csv { "new3,c@example.org,,US,yes", "p3,p3@example.org,,US,yes", "p9,nothing,,US,yes",
        "new2,b@example.org,,US,yes", "p5,p5@example.org,,US,yes", "new5,e@example.org,,US,yes" }) }
    local second = nights.night(first.state, inputs)
    assert.same({
      { added = { { row = 5, file = 0, line = 7 }, { row = 1, file = 1, line = 2 }, { row = 4, file = 1, line = 5 } },
        changed = { { row = 4, file = 0, line = 6 } },
        unchanged = { { row = 1, file = 0, line = 2 }, { row = 2, file = 0, line = 4 },
          { row = 2, file = 1, line = 3 } },
        rejected_before = { { row = 3, file = 1, line = 4 } },
        deferred = {}, under_way = {}, excluded = {}, not_there = {} },
    }, second.samples)
    local night = assert(core.mirror.night { key = nights.KEY, parts = 1, audiences = 2 })
    assert(night:row("a", {}, 2, 7, 0, 3))
    assert(night:exclude "a")
    assert(night:merge(0))
    local samples = night:samples()
    assert.same({}, samples[1].excluded)
    assert.same({ { row = 7, file = 3 } }, samples[2].excluded)
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

  it("ends a payload and its chunk together, and goes on with others", function()
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

  it("puts what is not sent into a chunk of its own, so that others stand as in the payload", function()
    local first = nights.night({}, { input_of(people(9)) })
    local rows = { "p1,P1@example.org,,US,yes", "p2,x@example.org,,US,yes", "p3,nothing,,US,yes",
      "p4,y@example.org,,US,yes", "p5,nothing,,US,yes", "p6,P6@example.org,,US,yes" }
    for _, max in ipairs { 1, 2, 10 } do
      local second = nights.night(first.state, { input_of(people(9, rows)) }, { max_members = max, bytes = 1 })
      local sent, not_sent = {}, {}
      for i, blob in ipairs(second.blobs) do
        for _, entry in ipairs(nights.entries(blob)) do
          sent[#sent + 1] = entry.op .. " " .. entry.id
        end
        assert.equal(select(2, second.texts[i]:gsub("externalId", "")), #nights.entries(blob))
        for _, entry in ipairs(nights.entries(second.notes[i])) do
          not_sent[#not_sent + 1] = entry.op .. " " .. entry.id
        end
      end
      assert.same({ "add p2", "add p4" }, sent)
      assert.same({ "note p1", "rejected p3", "rejected p5", "note p6" }, not_sent)
    end
  end)

  it("ends where the notes have grown large, although nothing is sent", function()
    local rows = {}
    for i = 1, 80 do
      rows[i] = ("%s%d,no email,,US,yes"):format(("x"):rep(60000), i)
    end
    local only = nights.night({}, { input_of(csv(rows)) }, { max_bytes = 20e6 })
    assert.same({ "", "" }, only.texts)
    assert.is_true(#only.notes[1] < 5e6)
    assert.equal(80, only.built.rejected)
  end)

  it("notes a person without the id, which the state has", function()
    local function night(state, email)
      local row = ("%s,%s,,US,yes"):format(("x"):rep(60000), email)
      return nights.night(state, { input_of(csv { row }) }, { max_bytes = 20e6 })
    end
    local first = night({}, "p1@example.org")
    local second = night(first.state, " P1@example.org")
    assert.same({ "" }, second.texts)
    assert.equal(1, second.built.note)
    assert.is_true(#second.notes[1] < 100)
    assert.equal(0, night(second.state, " P1@example.org").built.note)
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
    local payload, chunk, notes = core.payload { max_members = 10, max_bytes = 1000 }, core.mirror.chunk(1),
      core.mirror.chunk(1)
    local path = world.file(people(3))
    local function source()
      return assert(core.source { format = "csv", path = path })
    end
    local scripted = core.builder { max_member = 1000, member = function() end }
    assert.has_error(function() scripted:survey(night, source(), 0, 1e6, 1) end,
      "a night does not take what member() gives")
    assert.has_error(function() builder:build(payload, source(), two, chunk, notes, 0, 1e6, 1) end,
      "a night of several audiences takes a list with one for each")
    assert.equal("end", builder:survey(night, source(), 0, 1e6, 1))
    assert(night:merge(0))
    assert.equal("end", builder:build(payload, source(), night, chunk, notes, 0, 1e6, 1))
    assert.same({ add = 3, note = 0, rejected = 0, remove = 0, add_again = 0, remove_again = 0, deferred = 0 },
      builder:built())
    assert.same({ 3, 0 }, { chunk:count(), notes:count() })
    assert.has_error(function() builder:build(payload, source(), night, chunk, chunk, 0, 1e6, 1) end,
      "notes go into a chunk of their own")
    assert.has_error(function() builder:build(payload, source(), night, core.mirror.chunk(1), notes, 0, 1e6, 1) end,
      "a payload has other members than its chunk")
    assert.equal("end", builder:build(payload, source(), night, chunk, notes, 0, 1e6, 1))
    builder:epoch(core.id_set(), core.payload { max_members = 10, max_bytes = 1000 })
    assert.has_error(function() builder:survey(night, source(), 0, 1e6, 1) end, "a night has no epochs")
    local other = core.mirror.night { key = ("k"):rep(16), parts = 1 }
    builder = core.builder { max_member = 1000, map = nights.MAP }
    assert.equal("end", builder:survey(other, source(), 0, 1e6, 1))
    assert(other:merge(0))
    assert.has_error(function() builder:build(payload, source(), other, chunk, notes, 1, 1e6, 1) end,
      "candidates of an earlier file wait")
    assert.has_error(function() other:candidate() end, "attempt to use a closed night")
    builder = core.builder { max_member = 1000, map = nights.MAP }
    assert.has_error(function() builder:leave(payload, two, chunk) end,
      "a night of several audiences takes a list with one for each")
    assert.has_error(function() builder:leave(payload, night, core.mirror.chunk(1)) end,
      "removals go into a payload of their own")
    night = core.mirror.night { key = ("k"):rep(16), parts = 1 }
    assert.equal("end", builder:survey(night, source(), 0, 1e6, 1))
    assert(night:merge(0))
    payload, chunk = core.payload { max_members = 1, max_bytes = 1000 }, core.mirror.chunk(1)
    notes = core.mirror.chunk(1)
    assert.equal("full", builder:build(payload, source(), night, chunk, notes, 0, 1e6, 1))
    assert.has_error(function()
      builder:leave(core.payload { max_members = 1, max_bytes = 1000 }, night, core.mirror.chunk(1))
    end, "a candidate waits for room: build it first")
  end)
end)
