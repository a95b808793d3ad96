-- scope3.prepare writes members as lines, and a job over the lines makes the requests of one over the rows.
local errors = require "scope3.error"
local scope3 = require "scope3"
local seed = require "spec.support.seed"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local PREPARED = { prepared = true }
local HASH = ("0123456789abcdef"):rep(4)

local function merged(...)
  local all = {}
  for _, one in ipairs { ... } do
    for key, value in pairs(one) do
      all[key] = value
    end
  end
  return all
end

-- Numbers that are the same on every Lua.
local function dice(from)
  local state = from % 2147483647
  return function(n)
    state = (state * 16807 + 11) % 2147483647
    return state % n + 1
  end
end

local function of(roll, list)
  return list[roll(#list)]
end

-- What stands round values, and makes others of them.
local EDGES = { "", "", "", "", " ", "'", '"', "=", "\226\128\139", "`", "\194\160", ".0", "#2", "#16", "tel:", "(",
  "é", "\\" }
local MIDDLES = { "C%d", "%d", "K-%d", "4930%d", "+49 30 90182%03d", "p%d@example.org", "ObjectId(\"5f%022d\")",
  "x %d y", '{"$oid": "a%d"}', "%d,5", "0", "null" }
local MAILS = { "p%d@example.org", "P%d@Example.org", "mailto:p%d@example.org", "Ann <p%d@example.org>", "p%d", "",
  "n/a", "ä%d@example.org", "p%d@example.org, q@example.org", ("%064x"), ("%064X") }
local PHONES = { "+49 30 90182%03d", "030 90182%03d", "(030) 90182-%03d", "4930 90182%03d", "no", "", "90182%03d.0" }
local UIDS = { "AdvIvSiaum0P5s3X/7X8h8sz+OhF2IG8DNbEnkWSbY%d=", "v%d", "'v%d'", '"= v%d"', "ID5*%d", "null", "",
  "38400000-8cf0-11bd-b23e-10b96e4%05d" }

local function value(roll, list)
  local n = roll(60)
  local form = of(roll, list)
  return form:find("%%") and form:format(n) or form
end

local function field(text)
  return '"' .. text:gsub('"', '""') .. '"'
end

local COLUMNS = { "id", "id2", "mail", "mail2", "tel", "land", "u1", "u2" }

-- A file of rows; of rows with `ids` each has another id.
local function file(roll, rows, ids)
  local lines = { table.concat(COLUMNS, ",") .. "\n" }
  for i = 1, rows do
    local id = of(roll, EDGES) .. value(roll, MIDDLES) .. of(roll, EDGES) .. of(roll, EDGES)
    id = ids and ids[i] or id
    local row = { id, value(roll, MIDDLES), value(roll, MAILS), value(roll, MAILS), value(roll, PHONES),
      of(roll, { "DE", "Germany", "", "US", "Atlantis" }), value(roll, UIDS),
      of(roll, EDGES) .. value(roll, UIDS) .. of(roll, EDGES) }
    for k, text in ipairs(row) do
      row[k] = field(text)
    end
    lines[i + 1] = table.concat(row, ",") .. "\n"
  end
  return world.file(table.concat(lines), ".csv")
end

local MAPS = {
  { external_id = "id", email = "mail", phone = "tel", region = "land", ["uid:uid2"] = "u1", ["uid:partner"] = "u2" },
  { external_id = { "id", "id2" }, email = { "mail", "mail2" }, phone = "tel", ["uid:maid"] = "u1" },
  { external_id = "id", email = { each = { "mail", "mail2" } }, phone = "tel", region = { "land", default = "DE" },
    ["uid:id5"] = { "u1", "u2" } },
}

describe("members that are prepared", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client

  before_each(function()
    sandbox:configure { clock = "manual", log_bodies = true }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
  end)

  -- The bodies of the requests of a job.
  local function sent(script, input, opts)
    sandbox:reset()
    sandbox:configure { clock = "manual", log_bodies = true }
    local res, err = client:run(script, input, merged({ audience = "a" }, opts or {}))
    assert(res, tostring(err))
    world.assert_sums(res)
    assert(#res.tasks == 0 or res:wait { timeout = 60 })
    local bodies = {}
    for i, request in ipairs(sandbox:requests "sync") do
      bodies[i] = request.body
    end
    return bodies, res
  end

  -- The lines of an input.
  local function lines_of(script, input, opts)
    local parts = {}
    local res, err = scope3.prepare(script, input, function(lines)
      assert.truthy(lines:find "\n$")
      parts[#parts + 1] = lines
      return true
    end, opts)
    assert(res, tostring(err))
    return table.concat(parts), res
  end

  local function prepared(script, inputs, opts)
    local paths, gave = {}, { rows = 0, prepared = 0 }
    for i, input in ipairs(inputs) do
      local lines, res = lines_of(script, { input }, opts)
      paths[i] = world.file(lines, i % 2 == 0 and ".jsonl" or ".members")
      gave.rows, gave.prepared = gave.rows + res.rows, gave.prepared + res.prepared
    end
    return paths, gave
  end

  it("make the requests of one job over the rows, byte for byte", function()
    print("seed " .. seed)
    for case, map in ipairs(MAPS) do
      local roll = dice(seed + case)
      local inputs = {}
      for i = 1, 8 do
        inputs[i] = file(roll, 30)
      end
      local how = { ids = of(roll, { "refuse", "hash", "as_is" }), phone_repairs = { "decimal", "plus" },
        repair = roll(4) > 1, region = case == 1 and "DE" or nil }
      local sending = { max_members = 8 + roll(20), unique = roll(3) == 1 or nil }
      local expected, res = sent({ map = map }, inputs, merged(how, sending))
      local paths, gave = prepared({ map = map }, inputs, how)
      local came, again = sent(PREPARED, paths, merged(sending, { ids = how.ids == "as_is" and "as_is" or nil }))
      assert.same(expected, came)
      assert.is_true(#expected > 2)
      assert.same({ 240, res.members, res.members, res.members },
        { gave.rows, gave.prepared, again.rows, again.members })
      assert.same(res.identifiers, again.identifiers)
      assert.equal(res.replaced, again.replaced)
      assert.same({}, again.rejected)
    end
  end)

  it("are removed where the job is for removing, by ids only", function()
    local input = world.file("id,mail\nC1,a@x.org\n,b@x.org\nC2,\n", ".csv")
    local script = { map = { external_id = "id" }, mode = "remove" }
    sent({ map = { external_id = "id", email = "mail" } }, input)
    local lines, res = lines_of(script, input)
    assert.equal('{"externalId":"C1"}\n{"externalId":"C2"}\n', lines)
    assert.same({ 2, { no_external_id = 1 } }, { res.prepared, res.rejected })
    local made = client:run(PREPARED, world.file(lines), { audience = "a", mode = "remove" })
    assert.same({ 2, 2 }, { made.accepted, made.removed })
  end)

  it("come from a source of JSON Lines, packed or not, in any layout that it has", function()
    local line = ('{"externalId":"C1","hashedEmail":"%s"}'):format(HASH:upper())
    for _, input in ipairs { line, line .. "\n", "[" .. line .. "]", " \n" .. line:gsub(",", " , ") } do
      local bodies, res = sent(PREPARED, assert(scope3.jsonl(world.file(input))))
      assert.truthy(bodies[1]:find(('{"externalId":"C1","hashedEmail":"%s"}'):format(HASH), 1, true))
      assert.same({ 1, 1 }, { res.accepted, res.prehashed })
    end
  end)

  it("end the job at a line that is none, before that is sent", function()
    local good = ('{"externalId":"C1","hashedEmail":"%s"}'):format(HASH)
    local uid2 = '"uids":[{"type":"uid2","value":"%s"}]'
    for _, case in ipairs {
      { '{"externalId":"jane@example.org","hashedEmail":"%s"}', "id_email" },
      { '{"externalId":"jane@example.org#2","hashedEmail":"%s"}', "id_email" },
      { '{"externalId":"+493090182000","hashedEmail":"%s"}', "id_phone" },
      { '{"externalId":"a\\u0000b","hashedEmail":"%s"}', "id_control" },
      { '{"externalId":"","hashedEmail":"%s"}', "not_prepared" },
      { '{"externalId":17,"hashedEmail":"%s"}', "not_prepared" },
      { '{"hashedEmail":"%s"}', "no_external_id" },
      { '{"externalId":"C2","email":"jane@example.org"}', "not_prepared" },
      { '{"externalId":"C2","hashedemail":"%s"}', "not_prepared" },
      { '{"externalId":"C2","hashedEmail":"%s","hashedEmail":"%s"}', "not_prepared" },
      { '{"externalId":"C2","hashedEmail":"%s","__parentId":"C1"}', "not_prepared" },
      { '{"externalId":"C2","hashedEmail":"%s","hashedPhone":null}', "not_prepared" },
      { '{"externalId":"C2","hashedEmail":"jane@example.org"}', "hash_malformed" },
      { '{"externalId":"C2","hashedEmail":" ","hashedPhone":"%s"}', "not_prepared" },
      { '{"externalId":"C2","hashedPhone":"+493090182000"}', "hash_malformed" },
      { '{"externalId":"C2"}', "no_identifier" },
      { '{"externalId":"C2","uids":[]}', "no_identifier" },
      { '{"externalId":"C2","uids":{}}', "not_prepared" },
      { '{"externalId":"C2","uids":"v"}', "not_prepared" },
      { '{"externalId":"C2","uids":["v"]}', "not_prepared" },
      { '{"externalId":"C2","uids":[{"type":"x","value":"v","ext":1}]}', "not_prepared" },
      { '{"externalId":"C2","uids":[{"type":"x","type":"y","value":"v"}]}', "not_prepared" },
      { '{"externalId":"C2","uids":[{"type":"x","value":1}]}', "not_prepared" },
      { '{"externalId":"C2","uids":[{"type":"x"}]}', "not_prepared" },
      { '{"externalId":"C2",' .. uid2:format("jane@example.org") .. "}", "uid_email" },
      { '{"externalId":"C2","uids":[' .. ('{"type":"x","value":"v"},'):rep(32) .. '{"type":"x","value":"v"}]}',
        "uid_too_many" },
      { '{"externalId":"C2","hashedEm', "bad_json" },
      { '["C2"]', "not_an_object" },
    } do
      local path = world.file(good .. "\n\n" .. case[1]:gsub("%%s", HASH) .. "\n" .. good:gsub("C1", "C3"))
      local res, err = client:run(PREPARED, path, { audience = "a" })
      assert.is_nil(res, case[1])
      assert.same({ "source", "not_prepared", case[2], 2, 3 }, { err.kind, err.code, err.reason, err.row, err.line })
      assert.truthy(err.message:find(path .. ": line 3 is no member as scope3 prepare writes them: ", 1, true))
      assert.is_nil(err.message:find("jane", 1, true) or err.message:find("49309", 1, true))
      assert.same({ 2, 0 }, { err.result.failed, err.result.accepted })
    end
    assert.equal(0, #sandbox:requests "sync")
  end)

  it("may have ids that are contacts where the job says so", function()
    local line = ('{"externalId":"jane@example.org","hashedEmail":"%s"}'):format(HASH)
    local bodies = sent(PREPARED, world.file(line), { ids = "as_is" })
    assert.truthy(bodies[1]:find(line, 1, true))
  end)

  it("keep universal ids as they are, also with characters that JSON escapes", function()
    local bare = ('{"externalId":"#2","hashedEmail":"%s"}'):format(HASH)
    assert.truthy(sent(PREPARED, world.file(bare))[1]:find(bare, 1, true))
    local line = '{"externalId":"C\\"1","uids":[{"type":"a \\\\ b","value":"v\\"1"},{"type":"maid","value":'
      .. '"38400000-8cf0-11bd-b23e-10b96e40000d"},{"type":"a \\\\ b","value":"v2"}]}'
    local bodies, res = sent(PREPARED, world.file(line .. "\n"))
    assert.truthy(bodies[1]:find(line, 1, true), bodies[1])
    assert.equal(3, res.identifiers.uids)
  end)

  it("are excluded by their ids, with or without the number of a member, and by hashes", function()
    local input = world.file("id,m1,m2\n1,a@x.org,b@x.org\n2,c@x.org,d@x.org\n3,e@x.org,f@x.org\n", ".csv")
    local script = { map = { external_id = "id", email = { each = { "m1", "m2" } } } }
    local path = world.file((lines_of(script, input)))
    local list = world.file("1\n2#2\nf@x.org\n", ".txt")
    local _, res = sent(PREPARED, path, { exclude = list })
    assert.same({ "3" }, sandbox:ids "a")
    assert.same({ 1, 5, 5 }, { res.accepted, res.excluded, res.skipped })
    local lines = lines_of(script, input, { exclude = list }) -- where rows are, a person is excluded as a whole
    assert.equal("", lines)
  end)

  it("are mirrored as their rows would be, night by night", function()
    local map = { external_id = "id", email = "mail", phone = "tel", region = "land", ["uid:partner"] = "u2" }
    local roll = dice(seed)
    local nights = {}
    for i = 1, 3 do
      local ids = {}
      for k = 1, 40 do
        ids[k] = ("C%d"):format(20 * i + k)
      end
      nights[i] = file(roll, 40, ids)
    end
    local function run(script, made)
      sandbox:reset()
      sandbox:configure { clock = "manual", log_bodies = true }
      local state, sums = world.path ".state", {}
      for i, path in ipairs(made) do
        local res, err = client:run(script, path, { audience = "a", mode = "mirror", state = state, max_removed = 1,
          remove_rejected = true })
        assert(res, tostring(err))
        assert(#res.tasks == 0 or res:wait { timeout = 60 })
        sums[i] = { res.accepted, res.removed }
      end
      return sandbox:members "a", sums
    end
    local plain = prepared({ map = map }, nights)
    local packed = {}
    for i, path in ipairs(plain) do
      assert(os.execute(("gzip -c %s > %s.gz"):format(path, path)))
      packed[i] = path .. ".gz"
      world.forget(packed[i])
    end
    local members, sums = run({ map = map }, nights)
    local from_lines, lines_sums = run(PREPARED, plain)
    assert.same({ members, sums }, { from_lines, lines_sums })
    assert.same({ from_lines, lines_sums }, { run(PREPARED, packed) })
    local excluded = world.file("1\n", ".txt")
    local each = world.file(('{"externalId":"1#2","hashedEmail":"%s"}\n{"externalId":"2","hashedEmail":"%s"}\n'):format(
      HASH, HASH))
    sandbox:reset()
    sandbox:configure { clock = "manual" }
    local res = assert(client:run(PREPARED, each, { audience = "a", mode = "mirror", state = world.path ".state",
      exclude = excluded }))
    assert(res:wait { timeout = 60 })
    assert.same({ "2" }, sandbox:ids "a")
  end)

  it("are what a script says, and nothing else of it is used", function()
    local path = world.file "x"
    local function misuse(said, script, source, opts)
      local ok, err = pcall(function()
        client:run(script, source or path, merged({ audience = "a", dry_run = true }, opts or {}))
      end)
      assert.is_false(ok)
      assert.truthy(err:find(said, 1, true), err)
      assert.truthy(err:find("members_that_are_prepared_spec.lua", 1, true), err)
    end
    misuse("a script with prepared has no map", { prepared = true, map = { external_id = "id", email = "m" } })
    misuse("a script with prepared has no where", { prepared = true, where = { a = "b" } })
    misuse("a script with prepared has no member", { prepared = true, member = function() end })
    misuse("a script has either map or member", { prepared = false })
    misuse("region has no effect on members that are prepared", PREPARED, nil, { region = "DE" })
    misuse("repair has no effect on members that are prepared", PREPARED, nil, { repair = false })
    misuse("phone_repairs has no effect", { prepared = true, phone_repairs = "all" })
    misuse("ids cannot be hash where members are prepared", PREPARED, nil, { ids = "hash" })
    misuse("format cannot be csv where members are prepared", PREPARED, nil, { format = "csv" })
    misuse("delimiter has no effect on JSON Lines", PREPARED, nil, { delimiter = ";" })
    misuse("source must be files or scope3.jsonl()", PREPARED, function() end)
    misuse("source must be files or scope3.jsonl()", PREPARED, assert(scope3.csv(world.file "a\n1\n")))
  end)

  it("resume a job of theirs, and no other", function()
    local path = world.file(('{"externalId":"1","hashedEmail":"%s"}\n{"externalId":"2","hashedEmail":"%s"}\n'):format(
      HASH, HASH))
    local journal = world.path ".journal"
    local opts = { audience = "a", max_members = 1, journal = journal }
    sandbox:configure { faults = world.json.array { { on = "sync", act = "status", status = 400, after = 1 } } }
    assert.is_nil((client:run(PREPARED, path, opts)))
    sandbox:configure { faults = world.json.array {} }
    local res = assert(client:run(PREPARED, path, opts))
    assert.same({ 2, 1 }, { res.accepted, res.resumed })
    local map = { map = { external_id = "externalId", hashed_email = "hashedEmail" }, format = "jsonl" }
    assert.equal("another_job", select(2, client:run(map, path, opts)).code)
  end)
end)

describe("scope3.prepare", function()
  teardown(world.clean)

  local SCRIPT = { map = { external_id = "id", email = "mail" } }
  local ROWS = "id,mail\n1,a@x.org\n2,nobody\n3,c@x.org\n"

  local function nothing()
    return true
  end

  it("gives a result that says what became of rows, and tells of rejections and progress", function()
    local rejections, events = {}, {}
    local res = assert(scope3.prepare(SCRIPT, world.file(ROWS, ".csv"), nothing, {
      on_reject = function(rejection)
        rejections[#rejections + 1] = { rejection.line, rejection.reason, rejection.dropped }
      end,
      on_event = function(event)
        events[event.event] = event.rows
      end,
    }))
    assert.same({ 3, 2, 2, 0, 0 }, { res.rows, res.members, res.prepared, res.accepted, res.failed })
    assert.same({ no_identifier = 1 }, res.rejected)
    assert.same({ { 3, "email_no_at", true }, { 3, "no_identifier", false } }, rejections)
    assert.same({ progress = 3 }, events)
    assert.equal(res, res:wait())
  end)

  it("takes rows of an iterator, of a source and of a script's file", function()
    local script = world.file("return { map = { external_id = 'id', email = 'mail' }, audience = 'crm' }", ".lua")
    local function rows()
      local left = 2
      return function()
        left = left - 1
        return left >= 0 and { id = left, mail = "a@x.org" } or nil
      end
    end
    for _, input in ipairs { rows(), (assert(scope3.csv(world.file(ROWS)))), { world.file(ROWS) } } do
      assert.equal(2, assert(scope3.prepare(script, input, nothing)).prepared)
    end
  end)

  it("writes many rows in several texts, each of whole lines", function()
    local rows, texts, all = { "id,mail\n" }, 0, 0
    for i = 1, 12000 do
      rows[#rows + 1] = ("%d,a%d@x.org\n"):format(i, i)
    end
    local res = assert(scope3.prepare(SCRIPT, world.file(table.concat(rows), ".csv"), function(lines)
      texts, all = texts + 1, all + select(2, lines:gsub('{"externalId":"%d+","hashedEmail":"%x+"}\n', ""))
      return true
    end))
    assert.same({ 12000, 12000 }, { res.prepared, all })
    assert.is_true(texts > 1)
  end)

  it("ends where lines cannot be written, and counts what was not", function()
    local res, err = scope3.prepare(SCRIPT, world.file(ROWS, ".csv"), function()
      return nil, "no space"
    end)
    assert.is_nil(res)
    assert.same({ "source", "unwritten", "the members could not be written: no space" },
      { err.kind, err.code, err.message })
    assert.same({ 2, 0, 2 }, { err.result.members, err.result.prepared, err.result.failed })
    res, err = scope3.prepare(SCRIPT, world.file(ROWS, ".csv"), function()
      error "broken"
    end)
    assert.is_nil(res)
    assert.same({ "script", "callback_error" }, { err.kind, err.code })
    assert.truthy(err.message:find("write raised an error: ", 1, true))
  end)

  it("ends where it is cancelled, where a callback raises, and where the input cannot be read", function()
    local path = world.file(ROWS, ".csv")
    for _, case in ipairs {
      { "cancelled", { cancel = function() return true end } },
      { "script", { cancel = function() error "broken" end } },
      { "script", { on_event = function() error "broken" end } },
      { "script", { on_reject = function() error "broken" end } },
      { "source", {}, "/nonexistent/rows.csv" },
      { "source", {}, world.file("", ".csv") },
      { "invalid", {}, world.file("a,b\n1,2\n", ".csv") },
      { "source", { exclude = "/nonexistent/list.txt" } },
    } do
      local res, err = scope3.prepare(SCRIPT, case[3] or path, nothing, case[2])
      assert.is_nil(res)
      assert.is_true(errors.is(err))
      assert.equal(case[1], err.kind, err.message)
    end
    local _, err = scope3.prepare(SCRIPT, path, nothing, { cancel = function() return true end })
    assert.same({ 3, 0 }, { err.result.rows, err.result.prepared })
  end)

  it("raises a misuse at the caller's line", function()
    local path = world.file(ROWS, ".csv")
    for _, case in ipairs {
      { "write must be a function, not a nil", SCRIPT, path },
      { "unknown option 'audience'", SCRIPT, path, nothing, { audience = "a" } },
      { "mode must be", SCRIPT, path, nothing, { mode = "mirror" } },
      { "script must have a map: what member() gives", { member = function() end }, path, nothing },
      { "script must have a map: its rows are prepared already", PREPARED, path, nothing },
      { "script has audiences", { audiences = { { id = "a" } }, map = SCRIPT.map }, path, nothing },
      { "exclude has no effect", SCRIPT, path, nothing, { exclude = path, mode = "remove" } },
      { "map needs external_id", { map = { email = "mail" } }, path, nothing },
      { "phone_repairs has no effect", SCRIPT, path, nothing, { phone_repairs = "all" } },
    } do
      local ok, err = pcall(function()
        scope3.prepare(case[2], case[3], case[4], case[5])
      end)
      assert.is_false(ok, case[1])
      assert.truthy(err:find("members_that_are_prepared_spec.lua:%d+: scope3.prepare: "), err)
      assert.truthy(err:find(case[1], 1, true), err)
    end
  end)
end)
