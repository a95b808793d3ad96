-- Pipes, sockets and terminals give their bytes once, and may have to be waited for.
-- A file that changes between two readings stops the job.
local cjson = require "cjson"
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

local MAP = { external_id = "id", email = "mail" }
local WORDS = { "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--dry-run", "--json" }

local function rows(n, header)
  local text = { header or "id,mail,town\n" }
  for i = 1, n do
    text[i + 1] = ("%07d,p%d@example.com,Sample Town\n"):format(i, i)
  end
  return table.concat(text)
end

local function pipe()
  local path = world.path(".pipe")
  assert(os.execute("mkfifo " .. path))
  return path
end

-- A writer in a process of its own.
local function write_to(path, from)
  assert(os.execute(("(cat %s > %s) &"):format(from, path)))
end

local function count(input, opts, script)
  opts = opts or {}
  opts.dry_run = true
  return assert(scope3.client {}):run(script or { map = MAP, audience = "a" }, input, opts)
end

-- What the shell makes of a line with $SCOPE3 in it: exit code, output, complaints.
local function shell(line)
  local script, out, err, code = world.file(line .. "\n", ".sh"), world.path(".out"), world.path(".err"),
    world.path(".code")
  os.execute(("SCOPE3='%s bin/scope3.in' bash %s >%s 2>%s </dev/null; echo $? >%s"):format(os.getenv "SCOPE3_LUA_BIN"
    or "lua", script, out, err, code))
  return tonumber(world.read(code)), world.read(out), world.read(err)
end

local function words(list)
  return table.concat(list, " ")
end

describe("an input that comes once", function()
  teardown(world.clean)

  it("gives every row of a pipe: by name, by descriptor, as standard input, with or without a header", function()
    local file, bare = world.file(rows(20000), ".csv"), world.file(rows(20000, ""), ".csv")
    local zipped = world.path(".csv.gz")
    assert(os.execute(("gzip -c %s > %s"):format(file, zipped)))
    local bare_words = "--audience a --no-header --map external_id=1 --map email=2 --dry-run --json"
    for _, line in ipairs {
      "$SCOPE3 sync <(cat " .. file .. ") " .. words(WORDS), "$SCOPE3 sync <(cat " .. bare .. ") " .. bare_words,
      "$SCOPE3 sync <(cat " .. zipped .. ") " .. words(WORDS),
      "cat " .. file .. " | $SCOPE3 sync /dev/stdin " .. words(WORDS),
      "cat " .. zipped .. " | $SCOPE3 sync /dev/fd/0 " .. words(WORDS),
      "cat " .. file .. " | $SCOPE3 sync - " .. words(WORDS),
      "$SCOPE3 sync /dev/stdin " .. words(WORDS) .. " < " .. file,
    } do
      local code, out, err = shell(line)
      assert.same({ 0, 20000 }, { code, code == 0 and cjson.decode(out).members }, line .. "\n" .. err)
    end
    local code, out = shell(("$SCOPE3 sync <(cat %s) <(cat %s) %s %s"):format(file, file, bare, words(WORDS)))
    assert.same({ 1, "invalid" }, { code, cjson.decode(out).error.kind }) -- the third has no header
    code, out = shell(("$SCOPE3 sync <(cat %s) <(cat %s) %s"):format(file, file, words(WORDS)))
    assert.same({ 0, 40000 }, { code, cjson.decode(out).rows })
  end)

  it("gives every row when it is a named pipe, from Lua too, and its script may be one", function()
    local file, path = world.file(rows(20000), ".csv"), pipe()
    write_to(path, file)
    assert.equal(20000, assert(count(path)).members)
    write_to(path, file)
    local n = 0
    for _ in assert(scope3.csv(path)) do
      n = n + 1
    end
    assert.equal(20000, n)
    local script = pipe()
    write_to(script,
      world.file("#!/usr/bin/lua\nreturn { audience = 'a', map = { external_id = 'id', email = 'mail' } }\n"))
    assert.equal(20000, assert(assert(scope3.client {}):run(script, file, { dry_run = true })).members)
  end)

  it("that has no writer, or a writer that says nothing, is given up when the job is stopped", function()
    local path, asked = pipe(), 0
    local res, err = count(path, { cancel = function()
      asked = asked + 1
      return asked > 2
    end })
    assert.is_nil(res)
    assert.equal("cancelled", err.kind)
    for _, before in ipairs {
      "", "(printf 'id,mail\\n1,a@b.co\\n'; sleep 30) > " .. path .. " & w=$!\n",
      "(printf '\\037\\213\\010'; sleep 30) > " .. path .. " & w=$!\n",
    } do
      local code, out, complaint = shell(("%s$SCOPE3 sync %s %s & s=$!\nsleep 0.7; kill -TERM $s; wait $s; c=$?\n"
        .. "[ -n \"$w\" ] && kill $w\nexit $c"):format(before, path,
        words(WORDS)))
      assert.equal(130, code, complaint)
      assert.truthy(complaint:find("stopped", 1, true), complaint .. out)
    end
  end)

  it("is waited for in the middle of what gzip packed", function()
    local path, packed = pipe(), world.path ".gz"
    assert(os.execute(("gzip -c %s >%s"):format(world.file(rows(100000)), packed)))
    assert.is_true(#world.read(packed) > 200000) -- more than is read ahead to know it
    assert(os.execute(("(head -c 200000 %s; sleep 0.5; tail -c +200001 %s) >%s &"):format(packed, packed, path)))
    assert.equal(100000, assert(count(path)).members)
  end)

  it("is found when it is given twice, under whatever names", function()
    local path = pipe()
    for _, pair in ipairs { { path, path }, { path, path:gsub("/([^/]+)$", "/./%1") } } do
      local res, err = count { pair[1], pair[2] }
      assert.is_nil(res)
      assert.truthy(err.message:find("twice", 1, true)
        or err.message:find("are the same pipe, which can be read once", 1, true), err.message)
    end
    for _, names in ipairs { "- /dev/stdin", "/dev/stdin -", "/dev/fd/0 /dev/stdin" } do
      local code, _, err = shell(("printf 'id,mail\\n1,a@b.co\\n' | $SCOPE3 sync %s %s"):format(names, words(WORDS)))
      assert.equal(1, code)
      assert.truthy(err:find("are the same pipe, which can be read once", 1, true), err)
    end
    local file = world.file(rows(2), ".csv")
    local code, _, err = shell(("$SCOPE3 sync - %s %s < %s"):format(file, words(WORDS), file))
    assert.equal(1, code)
    assert.truthy(err:find("are the same file: its rows would be sent twice", 1, true), err)
  end)

  it("is no input of a job with a journal, which has to read it again", function()
    local path, journal = pipe(), world.path(".journal")
    local client = assert(scope3.client {
      api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9",
    })
    local res, err = client:run({ map = MAP, audience = "a" }, path, { journal = journal })
    assert.is_nil(res)
    assert.same({ "invalid", "no_file", true },
      { err.kind, err.code, err.message:find("is a pipe, which cannot be read again", 1, true) ~= nil }, err.message)
    assert.is_false(world.exists(journal))
    local code, _, complaint = shell(("export SCOPE3_API_KEY=scope3_test_key\n$SCOPE3 sync <(printf 'id,mail\\n') "
      .. "--journal %s %s "
      .. "--account 25 --base-url http://127.0.0.1:9"):format(journal, words(WORDS):gsub("%-%-dry%-run ", "")))
    assert.equal(1, code)
    assert.truthy(complaint:find("is a pipe, which cannot be read again", 1, true), complaint)
  end)

  it("is no file, and a folder or a file that is not there is said to be that", function()
    local folder = world.path(".d")
    assert(os.execute("mkdir " .. folder))
    for path, message in pairs { [folder] = "it is a directory", [folder .. "/x.csv"] = "No such file" } do
      local res, err = count(path)
      assert.is_nil(res)
      assert.same({ "source", true }, { err.kind, err.message:find(message, 1, true) ~= nil }, err.message)
    end
    assert(os.execute("rmdir " .. folder))
    assert.same({ "directory", "pipe", "device" },
      { core.file_kind "/tmp", core.file_kind(pipe()), core.file_kind "/dev/null" })
  end)
end)

describe("a file that is not what its header was read of", function()
  teardown(world.clean)

  -- Does something to the second of two files while the first is read.
  local function meanwhile(act)
    local a, b = world.file(rows(10), ".csv"), world.file(rows(10), ".csv")
    local done
    return b, count({ a, b }, { on_event = function(event)
      if event.event == "progress" and not done then
        done = true
        act(b)
      end
    end })
  end

  it("stops the job before any row of it: replaced, longer, shorter, or gone", function()
    for _, act in ipairs {
      function(path)
        assert(os.rename(world.file("mail,id,town\n" .. rows(10, ""), ".csv"), path))
      end,
      function(path)
        local file = assert(io.open(path, "a"))
        file:write("0000011,x@example.com,Sample Town\n")
        file:close()
      end,
      function(path)
        local file = assert(io.open(path, "w"))
        file:write("id,mail,town\n")
        file:close()
      end,
    } do
      local path, res, err = meanwhile(act)
      assert.is_nil(res)
      assert.same({ "source", "changed_input", 10 }, { err.kind, err.code, err.result.rows })
      assert.truthy(err.message:find(path, 1, true) and err.message:find("changed, or replaced", 1, true), err.message)
      world.assert_sums(err.result)
    end
    local _, res, err = meanwhile(os.remove)
    assert.is_nil(res)
    assert.equal("source", err.kind)
  end)

  it("is a warning where it is written to while its rows are read", function()
    local path, done = world.file(rows(100000), ".csv"), false
    local res = assert(count(path, { on_event = function(event)
      if event.event == "progress" and not done then
        done = true
        local file = assert(io.open(path, "a"))
        file:write("0200000,x@example.com,Sample Town\n")
        file:close()
      end
    end }))
    assert.equal("changed_input", res.warnings[1] and res.warnings[1].code)
    assert.is_nil(count(path).warnings[1])
  end)
end)

describe("CSV that comes once", function()
  teardown(world.clean)

  it("may be a piece of itself where it has no line end at its end, and a warning says so", function()
    local codes = function(text, before, after)
      local code, out = shell(("%s%s %s"):format(before:format(world.file(text, ".csv")), "$SCOPE3 sync " .. after,
        words(WORDS)))
      assert.equal(0, code)
      local found = {}
      for _, warning in ipairs(cjson.decode(out).warnings) do
        found[#found + 1] = ("%s %d"):format(warning.code, warning.row)
      end
      return table.concat(found, ",")
    end
    local whole = rows(3)
    for cut, expected in pairs { [0] = "", [1] = "unended_row 3", [5] = "unended_row 3" } do
      local text = whole:sub(1, #whole - cut)
      assert.equal(expected, codes(text, "cat %s | ", "-"), cut)
      assert.equal(expected, codes(text:gsub("\n", "\r\n"), "cat %s | ", "/dev/stdin"), cut)
      assert.equal("", codes(text, "gzip -c %s | ", "-"), cut) -- whose sum says that it is whole
      assert.equal("", codes(text, "< %s ", "-"), cut) -- a file, which is what it is
    end
    for _, blank in ipairs { "  ", "\t", "\n \n  ", ",,", "\r\n \r\n ," } do
      assert.equal("", codes(whole .. blank, "cat %s | ", "-"), blank) -- no row is unended
    end
    assert.equal("unended_row 3", codes(whole:sub(1, -2) .. "  ", "cat %s | ", "-"))
    local utf16, cut_off = world.path ".utf16", world.file(whole:sub(1, -2))
    assert(os.execute(("env -u LD_PRELOAD iconv -f utf-8 -t utf-16 %s > %s"):format(cut_off, utf16)))
    assert.equal("unended_row 3", codes("", "%.0s cat " .. utf16 .. " | ", "-"))
    assert.equal("", codes('{"id":"1","mail":"a@example.com"}', "cat %s | ", "- --format jsonl"))
  end)

  it("has its line end in UTF-16, too, where all of it came at once", function()
    for _, form in ipairs { "utf-16", "utf-16le", "utf-16be" } do
      local path, named = world.path ".utf16", form == "utf-16" and "" or "--encoding " .. form
      assert(os.execute(("env -u LD_PRELOAD iconv -f utf-8 -t %s %s > %s"):format(form, world.file(rows(3)), path)))
      local code, out = shell(("cat %s | $SCOPE3 sync - %s %s"):format(path, named, words(WORDS)))
      assert.equal(0, code)
      assert.same({}, cjson.decode(out).warnings, form)
    end
  end)

  it("is not told of its last row where it was not read to its end", function()
    local path = world.file(rows(3):sub(1, -2) .. '\n4,"cut')
    local code, out = shell(("cat %s | $SCOPE3 sync - %s"):format(path, words(WORDS)))
    local told = cjson.decode(out)
    assert.equal(1, code)
    assert.equal("unclosed_quote", told.error.code)
    assert.same({}, told.warnings)
  end)
end)
