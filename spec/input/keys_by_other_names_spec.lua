-- Names of maps, conditions and scripts against the keys that rows have:
-- the same rules for CSV, JSON Lines and tables of Lua.
local cjson = require "cjson"
local scope3 = require "scope3"
local world = require "spec.support.world"

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

local function run(script, input, opts)
  script.audience = script.audience or "a"
  local all = { dry_run = true }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  return assert(scope3.client {}):run(script, input, all)
end

-- An iterator of tables that the lines of a JSON text say.
local function tables(text)
  local rows, i = {}, 0
  for line in text:gmatch "[^\n]+" do
    rows[#rows + 1] = cjson.decode(line)
  end
  return function()
    i = i + 1
    return rows[i]
  end
end

-- What a script makes of the rows of a JSON text:
-- as a file, in pieces, as tables, and as tables that a source gives. They must agree.
local function both(script, text)
  local first, failure
  for kind = 1, 4 do
    local input = kind == 1 and world.file(text, ".jsonl") or kind == 2 and assert(scope3.jsonl(pieces(text, 7)))
      or kind == 3 and tables(text)
    if kind == 4 then
      local source = assert(scope3.jsonl(pieces(text, 1000)))
      input = function()
        return source:next()
      end
    end
    local res, err = run(script, input)
    local shown = {
      res and res.members or err.code or err.kind, (res or err.result).rejected, #(res or err.result).warnings,
    }
    if first then
      assert.same(first, shown, "input " .. kind)
    end
    first, failure = shown, err
  end
  return first[1], first[2], first[3], failure
end

local LINES = '{"Customer Id":"1","E-Mail":"a@b.co","Opt In":"yes"}\n{"customer_id":"2","email":"c@d.co",'
  .. '"OPT-IN":"yes"}\n{"customerid":3,"EMAIL":"e@f.co","optin":"no"}\n'

describe("a key", function()
  teardown(world.clean)

  it("is found in another case, spacing or punctuation, by maps, conditions and scripts", function()
    assert.equal(3, (both({ map = { external_id = "customer id", email = "Email" } }, LINES)))
    assert.equal(2,
      (both({ map = { external_id = "CUSTOMER.ID", email = "e_mail" }, where = { opt_in = "yes" } }, LINES)))
    local path = world.file(LINES, ".jsonl")
    assert.equal(2, assert(run({
      where = function(row) return row.opt_in == "yes" end, map = { external_id = "customer id", email = "email" },
    }, path)).members)
    assert.equal(3, assert(run({ member = function(row)
      return { external_id = row.customer_id, email = row["e-mail"] }
    end }, path)).members)
    assert.equal(2, assert(run({
      where = { opt_in = "yes" }, member = function(row) return { external_id = row.CustomerId, email = row.Email } end,
    }, path)).members)
  end)

  it("by its very name comes before one that is like it, wherever it stands", function()
    for _, line in ipairs {
      '{"ID":"no","id":"7","Id":"no","mail":"a@b.co"}', '{"id":"7","ID":"no","Id":"no","mail":"a@b.co"}',
    } do
      assert.equal(1, (both({ map = { external_id = "id", email = "mail" } }, line)))
      assert.equal(1, (both({ map = { external_id = "id", email = "mail" }, where = { id = "7" } }, line)))
    end
  end)

  it("that may be one of two is an error of the row, and of the job where nothing else is left", function()
    local two = '{"Id":"1","ID":"2","mail":"a@b.co"}\n'
    local members, rejected = both({ map = { external_id = "id", email = "mail" } },
      two .. '{"id":"3","mail":"c@d.co"}')
    assert.same({ 1, { ambiguous_key = 1 } }, { members, rejected })
    local code, _, _, err = both({ map = { external_id = "id", email = "mail" } }, two)
    assert.equal("ambiguous_key", code)
    assert.truthy(err.message:find("map.external_id looks for 'id', which may be one of two keys", 1, true),
      err.message)
    members, rejected = both({ map = { external_id = "Id", email = "mail" }, where = { ["i d"] = "1" } },
      two .. '{"Id":"3","mail":"c@d.co"}')
    assert.same({ { ambiguous_key = 1 } }, { rejected }, members)
    local res
    res, err = run({ member = function(row) return { external_id = row.id, email = row.mail } end },
      world.file(two, ".jsonl"))
    assert.is_nil(res)
    assert.truthy(err.message:find("'id' may be one of two keys of the row", 1, true), err.message)
    local refused = {}
    assert(run({ map = { external_id = "id", email = "mail" } },
      world.file(two .. '{"id":"3","mail":"c@d.co"}', ".jsonl"),
      {
        on_reject = function(rejection)
          refused[#refused + 1] = rejection.reason .. " " .. tostring(rejection.column)
        end,
      }))
    assert.same({ "ambiguous_key external_id" }, refused)
  end)
end)

describe("a path with dots", function()
  teardown(world.clean)

  it("reaches nested keys and elements of arrays, of JSON Lines and of tables", function()
    local text = '{"id":"1","properties":{"email":"a@b.co","tags":["x","vip"],"phones":[{"value":"+12065550101"},'
      .. '{"value":"+12065550102"}]}}\n'
      .. '{"id":"2","properties":{"email":"c\\u0040d.co","tags":["y"],"phones":[]}}\n{"id":"3","properties":null}\n'
      .. '{"id":"4","properties":"x"}\n'
    local members, rejected = both({ map = {
      external_id = "id", email = "properties.email", phone = "properties.phones.1.value",
    } }, text)
    assert.same({ 2, { no_identifier = 2 } }, { members, rejected })
    assert.equal(1, (both({
      map = { external_id = "id", email = "properties.email" }, where = { ["properties.tags.2"] = "vip" },
    }, text)))
    assert.equal(2, (both({ map = { external_id = "id", email = "Properties.E-Mail" } }, text)))
    local res = assert(run({ member = function(row)
      local mail = row["properties.email"]
      assert(mail == nil or row.properties.email == mail) -- the nested value itself is as it was
      return { external_id = row.id, email = mail, phone = row["properties.phones.2.value"] }
    end }, world.file(text, ".jsonl")))
    assert.same({ 2, 2, 1 }, { res.members, res.identifiers.hashed_email, res.identifiers.hashed_phone })
    local deep = '{"id":"1","a":{"b":{"c":{"d":"e@f.co"}}}}'
    assert.equal(1, (both({ map = { external_id = "id", email = "a.b.c.d" } }, deep)))
  end)

  it("comes after a key that is called so, and reads what an id may be", function()
    assert.equal(1, (both({ map = { external_id = "id", email = "p.mail" } },
      '{"id":"1","p":{"mail":"nonsense"},"p.mail":"a@b.co"}')))
    assert.equal(1, (both({ map = { external_id = "id", email = "p.mail" } },
      '{"id":"1","p.mail":"a@b.co","p":{"mail":"nonsense"}}')))
    assert.equal(1, (both({ map = { external_id = "id", email = "a.b.c" } },
      '{"id":"1","a.b":{"c":"a@b.co"},"a":{"b":{"c":"nonsense"}}}')))
    assert.equal(1, (both({ map = { external_id = "p.id", email = "p.mail" } }, '{"p":{"id":4711,"mail":"a@b.co"}}')))
    local _, rejected = both({ map = { external_id = "p.id", email = "mail" } },
      '{"p":{"id":{"x":1}},"mail":"a@b.co"}\n{"p":{"id":true},"mail":"a@b.co"}\n{"p":{"id":"7"},"mail":"a@b.co"}')
    assert.same({ external_id_type = 2 }, rejected)
    _, rejected = both({ map = { external_id = "id", email = "p.mail" } },
      '{"id":"1","p":{"Mail":"a@b.co","MAIL":"c@d.co"}}\n{"id":"2","p":{"Mail":"a@b.co"}}')
    assert.same({ ambiguous_key = 1 }, rejected)
  end)

  it("is tried with every key that it may begin with, the longest first", function()
    for _, row in ipairs {
      '{"id":"1","p":{"a.b":{"x":1},"a":{"b":{"c":"a@b.co"}}}}', '{"id":"1","p.a":{"x":1},"p":{"a":{"b.c":"a@b.co"}}}',
      '{"id":"1","p.a.b":7,"p.a":{"b":"x"},"p":{"a":{"b":{"c":"a@b.co"}}}}',
      '{"id":"1","p":{"a.b":"x","a":{"b":[]},"A":1},"P":{"A":{"b":{"c":"a@b.co"}}}}',
    } do
      local script = { map = { external_id = "id", email = "p.a.b.c" } }
      assert.equal(1, (both(script, row)), row)
    end
  end)

  it("takes the last of a key with escapes that comes twice, whatever stands between", function()
    local text = '{"id":"1","p":{"\\u0045-mail":"nonsense","\\u0078":1,"\\u0079":2,"\\u0045-mail":"a@b.co"}}'
    assert.equal(1, (both({ map = { external_id = "id", email = "p.email" } }, text)))
  end)

  it("finds the same in random objects, by the parser and by tables", function()
    local seed = require "spec.support.seed"
    print("   seed " .. seed)
    math.randomseed(seed)
    local names = { "a", "A", "a.b", "b", "B", "a_b", "x y", "XY" }
    local function value(depth)
      local kind = math.random(depth > 3 and 3 or 6)
      if kind <= 2 then
        return '"v\\"' .. math.random(9) .. '"'
      elseif kind == 3 then
        return tostring(math.random(99))
      elseif kind == 4 then
        return "[" .. value(depth + 1) .. "," .. value(depth + 1) .. "]"
      end
      local parts, used = {}, {}
      for _ = 1, math.random(4) do
        local name = names[math.random(#names)]
        if not used[name] then
          used[name] = true
          parts[#parts + 1] = ('"%s" : %s'):format(name, value(depth + 1))
        end
      end
      return "{" .. table.concat(parts, ", ") .. "}"
    end
    for _ = 1, 200 do
      local lines = {}
      for i = 1, 5 do
        lines[i] = ('{"id":"%d","mail":"a@b.co","p":%s,"P.a":%s}'):format(i, value(1), value(1))
      end
      local text, path = table.concat(lines, "\n"), { "p" }
      for i = 2, math.random(2, 4) do
        path[i] = math.random(4) == 1 and tostring(math.random(2)) or names[math.random(#names)]
      end
      local ok, why = pcall(both,
        { map = { external_id = "id", email = "mail", ["uid:x"] = table.concat(path, ".") } }, text)
      assert(ok, ("%s, seed %d, %s in %s"):format(tostring(why), seed, table.concat(path, "."), text))
      ok, why = pcall(both, {
        map = { external_id = "id", email = "mail" }, where = { [table.concat(path, ".")] = { present = true } },
      }, text)
      assert(ok, ("%s, seed %d, %s in %s"):format(tostring(why), seed, table.concat(path, "."), text))
    end
  end)
end)

describe("a key that no row has", function()
  teardown(world.clean)
  local text = '{"id":"1","mail":"a@b.co","plan":"x"}\n{"id":"2","mail":"c@d.co","plan":"y"}\n'

  it("is an error that names it, where nothing could be used without it", function()
    for _, script in ipairs {
      { key = "e_mial", map = { external_id = "id", email = "e_mial" } },
      { key = "kee", map = { external_id = "kee", email = "mail" } },
      { key = "plann", map = { external_id = "id", email = "mail" }, where = { plann = "x" } },
      { key = "p.mail", map = { external_id = "id", email = { "p.mail", "q" } } },
    } do
      local key = script.key
      script.key = nil
      local code, _, _, err = both(script, text)
      assert.equal("missing_key", code)
      assert.truthy(err.message:find(key, 1, true)
        or err.issues[2] and (err.issues[1].message .. err.issues[2].message):find(key, 1, true), err.message)
      assert.equal(2, err.result.rows)
    end
    local code, _, err = world.command {
      "sync", world.file(text, ".jsonl"), "--audience", "a",
      "--map", "external_id=id", "--map", "email=Mial", "--dry-run",
    }
    assert.equal(1, code)
    assert.truthy(err:find("map.email looks for 'Mial', which no row has; keys that rows have are: id, mail, plan", 1,
      true), err)
    local _, _, _, failure = both({ map = { external_id = "id", email = "mail" } },
      '{"id":"1","jane@example.com":{"4711":1}}\n')
    assert.is_nil(failure.message:find("jane", 1, true), failure.message)
  end)

  it("is a warning where the rest could be used, of each file", function()
    for _, script in ipairs {
      { map = { external_id = "id", email = "mail", phone = "tel" } },
      { map = { external_id = "id", email = { "mail", "mail2" } } },
      { map = { external_id = "id", email = "mail" }, where = { unsubscribed = { present = false } } },
      { map = { external_id = "id", email = "mail", phone = "plan", region = "land" } },
    } do
      local members, _, warnings = both(script, text)
      assert.same({ 2, 1 }, { members, warnings })
    end
    local res = assert(run({ map = { external_id = "id", email = "mail", phone = "tel" } },
      {
        world.file(text, ".jsonl"), world.file('{"id":"3","mail":"e@f.co","Tel":"+12065550101"}', ".jsonl"),
        world.file("id,mail,tel\n4,a@b.co,\n", ".csv"),
      }))
    assert.equal(1, #res.warnings)
    assert.same({ "missing_key", "tel" }, { res.warnings[1].code, res.warnings[1].key })
    res = assert(run({ member = function(row)
      return { external_id = row.id, email = row.mail, phone = row.tel or row.plan == "z" and row.tel2 or nil }
    end },
      world.file(text, ".jsonl")))
    assert.same({ 1, "tel" }, { #res.warnings, res.warnings[1].key })
    assert.same({}, assert(run({ map = { external_id = "id", email = "mail", phone = "tel" } },
      world.file(text .. '{"id":"3","tel":null}', ".jsonl"))).warnings)
  end)

  it("is not what lines that cannot be read lack", function()
    local res = assert(run({ map = { external_id = "id", email = "mail" } }, world.file("nonsense\n[1]\n", ".jsonl")))
    assert.same({ { bad_json = 1, not_an_object = 1 }, 0 }, { res.rejected, #res.warnings })
  end)
end)

describe("a row that a source gives", function()
  teardown(world.clean)

  it("of CSV has its columns by other spellings and by number, and raises for one that there is not", function()
    local n = 0
    for row in assert(scope3.csv(pieces("Customer Id,E-Mail\n1,a@b.co\n2,\n", 5))) do
      n = n + 1
      assert.same({ tostring(n), row["E-Mail"] }, { row.customer_id, row.email })
      assert.same({ row.CustomerID, row[2] }, { row[1], row.EMAIL })
      local ok, message = pcall(function() return row.phone end)
      assert.is_false(ok)
      assert.truthy(message:find("there is no column 'phone'; the columns are: Customer Id, E-Mail", 1, true), message)
      local keys = {}
      for key in pairs(row) do
        keys[#keys + 1] = key
      end
      table.sort(keys)
      assert.same({ "Customer Id", "E-Mail" }, keys)
      assert.same({ ["Customer Id"] = tostring(n), ["E-Mail"] = n == 1 and "a@b.co" or "" },
        cjson.decode(cjson.encode(row)))
      row.phone = "+12065550101"
      assert.equal("+12065550101", row.phone)
    end
    assert.equal(2, n)
    for row in assert(scope3.csv(pieces("Id,ID,name\n1,2,\\N\n", 100), { null = "\\N" })) do
      assert.is_nil(row.name)
      assert.same({ "1", "2" }, { row.Id, row.ID })
      local ok, message = pcall(function() return row.id end)
      assert.is_false(ok)
      assert.truthy(message:find("'id' may be the column 'Id' or 'ID'", 1, true), message)
    end
    for row in assert(scope3.csv(pieces("id,mail,mail\n1,a,b\n", 100))) do
      assert.same({ "1", "a", "b" }, { row.id, row[2], row[3] })
      local ok, message = pcall(function() return row.mail end)
      assert.is_false(ok)
      assert.truthy(message:find("the column 'mail' stands more than once: use its number", 1, true), message)
    end
    for row in assert(scope3.csv(pieces("1,2\n", 100), { header = false })) do
      assert.same({ "1", "2", nil }, { row[1], row[2], row[3] })
      local ok, message = pcall(function() return row.name end)
      assert.is_false(ok)
      assert.truthy(message:find("rows without a header have columns by number", 1, true), message)
    end
  end)

  it("of a file whose header looks like a customer shows no value of it", function()
    for row in assert(scope3.csv(pieces("4711,jane@example.com\n1,x\n", 100))) do
      local ok, message = pcall(function() return row.email end)
      assert.is_false(ok)
      assert.is_nil(message:find("jane", 1, true), message)
    end
  end)

  it("of JSON Lines has its keys by other spellings and paths, and nothing for one that there is not", function()
    for row in assert(scope3.jsonl(pieces('{"E-Mail":"a@b.co","p":{"q":[1,"x"]}}\n', 100))) do
      assert.same({ "a@b.co", "x", nil, nil }, { row.email, row["P.q.2"], row.phone, row["p.x"] })
    end
  end)

  it("goes on into a job as a table, whose missing columns are reported", function()
    local function rows()
      local source = assert(scope3.csv(pieces("Id,E-Mail\n1,a@b.co\n2,c@d.co\n", 100)))
      return function()
        return source:next()
      end
    end
    local res = assert(run({ map = { external_id = "id", email = "email", phone = "tel" } }, rows()))
    assert.same({ 2, "missing_key" }, { res.members, res.warnings[1].code })
    assert.equal(2, assert(run({ map = { external_id = 1, email = 2 } }, rows())).members)
    local none, err = run({ map = { external_id = "id", email = "mial" } }, rows())
    assert.is_nil(none)
    assert.equal("missing_key", err.code)
  end)
end)
