-- `scope3 init`: a script for a file of unknown form, which runs as it is.
local core = require "scope3.core"
local world = require "spec.support.world"

local json = world.json

-- A file of 20 people, with this header and these values after id and email.
local function people(head, more, delimiter)
  delimiter = delimiter or ","
  local lines = { table.concat({ "user id", "email" }, delimiter) .. head }
  for i = 1, 20 do
    lines[#lines + 1] = ("%d%sp%d@example.org"):format(i, delimiter, i) .. more(i)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function nothing() return "" end

-- Begins a script for a file, and runs it in a dry run: the script's text, and what the run said.
local function begun(file, ...)
  local path = world.path ".lua"
  local code, out, err = world.command { "init", file, "-o", path, ... }
  assert.equal(0, code, err)
  local text = world.read(path)
  local ran, said, why = world.command { "run", path, file, "--dry-run", "--json" }
  assert.equal(0, ran, why .. text)
  return text, json.decode(said), out
end

describe("a script that is begun", function()
  teardown(world.clean)

  it("runs as it is, on the example", function()
    local text, result, out = begun "examples/customers.csv"
    assert.same({ 1000, 784, 208 }, { result.rows, result.would_send, result.skipped })
    assert.truthy(text:find('  where = { ["Marketing consent"] = { yes = true } },\n', 1, true), text)
    assert.truthy(text:find('    external_id = "Customer Id", -- 99 % different\n', 1, true), text)
    for _, words in ipairs {
      " --dry-run\n", " --sandbox --wait\n", " --wait --journal ", " --wait --mirror --state ",
      "Nothing left this machine",
    } do
      assert.truthy(out:find(words, 1, true), out)
    end
  end)

  it("leaves the region open where phones may be of several countries, and needs two dashes fewer then", function()
    local file, path = world.file(people(",phone", function(i) return (",0171 2345%02d8"):format(i) end)
      :gsub("p%d+@example.org", ""), ".csv"), world.path ".lua"
    local code, out, err = world.command { "init", file, "-o", path }
    assert.equal(0, code, err)
    assert.truthy(out:find("\n  (region)     left open  may be DE, ", 1, true), out)
    local text = world.read(path)
    assert.truthy(text:find('\n  -- region = "DE", -- or "', 1, true), text)
    assert.is_nil(text:find '\n  region')
    code, out = world.command { "run", path, file, "--dry-run", "--json" }
    assert.same({ 3, 0, 20 }, { code, json.decode(out).would_send, json.decode(out).rejected.no_identifier })
    world.write(path, (text:gsub("%-%- region = ", "region = ")))
    code, out = world.command { "run", path, file, "--dry-run", "--json" }
    assert.same({ 0, 20 }, { code, json.decode(out).would_send })
  end)

  it("runs as it is, on files of other forms", function()
    local plain = people("", nothing)
    for name, one in pairs {
      semicolon = { people("", nothing, ";"), 20 },
      hive = { people("", nothing, "\1"), 20 },
      headless = { plain:gsub("^[^\n]*\n", ""), 20 },
      title = { "An export\n\n" .. plain, 20 },
      utf16 = { plain:gsub(".", "%0\0"), 20 },
      two = { people(",e-mail 2", function(i) return ",q" .. i .. "@example.org" end), 20 },
      phones = { people(",phone,end", function(i) return (",030 2345%02d8,1"):format(i) end), 20 },
      ids = { plain:gsub("user id", "city"):gsub("\n%d+", "\nx"), 20 },
      quoted = { people(',"a ""b"" \\c consent"', function() return ",yes" end), 20 },
      lines = { (plain:gsub("^[^\n]*\n", ""):gsub("(%d+),([^\n]*)", '{"id":%1,"a":{"email":"%2"}}')), 20, ".json" },
    } do
      local _, result = begun(world.file(one[1], one[3] or ".csv"))
      assert.same({ one[2], {} }, { result.would_send, result.rejected }, name)
    end
  end)

  it("counts columns by number where the file is said to have no header", function()
    local text = begun(world.file(people("", nothing), ".csv"), "--no-header")
    for _, words in ipairs { "  header = false,\n", "    external_id = 1, --", "    email = 2, --" } do
      assert.truthy(text:find(words, 1, true), text)
    end
  end)

  it("asks for consent only where it is sure", function()
    local function where(head, more)
      local text = begun(world.file(people(head, more), ".csv"))
      return text:match "\n( *[-]*[ ]*where = [^\n]*)", text
    end
    local function answer(i) return i % 2 == 0 and ",yes" or ",no" end
    assert.equal('  where = { ["opt-in"] = { yes = true } },', where(",opt-in", answer))
    assert.equal('  -- where = { newsletter = { yes = true } },', where(",newsletter", answer))
    assert.equal('  -- where = { ["opt-in"] = { yes = true } },', where(",opt-in,sms consent", function(i)
      return answer(i) .. answer(i + 1)
    end))
    assert.equal('  -- where = { ["opt-out"] = { yes = false } },', where(",opt-out", answer))
    assert.equal('  -- where = { consent = { yes = true } },', where(",consent", function(i) return ",maybe " .. i end))
    local function date(i) return i % 2 == 0 and ",2024-01-31" or "," end
    assert.equal('  -- where = { ["gdpr consent date"] = { present = true } },', where(",gdpr consent date", date))
    assert.equal('  -- where = { ["unsubscribed at"] = { present = false } },', where(",unsubscribed at", date))
    assert.is_nil((where("", nothing)))
  end)

  it("overwrites nothing without being told so", function()
    local file, path = world.file(people("", nothing), ".csv"), world.file("kept", ".lua")
    local code, _, err = world.command { "init", file, "--output", path }
    assert.same({ 2, "kept" }, { code, world.read(path) })
    assert.truthy(err:find("--force", 1, true), err)
    assert.equal(0, (world.command { "init", file, "--output", path, "--force" }))
    assert.truthy(world.read(path):find "^%-%- Made by scope3 init")
    local before = world.read(file)
    assert.equal(2, (world.command { "init", file, "--output", file, "--force" }))
    assert.equal(2, (world.command { "init", file, "--output", "-" }))
    assert.equal(before, world.read(file))
  end)

  it("has a name of the file's, and is written only where something can be sent", function()
    local folder = world.path ""
    os.execute(("mkdir %s"):format(folder))
    local file = world.file(people("", nothing), ".Old.csv")
    local stem = file:match "([^/]*)%.csv$"
    os.execute(("cd %s && %s %s/bin/scope3.in init %s >/dev/null"):format(folder, "LUA_PATH=\"$LUA_PATH\" "
      .. (os.getenv "SCOPE3_LUA_BIN" or "lua"), os.getenv "PWD" or ".", file))
    assert.truthy(world.exists(("%s/%s.lua"):format(folder, stem)))
    file = world.file("name,city\na,b\nc,d\n", ".csv")
    local code, _, err = world.command { "init", file, "-o", folder .. "/no.lua" }
    assert.same({ 3, false }, { code, world.exists(folder .. "/no.lua") })
    assert.truthy(err:find("no script was written", 1, true), err)
    os.execute("rm -r " .. folder)
  end)

  it("is run by commands that can be pasted", function()
    local file = world.file(people("", nothing), ".csv")
    local path = world.path ".lua"
    local code, out = world.command({ "init", "-", "-o", path, "--json" }, { stdin = file })
    assert.equal(json.null, json.decode(out).error)
    local commands = json.decode(out).commands
    assert.same({ 0, 3, nil }, { code, #commands, (table.concat(commands):match "--journal") })
    local odd = world.path "\n.lua"
    code, out = world.command { "init", file, "-o", odd }
    assert.equal(0, code)
    assert.truthy(out:find("cannot be written in a command", 1, true), out)
    assert.is_nil(out:find("scope3 run", 1, true))
    local folder = world.path ""
    os.execute(("mkdir %s; cp %s %s/-a.csv"):format(folder, file, folder))
    os.execute(("cd %s && LUA_PATH=\"$LUA_PATH\" %s %s/bin/scope3.in init -- -a.csv >out"):format(folder,
      os.getenv "SCOPE3_LUA_BIN" or "lua", os.getenv "PWD" or "."))
    out = world.read(folder .. "/out")
    assert.truthy(out:find("scope3 run ./-a.lua ./-a.csv --wait --journal ./-a.journal\n", 1, true), out)
    assert.truthy(out:find("scope3 run ./-a.lua ./-a.csv --wait --mirror --state ./-a.state\n", 1, true), out)
    os.execute("rm -r " .. folder)
  end)

  it("reports what keeps it from being written", function()
    local file = world.file(people("", nothing), ".csv")
    for _, path in ipairs { "/does/not/exist.lua", core.file_kind "/dev/full" and "/dev/full" or nil } do
      local code, out = world.command { "init", file, "--output", path, "--force", "--json" }
      assert.equal(1, code)
      assert.truthy(json.decode(out).error.message:find("cannot write", 1, true), out)
    end
    assert.equal(1, (world.command { "init", "/does/not/exist", "--output", world.path ".lua" }))
  end)

  it("leaves the old one where the disk is full, and has its permissions", function()
    local old, code = world.file("kept", ".lua"), world.path ".code"
    local file = world.file(people(",email 2,phone,gdpr consent", function(i)
      return (",q%d@example.org,030 2345%02d8,x"):format(i, i)
    end), ".csv")
    os.execute(("chmod 640 %s"):format(old))
    local function begin(limit)
      os.execute(("trap '' XFSZ; %s %s bin/scope3.in init %s -o %s --force >/dev/null 2>&1; echo $? >%s"):format(limit,
        os.getenv "SCOPE3_LUA_BIN" or "lua", file, old, code))
      return world.read(code), world.read(old)
    end
    assert.same({ "1\n", "kept" }, { begin "ulimit -f 1;" }) -- so many half kilobytes
    local pipe = io.popen(("ls %s.* 2>/dev/null"):format(old))
    assert.equal("", pipe:read "*a")
    pipe:close()
    local ended, text = begin ""
    assert.equal("0\n", ended)
    assert.truthy(#text > 512 and text:find "^%-%- Made by scope3 init", text)
    pipe = io.popen("ls -l " .. old)
    assert.equal("-rw-r-----", pipe:read "*a":sub(1, 10))
    pipe:close()
  end)

  it("is one object for machines", function()
    local path = world.path ".lua"
    local code, out = world.command { "init", world.file(people("", nothing), ".csv"), "-o", path, "--json" }
    assert.equal(0, code)
    local object = json.decode(out)
    assert.same({ path, 4, {} }, { object.script, #object.commands, object.unsure })
  end)
end)
