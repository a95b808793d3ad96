-- Objects of JSON that do not stand one a line:
-- arrays, concatenated and pretty-printed ones, and what programs wrap them into.
local scope3 = require "scope3"
local world = require "spec.support.world"

local MAP = { external_id = "id", email = "mail" }

local function in_pieces(text, size)
  local at = 1
  return function()
    local piece = text:sub(at, at + size - 1)
    at = at + size
    return piece ~= "" and piece or nil
  end
end

local function physical(text)
  text = text:gsub("\r\n?", "\n")
  local _, ends = text:gsub("\n", "")
  return ends + (text:find "[^\n]$" and 1 or 0)
end

-- What a text gives in a dry run, the same however it comes in: rows, members, rejections, an error's code and place.
local function read(text, script)
  local first, res, err
  for _, size in ipairs { 1, 3, 200000 } do
    local refused = {}
    res, err = scope3.client {}:run(script or { map = MAP, audience = "a" }, assert(scope3.jsonl(in_pieces(text,
      size))), { dry_run = true,
      on_reject = function(rejection)
        refused[#refused + 1] = ("%d %s"):format(rejection.row, rejection.reason)
      end })
    res = res or err.result
    local got = { rows = res.rows, members = res.members, refused = refused, code = err and err.code,
      place = err and err.message:match "row %d+ %(line %d+%)" }
    first = first or got
    assert.same(first, got, "in pieces of " .. size)
    local l = res.lines
    assert.equal(l.total, l.header + res.rows + l.blank + l.quoted + l.swallowed - (l.shared or 0), text)
    assert.is_true(err ~= nil or l.total == physical(text), text)
    for _, problem in ipairs { err and err.message or "", res:json() } do
      assert.is_nil(problem:find "[a-z]@x")
    end
  end
  return first, res, err
end

local A, B, C = '{"id":"1","mail":"a@x.org"}', '{"id":"2","mail":"b@x.org","tags":["]","}",{"a":"\\"[{"}]}',
  '{"mail":"c@x.org","id":3}'

describe("objects of JSON", function()
  teardown(world.clean)

  it("are rows in whatever way they follow each other", function()
    local pretty = (A .. "\n" .. '{"id":"2","mail":"b@x.org","tags":["]",[]]}' .. "\n" .. C):gsub("([{,])",
      "%1\n  "):gsub("}", "\n}")
    for _, text in ipairs {
      A .. "\n" .. B .. "\n" .. C .. "\n", A .. B .. C, A .. " " .. B .. "\t" .. C, A .. B .. "\n" .. C .. "\n",
        A .. "\n" .. B .. C .. "\n", A .. ",\n" .. B .. ",\n" .. C .. ",\n",
      A .. "," .. B .. "," .. C, A .. "\n," .. B .. "\n," .. C, "[" .. A .. "," .. B .. "," .. C .. "]",
        "[\n" .. A .. ",\n" .. B .. ",\n" .. C .. "\n]\n",
      "\n\n [" .. A .. "\n, " .. B .. "\r\n,\r\n" .. C .. ",]\r\n\n", pretty, pretty .. "\n",
      "[" .. pretty:gsub("\n}\n", "\n},\n") .. "]\n", "\239\187\191" .. A .. B .. C,
      "\239\187\191[" .. A .. "," .. B .. "," .. C .. "]", "\30" .. A .. "\n\30" .. B .. "\n\30" .. C .. "\n",
      "\30" .. pretty:gsub("\n}\n", "\n}\n\30"), (pretty:gsub("\n}\n", "\n}\n\239\187\191")), -- files were joined
      A .. "\r\n" .. B .. ",\r\n" .. C,
    } do
      local got = read(text)
      assert.same({ 3, 3, {} }, { got.rows, got.members, got.refused }, text)
    end
    assert.same({ 0, nil }, { read("[]").rows, read("[]").code })
    assert.equal(3, read((A .. "\n" .. B .. "\n" .. C .. "\n"):gsub("\n", "\r"), nil).members)
    assert.equal(3, read(("[" .. A .. ",\n" .. B .. ",\n" .. C .. "]\n")).members)
  end)

  it("that are no members are refused by row, and the next are read", function()
    for _, text in ipairs { "[%s,%s,7,null,%s]", "%s\n%s\n7\nnull\n%s\n", "[\n%s,\n%s,\n7,\nnull,\n%s]" } do
      local got = read(text:format(A, '{"id":"2" "mail":"b@x.org"}', C))
      assert.same({ 5, 2, { "2 bad_json", "3 not_an_object", "4 not_an_object" } }, { got.rows, got.members,
        got.refused }, text)
    end
    local got = read(C .. "\n" .. A .. B:sub(1, -2) .. "\n" .. C .. "\n") -- a line that is cut in its second object
    assert.same({ 4, 3, { "3 bad_json" } }, { got.rows, got.members, got.refused })
    got = read(A .. "\n" .. B .. " x\n" .. C .. "\n")
    assert.same({ 3, 2, { "2 bad_json" } }, { got.rows, got.members, got.refused })
    got = read('{"id":"1","ma\n' .. B .. "\n" .. C) -- of lines, the first is cut
    assert.same({ 3, 2, { "1 bad_json" } }, { got.rows, got.members, got.refused })
  end)

  it("in an array that is cut off, has something after it, or breaks inside, are an error with its line", function()
    for text, want in pairs {
      ["[\n" .. A .. ",\n" .. B .. "\n"] = { "json_cut", "row 3 (line 4)" }, ["[\n" .. A .. ",\n" .. B:sub(1,
      -9)] = { "json_cut", "row 2 (line 3)" },
      ["[\n"] = { "json_cut", "row 1 (line 2)" }, ["[" .. A .. "]\n[" .. B .. "]"] = { "json_behind",
      "row 2 (line 2)" },
      ["[" .. A .. "]\n\n" .. B] = { "json_behind", "row 2 (line 3)" }, ["[" .. A .. "]]"] = { "json_behind",
      "row 2 (line 1)" },
      ["[" .. A .. "\n} " .. B .. "]"] = { "json_broken", "row 2 (line 2)" },
      ["[" .. A .. ',\n{"id":"2\n3"}]'] = { "json_broken", "row 2 (line 2)" },
[A .. B .. "\n" .. C:sub(1, -5)] = { "json_cut", "row 3 (line 2)" },
    } do
      local got = read(text)
      assert.same(want, { got.code, got.place }, text)
    end
  end)

  it("of over a megabyte, or of that together, keep to the limits of rows", function()
    local many = {}
    for i = 1, 40000 do
      many[i] = ('{"id":"%d","mail":"a%d@x.org","note":"%s"}'):format(i, i, ("x"):rep(20))
    end
    for _, parts in ipairs { { "[", ",", "]" }, { "", "", "" }, { "[\n", ",\n", "\n]\n" } } do
      local path = world.file(parts[1] .. table.concat(many, parts[2]) .. parts[3], ".json")
      local res = assert(scope3.client {}:run({ map = MAP, audience = "a" }, path, { dry_run = true }))
      assert.same({ 40000, 40000 }, { res.rows, res.members })
    end
    local path = world.file("[" .. A .. ',\n{"id":"' .. ("x"):rep(1100000) .. '"}]', ".json")
    local _, err = scope3.client {}:run({ map = MAP, audience = "a" }, path, { dry_run = true })
    assert.same({ "row_too_long", true }, { err.code, err.message:find("row 2 (line 2)", 1, true) ~= nil })
    path = world.file('{"meta":{"n":1},"data":{"customers":[' .. table.concat(many, ",") .. "]}}", ".json")
    _, err = scope3.client {}:run({ map = MAP, audience = "a" }, path, { dry_run = true })
    assert.same({ "json_wrapped", true }, { err.code, err.message:find("jq -c '.data.customers[]'", 1, true) ~= nil })
  end)

  it("inside one object are an error that names the array, but no name that is somebody's", function()
    for text, hint in pairs {
      ['{"total":2,"customers":[' .. A .. "," .. B .. "]}"] = ".customers[]",
        ['{\n "customers": [\n' .. A .. ",\n" .. B .. "\n]\n}\n"] = ".customers[]",
      ['{"my rows":[' .. A .. "]}"] = '."my rows"[]', ['{"data":{"rows":[' .. A .. "]}}"] = ".data.rows[]",
    } do
      local got, _, err = read(text)
      assert.equal("missing_key", got.code)
      assert.truthy(err.message:find("jq -c '" .. hint .. "'", 1, true), err.message)
    end
    local _, _, err = read('{"jane@x.org":[' .. A .. "]}")
    assert.truthy(err.message:find("in an array: take them out", 1, true), err.message)
    local got, res = read('{"id":"1","mail":"a@x.org","orders":[{"id":7}]}')
    assert.same({ 1, nil, 0 }, { got.members, got.code, #res.warnings }) -- a customer with orders
    _, res = read('{"customers":[' .. A .. "]}", { member = function() end, audience = "a" })
    assert.equal("wrapped_rows", res.warnings[1].code)
  end)

  it("are JSON by the name of their file, and an array in a .csv is reported", function()
    for _, ending in ipairs { ".json", ".jsonl", ".ndjson", ".JSON", ".jsonlines", ".ldjson", ".json-seq" } do
      local code, out, err = world.command { "sync", world.file("[" .. A .. "," .. B .. "]", ending), "--dry-run",
        "--audience", "a", "--map", "external_id=id",
        "--map", "email=mail" }
      assert.equal(0, code, err)
      assert.truthy(out:find("would send   2 members", 1, true), out)
    end
    local code, _, err = world.command { "sync", world.file("[" .. A .. "]", ".csv"), "--dry-run", "--audience", "a",
      "--map", "external_id=id", "--map", "email=mail" }
    assert.equal(1, code)
    assert.truthy(err:find("an array of them", 1, true), err)
    assert.same({ "1", "2" }, (function(ids)
      for row in assert(scope3.jsonl(in_pieces("[" .. A .. "," .. B .. "]", 9))) do
        ids[#ids + 1] = row.id
      end
      return ids
    end) {})
  end)
end)

describe("rows of exports", function()
  it("that name the row they belong to are skipped, counted and said, unless the map asks for that", function()
    local order = '{"id":"9","mail":"o@x.org","__parentId":"1"}'
    local got, res = read(A .. "\n" .. order .. "\n" .. order .. "\n"
      .. '{"id":"2","mail":"b@x.org","__parentId":null}\n')
    assert.same({ 4, 2, {} }, { got.rows, got.members, got.refused })
    assert.same({ 2, 2, "child_rows", 2 }, { res.skipped, res.child_rows, res.warnings[1].code, res.warnings[1].rows })
    got = read(A .. "\n" .. order .. "\n", { map = { external_id = { "__parentId", "id" }, email = "mail" },
      audience = "a" })
    assert.equal(2, got.members)
    got = read(A .. "\n" .. order .. "\n",
      { map = { external_id = { "parent id", "id" }, email = "mail" }, audience = "a" })
    assert.equal(2, got.members)
    got = read(A .. "\n" .. order .. "\n", { map = MAP, where = { ["__parentId"] = { present = true } },
      audience = "a" })
    assert.equal(1, got.members)
    got = read(A .. "\n" .. order .. "\n", { audience = "a", member = function(row)
      return { external_id = row.id, email = row.mail }
    end })
    assert.equal(2, got.members)
    local code, out, err = world.command { "sync", world.file(A .. "\n" .. order .. "\n", ".jsonl"), "--dry-run",
      "--json",
      "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }
    assert.equal(0, code, err)
    assert.truthy(out:find '"child_rows": ?1', out)
  end)

  it("that name the row they belong to say nothing of the rows of a file that follows", function()
    local order = '{"id":"9","mail":"o@x.org","__parentId":"1"}\n'
    local paths = { world.file(A .. "\n" .. order, ".jsonl"), world.file("id,mail\n2,b@x.org\n3,c@x.org\n", ".csv") }
    local res = assert(scope3.client {}:run({ map = MAP, audience = "a" }, paths, { dry_run = true }))
    assert.same({ 4, 3, 1 }, { res.rows, res.members, res.child_rows })
  end)

  it("of MongoDB have the values that its extended JSON wraps", function()
    local got, res = read([[{"id":{"$oid":"507f1f77bcf86cd799439011"},"mail":"a@x.org","n":{"$numberInt":"7"}}
{"id":{ "$numberLong" : "4711" },"mail":{"$symbol":"b\u0040x.org"},"n":{"$numberDouble":"8.5"}}
{"id":{"$uuid":"3b241101-e2bb-4255-8caf-4136c566a962"},"mail":"c@x.org","n":{"$numberDecimal":"9"}}
{"id":{"$date":{"$numberLong":"1700000000000"}},"mail":"d@x.org","n":{"$numberLong":"10"}}
{"id":{"$oid":"507f1f77bcf86cd799439012","x":1},"mail":"e@x.org","n":11}
{"id":{"other":"5"},"mail":"f@x.org","n":12}
{"id":{"$oid":"507f1f77bcf86cd799439013"},"mail":"g@x.org","n":{"$numberInt":"1"}}
]], { map = MAP, where = { n = { ge = 7 } }, audience = "a" })
    assert.same({ 7, 4, 1, { "5 external_id_type", "6 external_id_type" } }, { got.rows, got.members, res.skipped,
      got.refused })
    assert.equal(4, res.identifiers.hashed_email)
    got = read('{"id":{"$oid":"507f1f77bcf86cd799439011"},"mail":"a@x.org"}\n', { map = { external_id = "id.$oid",
      email = "mail" }, audience = "a" })
    assert.equal(1, got.members) -- as whoever met it before wrote
  end)

  it("may hold emails and phones in arrays, of which the first is used", function()
    local got, res = read('{"id":"1","mail":["a@x.org"],"tel":["+1 206 555 0142"]}\n{"id":"2","mail":[],'
      .. '"tel":["+12065550143"]}\n'
      .. '{"id":"3","mail":[{"value":"a@x.org"}]}\n{"id":["4"],"mail":"d@x.org"}\n',
      { map = { external_id = "id", email = "mail", phone = "tel" }, audience = "a" })
    assert.same({ 4, 2, { "3 not_text", "3 no_identifier", "4 external_id_type" } }, { got.rows, got.members,
      got.refused })
    assert.same({ 1, 2 }, { res.identifiers.hashed_email, res.identifiers.hashed_phone })
  end)
end)
