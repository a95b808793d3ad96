-- Inputs as people have them: gzip, several files, patterns, and headers written in other ways.
local cjson = require "cjson"
local scope3 = require "scope3"
local each = require "spec.support.each"
local world = require "spec.support.world"

local MAP = { external_id = "id", email = "mail" }

-- What gzip makes of a text.
local function zip(text)
  local path, zipped = world.file(text), world.path(".gz")
  assert(os.execute(("gzip -9 -n -c %s > %s"):format(path, zipped)))
  return world.read(zipped)
end

local function pieces(text, size)
  local at = 1
  return function()
    if at <= #text then
      local piece = text:sub(at, at + size - 1)
      at = at + size
      return piece
    end
  end
end

local function rows_of(source)
  local ids, failure = {}, nil
  for row, err in each(source) do
    if row then
      ids[#ids + 1] = row.id
    else
      failure = err
    end
  end
  return table.concat(ids, " "), failure
end

local function count(input, opts, script)
  local client = assert(scope3.client {})
  opts = opts or {}
  opts.dry_run = true
  return client:run(script or { map = MAP, audience = "a" }, input, opts)
end

local CSV = "id,mail\n1,a@b.co\n2,c@d.co\n3,e@f.co\n"
local LINES = '{"id":"1","mail":"a@b.co"}\n{"id":"2","mail":"c@d.co"}\n'

describe("gzip", function()
  teardown(world.clean)

  it("is known by its first bytes, whatever the name, for paths, files and readers in pieces of any size", function()
    for _, name in ipairs { ".csv", ".csv.gz", ".txt" } do
      assert.equal("1 2 3", rows_of(assert(scope3.csv(world.file(zip(CSV), name)))))
    end
    assert.equal("1 2 3", rows_of(assert(scope3.csv(assert(io.open(world.file(zip(CSV)), "rb"))))))
    for _, size in ipairs { 1, 2, 3, 10, 100000 } do
      assert.equal("1 2 3", rows_of(assert(scope3.csv(pieces(zip(CSV), size)))))
      assert.equal("1 2", rows_of(assert(scope3.jsonl(pieces(zip(LINES), size)))))
    end
    assert.equal("1 2 3", rows_of(assert(scope3.csv(world.file(CSV, ".csv.gz"))))) -- no gzip in spite of its name
  end)

  it("goes through a job, and its name says which format is inside", function()
    assert.equal(3, assert(count(world.file(zip(CSV), ".csv.gz"))).members)
    assert.equal(2, assert(count(world.file(zip(LINES), ".jsonl.gz"))).members)
    assert.equal(3, assert(count(assert(scope3.csv(pieces(zip(CSV), 7))))).members)
  end)

  it("may hold several members, and zeros after the last", function()
    local text = zip("id,mail\n1,a@b") .. zip(".co\n") .. zip("") .. zip("2,c@d.co\n") .. ("\0"):rep(700)
    for _, size in ipairs { 1, 5, 100000 } do
      assert.equal("1 2", rows_of(assert(scope3.csv(pieces(text, size)))))
    end
  end)

  it("that is cut off, damaged or followed by something else is an error after the rows before it", function()
    local big = { "id,mail\n" }
    for i = 1, 200000 do
      big[i + 1] = i .. ",x" .. i .. "@example.com\n"
    end
    local whole = zip(table.concat(big))
    local cases = {
      { whole:sub(1, -1000), "the gzip data ends early" },
      { whole:sub(1, -9) .. "\1\2\3\4" .. whole:sub(-4), "damaged" },
      { whole .. "PK rest", "behind the gzip data" }, { whole:sub(1, 5), "ends early" },
    }
    for _, case in ipairs(cases) do
      local path = world.file(case[1], ".csv.gz")
      local res, err = count(path)
      assert.is_nil(res)
      assert.same({ "source", "gzip" }, { err.kind, err.code })
      assert.truthy(err.message:find(case[2], 1, true) and err.message:find("at byte %d+"), err.message)
      if #case[1] > 100 then
        assert.is_true(err.result.rows > 100000)
        world.assert_sums(err.result)
      end
    end
  end)

  it("reads any text that random pieces and members are made of", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local want, text, ids = { "id,mail\n" }, {}, {}
    for i = 1, 3000 do
      ids[i] = tostring(i)
      want[i + 1] = ("%d,%s@example.com\n"):format(i, ("x"):rep(math.random(0, 60)) .. i)
    end
    local whole, at = table.concat(want), 1
    while at <= #whole do
      local n = math.random(1, 60000)
      text[#text + 1] = zip(whole:sub(at, at + n - 1))
      at = at + n
    end
    text = table.concat(text)
    for _ = 1, 5 do
      assert.equal(table.concat(ids, " "), (rows_of(assert(scope3.csv(pieces(text, math.random(1, 5000)))))),
        "seed " .. seed)
    end
  end)

  it("that blows up does not grow the memory", function()
    -- 200 MB of one row's text in 200 kB: the row is over its limit, and nothing near its size is ever held.
    local path = world.path(".csv.gz")
    assert(os.execute(("{ printf 'id,mail\\n'; head -c 200000000 /dev/zero | tr '\\0' 'x'; "
      .. "} | gzip -c > %s"):format(path)))
    collectgarbage()
    local before = collectgarbage("count")
    local res, err = count(path)
    assert.is_nil(res)
    assert.equal("row_too_long", err.code)
    assert.is_true(collectgarbage("count") - before < 20000)
  end)
end)

describe("several files", function()
  teardown(world.clean)

  it("are one job, each with its own header, and rejections say which", function()
    local a = world.file("id,mail\n1,a@b.co\n2,nonsense\n", ".csv")
    local b = world.file("x;mail;id\n0;c@d.co;3\n0;nonsense;4\n", ".csv")
    local c = world.file(zip(LINES:gsub('"1"', '"5"'):gsub('"2"', '"6"')), ".jsonl.gz")
    local refused = {}
    local res = assert(count({ a, b, c }, { on_reject = function(rejection)
      refused[#refused + 1] = ("%s %d %s"):format(rejection.file == a and "a" or rejection.file == b and "b" or "?",
        rejection.row, rejection.reason)
    end }))
    assert.same({ 6, 4 }, { res.rows, res.members })
    assert.same({ "a 2 email_no_at", "a 2 no_identifier", "b 2 email_no_at", "b 2 no_identifier" }, refused)
    world.assert_sums(res)
  end)

  it("go through scripts with functions and conditions, too", function()
    local a, b = world.file("id,mail,ok\n1,a@b.co,yes\n2,a@b.co,no\n", ".csv"),
      world.file("ok,id,mail\nyes,3,c@d.co\nno,4,c@d.co\n", ".csv")
    assert.equal(2, assert(count({ a, b }, nil, { map = MAP, audience = "a", where = { ok = "yes" } })).members)
    assert.equal(2, assert(count({ a, b }, nil, { audience = "a", where = function(row)
      return row.ok == "yes"
    end, member = function(row)
      return { external_id = row.id, email = row.mail }
    end })).members)
  end)

  it("are all looked at before anything is sent", function()
    local sent = 0
    local a, b = world.file(CSV, ".csv"), world.file("id,email\n1,a@b.co\n", ".csv")
    local res, err = count({ a, b }, { on_event = function(event)
      sent = sent + (event.event == "request" and 1 or 0)
    end })
    assert.is_nil(res)
    assert.same({ "invalid", 0 }, { err.kind, sent })
    assert.truthy(err.message:find(b, 1, true))
    res, err = count({ a, world.path(".csv") })
    assert.is_nil(res)
    assert.equal("source", err.kind)
  end)

  it("are found by patterns, in order, and none comes twice", function()
    local folder = world.path(".d")
    assert(os.execute("mkdir " .. folder))
    for i, name in ipairs { "b.csv", "a.csv", "[odd].csv" } do
      local file = assert(io.open(folder .. "/" .. name, "w"))
      file:write(("id,mail\n%d,a@b.co\n"):format(i))
      file:close()
    end
    local seen = {}
    local res = assert(count({ folder .. "/?.csv" }, { on_event = function(event)
      if event.event == "progress" then
        seen[event.file.path:match("[^/]+$")] = event.file.number
      end
    end }))
    assert.same({ 2, { ["a.csv"] = 1, ["b.csv"] = 2 } }, { res.members, seen })
    assert(count(folder .. "/a.csv", { on_event = function(event)
      assert.is_nil(event.file) -- of one there is no number
    end }))
    assert.equal(1, assert(count(folder .. "/[odd].csv")).members) -- a file's own name before a pattern
    for input, message in pairs {
      [folder .. "/*.txt"] = "no file matches the pattern",
      [folder .. "/./a.csv"] = "are the same file", [folder .. "/a.csv"] = "is given twice",
    } do
      local got, err = count({ folder .. "/a.csv", input })
      assert.is_nil(got)
      assert.truthy(err.message:find(message, 1, true), err.message)
    end
    assert(os.execute("rm -r " .. folder))
    local _, err = count({ "-", "-" })
    assert.truthy(err.message:find("standard input can be read once", 1, true))
  end)

  it("come from the command line, and standard input among them", function()
    local a, b = world.file("id,mail\n1,a@b.co\n", ".csv"), world.file("id,mail\n2,c@d.co\n3,nonsense\n", ".csv")
    local rejects = world.path(".csv")
    local code, out, err = world.command({
      "sync", a, "-", b, "--audience", "x", "--map", "external_id=id",
      "--map", "email=mail", "--dry-run", "--json", "--rejects", rejects,
    },
      { stdin = world.file(zip("id,mail\n9,z@z.co\n")) })
    assert.equal(0, code, err)
    assert.same({ 4, 3 }, { cjson.decode(out).rows, cjson.decode(out).members })
    assert.equal(("file,row,line,column,outcome,reason\n%s,2,3,mail,dropped,email_no_at\n"
      .. "%s,2,3,,rejected,no_identifier\n"):format(b, b), world.read(rejects))
    code, out, err = world.command({
      "sync", "nowhere/*.csv", "--audience", "x", "--map", "external_id=id", "--map", "email=mail", "--dry-run",
    })
    assert.same({ 1, "" }, { code, out })
    assert.truthy(err:find("no file matches the pattern 'nowhere/*.csv'", 1, true), err)
  end)
end)

describe("a column's name", function()
  teardown(world.clean)

  it("finds the one column that is the same but for case, spaces and punctuation, after the very name", function()
    for _, header in ipairs {
      "Customer Id,E-Mail", " customer_id ,email", "CUSTOMER.ID,E mail", "customerid,e_mail",
    } do
      assert.equal(1, assert(count(world.file(header .. "\n1,a@b.co\n", ".csv"), nil,
        { map = { external_id = "customer id", email = "email" }, audience = "a" })).members)
    end
    local both = world.file("Id,id,mail\n1,2,a@b.co\n", ".csv")
    assert.equal(1, assert(count(both)).members)
    local res, err = count(world.file("Id,ID,mail\n1,2,a@b.co\n", ".csv"))
    assert.is_nil(res)
    assert.truthy(err.message:find("'id' may be the column 'Id' or 'ID': name the one you mean", 1, true), err.message)
    res, err = count(world.file("key,mail\n1,a@b.co\n", ".csv"))
    assert.is_nil(res)
    assert.truthy(err.message:find("there is no column 'id'", 1, true)
      and err.message:find("the columns are: key, mail", 1, true), err.message)
  end)

  it("is found in the same way by conditions, and by scripts that look at the row", function()
    for _, header in ipairs {
      "Customer Id,E-Mail,Opt In", "customer_id , email,OPT-IN", "CUSTOMER\194\160ID,\226\128\139e.mail,opt\tin",
    } do
      local path = world.file(header .. "\n1,a@b.co,yes\n2,c@d.co,no\n", ".csv")
      local map = { external_id = "customer id", email = "email" }
      assert.equal(1, assert(count(path, nil, { map = map, where = { opt_in = "yes" }, audience = "a" })).members)
      assert.equal(1, assert(count(path, nil,
        { map = map, where = function(row) return row.opt_in == "yes" end, audience = "a" })).members)
      assert.equal(2, assert(count(path, nil, { member = function(row)
        assert(row.customer_id == row[1] and row.Email == row[2])
        return { external_id = row["customer id"], email = row.email }
      end, audience = "a" })).members)
    end
    local both = world.file("Id,ID,mail\n1,2,a@b.co\n", ".csv")
    local res, err = count(both, nil,
      { member = function(row) return { external_id = row.id, email = row.mail } end, audience = "a" })
    assert.is_nil(res)
    assert.truthy(err.message:find("'id' may be the column 'Id' or 'ID': name the one you mean", 1, true), err.message)
    assert.equal(1, assert(count(both, nil,
      { member = function(row) return { external_id = row.ID, email = row.mail } end, audience = "a" })).members)
  end)
end)

describe("a file without a header", function()
  teardown(world.clean)

  it("has columns by number, from Lua and from the command line", function()
    local path = world.file("1;x;a@b.co\n2;y;c@d.co\n", ".csv")
    assert.equal(2, assert(count(path, { header = false },
      { map = { external_id = 1, email = 3 }, where = { [2] = { "x", "y" } }, audience = "a" })).members)
    local code, out, err = world.command {
      "sync", path, "--audience", "x", "--no-header", "--map",
      "external_id=1", "--map", "email=3", "--dry-run", "--json",
    }
    assert.equal(0, code, err)
    assert.equal(2, cjson.decode(out).members)
  end)

  it("is told of columns that it does not have before anything is read", function()
    local path = world.file('"1";a@b.co\r\n2;c@d.co\r\n', ".csv")
    for i, size in ipairs { 1, 7, 1000 } do
      local input = i < 3 and assert(scope3.csv(pieces(world.read(path), size), { header = false })) or path
      local res, err = count(input, { header = false }, { map = { external_id = 1, email = 3 }, audience = "a" })
      assert.is_nil(res)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("there is no column 3; the first row has 2", 1, true), err.message)
    end
    assert.equal(0, assert(count(world.file("\n\n", ".csv"), { header = false },
      { map = { external_id = 1, email = 3 }, audience = "a" })).rows)
  end)

  it("whose rows are taken for names says what to do, and shows no value of a person", function()
    local rows = {
      "jane-4711,Jane Doe,jane@example.com", "4711;Jane;+1 (206) 555-0142", "Jane,2024-01-31", "x," .. ("0aF3"):rep(16),
    }
    for _, row in ipairs(rows) do
      local path = world.file(row .. "\n" .. row .. "\n", ".csv")
      for _, script in ipairs {
        { map = { external_id = "id", email = "mail" } }, { map = { external_id = 1, email = 2 } },
        { member = function(r) return { external_id = r.id } end },
        { where = { id = "1" }, map = { external_id = 1, email = 2 } },
        { where = function(r) return r.id end, map = { external_id = "id", email = "mail" } },
      } do
        script.audience = "a"
        local res, err = count(path, nil, script)
        assert.is_nil(res)
        assert.truthy(err.message:find("--no-header, or header = false", 1, true), err.message)
        for cell in row:gmatch("[^,;]+") do
          assert.is_nil(#cell > 1 and err.message:find(cell, 1, true) or nil, err.message)
        end
      end
    end
    -- The same where somebody says that it is a header, and by the number alone in what is told of rejections.
    local path, told = world.file("4711,jane@example.com\n1,nonsense\n2,a@b.co\n", ".csv"), {}
    local res = assert(count(path, { header = true, on_reject = function(one) told[#told + 1] = one.column end },
      { map = { external_id = 1, email = 2 }, audience = "a" }))
    assert.same({ 2, 1, { 2 } }, { res.rows, res.members, told })
  end)

  it("is no JSON Lines: these are to be named", function()
    local res, err = count(world.file(LINES, ".txt"))
    assert.is_nil(res)
    assert.truthy(err.message:find("--format jsonl", 1, true), err.message)
    assert.is_nil(err.message:find("a@b.co", 1, true))
    for _, text in ipairs {
      '{ "id" : "1", "mail" : "a@b.co" }\n', '[{"id":"1","mail":"a@b.co"}]', '[\n{"id":"1"}\n]', "\239\187\191{\n",
    } do
      for _, size in ipairs { 1, 1000 } do
        local _, failure = rows_of(assert(scope3.csv(pieces(text, size))))
        assert.equal("json", failure and failure.code, text)
      end
    end
    assert.equal(1, assert(count(world.file('{id},[mail]\n1,a@b.co\n', ".csv"), nil,
      { map = { external_id = "{id}", email = "[mail]" }, audience = "a" })).members)
    assert.equal(2, assert(count(world.file(LINES, ".txt"), { format = "jsonl" })).members)
  end)
end)
