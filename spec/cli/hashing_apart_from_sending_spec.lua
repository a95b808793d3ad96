-- scope3 prepare hashes rows into lines, and scope3 sync sends these.
local json = require "scope3.util.json"
local quote = require "spec.support.quote"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local MAP = { "--map", "external_id=id", "--map", "email=mail" }
local ROWS = "id,mail,ok\nid1,p1@example.org,yes\nid2,nobody,yes\nid3,p3@example.org,no\n"
local MAPPED = "--map external_id=id --map email=mail"
local HASH = "%x+"

local function words(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, word in ipairs(list) do
      all[#all + 1] = word
    end
  end
  return all
end

local function prepare(text, ...)
  return world.command(words({ "prepare", world.file(text, ".csv") }, MAP, { ... }))
end

-- Runs lines of bash in which scope3 is the command of this tree.
local function bash(lines, env)
  local out, code = world.path ".out", world.path ".code"
  local folder = world.path ""
  os.execute("mkdir " .. folder)
  world.write(folder .. "/scope3", ('#!/bin/sh\nexec %s %s "$@"\n'):format(quote(os.getenv "SCOPE3_LUA_BIN"),
    quote(io.popen("pwd"):read "*l" .. "/bin/scope3.in")))
  world.write(folder .. "/program", lines)
  -- Programs of others have leaks of their own.
  os.execute(("chmod 755 %s/scope3; PATH=%s:$PATH ASAN_OPTIONS=detect_leaks=0 %s bash %s/program > %s 2>&1 </dev/null; "
    .. "echo $? > %s; rm -r %s"):format(folder, folder, env or "", folder, out, code, folder))
  return tonumber(world.read(code)), world.read(out)
end

describe("a command that hashes", function()
  teardown(world.clean)

  it("prints members and nothing else, and says on standard error what became of the rows", function()
    local code, printed, said = prepare(ROWS)
    assert.equal(0, code, said)
    assert.truthy(printed:find(('^{"externalId":"id1","hashedEmail":"%s"}\n{"externalId":"id3","hashedEmail":"%s"}\n$')
      :format(HASH, HASH)), printed)
    assert.truthy(said:find("^scope3 prepare\n\n  rows         3 in "), said)
    assert.truthy(said:find("\n  prepared     2 members\n", 1, true), said)
    assert.truthy(said:find("\n  1  no email, phone or uid is left\n", 1, true), said)
    assert.is_nil(said:find("requests", 1, true) or said:find("audience", 1, true) or said:find("example", 1, true))
    code, printed, said = prepare(ROWS, "--quiet")
    assert.same({ 0, 2, "" }, { code, select(2, printed:gsub("\n", "")), said })
  end)

  it("needs no account, key or network, and reads standard input", function()
    local code, printed = world.command(words({ "prepare", "--quiet", "--where", "ok=yes" }, MAP),
      { stdin = world.file(ROWS), env = "SCOPE3_BASE_URL=nowhere" })
    assert.same({ 0, 1 }, { code, select(2, printed:gsub("\n", "")) })
  end)

  it("judges by its rules what was rejected, and tells of it in files", function()
    local refused, object, page, html = world.path ".csv", world.path ".json", world.path ".txt", world.path ".html"
    local code = prepare(ROWS, "--rejects", refused, "--report", object, "--report", page, "--report", html,
      "--max-rejected", "40%")
    assert.equal(0, code)
    assert.equal("row,line,column,outcome,reason\n2,3,mail,dropped,email_no_at\n2,3,,rejected,no_identifier\n",
      world.read(refused))
    local res = json.decode(world.read(object))
    assert.same({ 3, 2, 2, json.null }, { res.rows, res.members, res.prepared, res.error })
    assert.truthy(world.read(page):find("^scope3 prepare: prepared 2 members\n"))
    assert.truthy(world.read(html):find("<b>2</b> <span>prepared</span>", 1, true))
    for _, case in ipairs { { 3, "--max-rejected", "0" }, { 1, "--strict" }, { 2, "--max-rejected", "x" } } do
      assert.equal(case[1], (prepare(ROWS, unpack(case, 2))))
    end
  end)

  it("exits with 3 where there is nothing to prepare, unless that may be", function()
    for _, text in ipairs { "", "id,mail\n", "id,mail\nid1,nobody\n" } do
      local code, printed, said = prepare(text)
      assert.same({ 3, "" }, { code, printed })
      assert.is_nil(said:find("sent", 1, true))
      assert.equal(0, (prepare(text, "--allow-empty")))
    end
    assert.equal(1, (world.command(words({ "prepare", "/nonexistent.csv" }, MAP))))
  end)

  it("refuses what has no effect, and takes its options as sync does", function()
    for _, case in ipairs {
      { "--rejects takes the path of a file", "--rejects", "-" },
      { "unknown option '--audience'", "--audience", "crm" },
      { "--region is not a country", "--region", "Atlantis" },
      { "--phone-repairs has no effect where no phone is mapped", "--phone-repairs", "all" },
      { "nobody is sent", "--exclude", world.file "id1\n", "--mode", "remove" },
      { "--map and --each both name email", "--each", "email=mail" },
    } do
      local code, printed, said = prepare(ROWS, unpack(case, 2))
      assert.same({ 2, "" }, { code, printed })
      assert.truthy(said:find(case[1], 1, true), said)
    end
    local code, _, said = world.command { "prepare", world.file(ROWS, ".csv") }
    assert.equal(2, code)
    assert.truthy(said:find("--map external_id=COLUMN is missing", 1, true), said)
    local list = world.file(ROWS, ".csv")
    code, _, said = world.command(words({ "prepare", list, "--rejects", list }, MAP))
    assert.equal(2, code)
    assert.truthy(said:find("would be overwritten", 1, true), said)
  end)

  it("leaves people out, and gives ids only where rows remove", function()
    local code, printed = prepare(ROWS, "--quiet", "--exclude", world.file "p1@example.org\n")
    assert.same({ 0, true }, { code, printed:find '^{"externalId":"id3",[^\n]+\n$' ~= nil })
    code, printed = prepare(ROWS, "--quiet", "--mode", "remove")
    assert.same({ 0, '{"externalId":"id1"}\n{"externalId":"id2"}\n{"externalId":"id3"}\n' }, { code, printed })
  end)

  it("exits with 4 where its output is full or closed, and never cuts a line without that", function()
    local rows = { "id,mail\n" }
    for i = 1, 20000 do
      rows[#rows + 1] = ("%d,p%d@example.org\n"):format(i, i)
    end
    local path = world.file(table.concat(rows), ".csv")
    local code, said = bash(("scope3 prepare %s %s --quiet > /dev/full"):format(path, MAPPED))
    assert.equal(4, code)
    assert.truthy(said:find("cannot write to standard output: No space left on device", 1, true), said)
    code, said = bash(("scope3 prepare %s %s --quiet | head -n 1 | wc -l; echo ${PIPESTATUS[0]}"):format(path, MAPPED))
    assert.equal(0, code)
    assert.truthy(("\n" .. said):find("\n1\n") and said:find("\n4\n$"), said)
    local few = world.path ".jsonl"
    code, said = bash(("ulimit -f 1500; trap '' XFSZ; scope3 prepare %s %s --quiet > %s"):format(path, MAPPED, few))
    assert.equal(4, code, said)
    code, said = bash(("scope3 sync %s --audience a --dry-run --quiet"):format(few))
    assert.equal(1, code, said)
    assert.truthy(said:find("is no member as scope3 prepare writes them: the line is not valid JSON", 1, true), said)
  end)
end)

describe("a command that sends what was hashed", function()
  local sandbox = world.around(setup, teardown, before_each, { log_bodies = true, task_seconds = 0 })

  -- The bodies of the requests since this was asked last.
  local function sent()
    local bodies = {}
    for i, request in ipairs(sandbox:requests "sync") do
      bodies[i] = request.body
    end
    sandbox:reset()
    sandbox:configure { log_bodies = true, task_seconds = 0 }
    return bodies
  end

  local function service()
    return ("SCOPE3_API_KEY=scope3_test SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s"):format(sandbox.url)
  end

  it("makes of eight files under parallel -k the requests of one job over them, byte for byte", function()
    local folder = world.path ""
    os.execute("mkdir " .. folder)
    for i = 1, 8 do
      local rows = { "id,mail,mail2,tel,land,maid\n" }
      for k = 1, 50 do
        local n = (i * 37 + k * 11) % 170
        rows[#rows + 1] = ("%s,%s,b%d@example.org,030 90182%03d,%s,'v%d'\n"):format(
          n % 10 == 0 and "p" .. n .. "@example.org" or n % 9 == 0 and "" or "C" .. n,
          n % 7 == 0 and "nobody" or n % 5 == 0 and "mailto:P" .. n .. "@Example.org" or "p" .. n .. "@example.org",
          n % 3, n, n % 4 == 0 and "US" or "DE", n)
      end
      world.write(("%s/part-%d.csv"):format(folder, i), table.concat(rows))
    end
    local how = "--map external_id=id --each email=mail --each email=mail2 --map phone=tel --map region=land "
      .. "--map uid:partner=maid --ids hash"
    local code, said = bash(("cd %s && scope3 sync part-*.csv --audience crm --max-members 60 --quiet %s"):format(
      folder, how), service())
    assert.same({ 0, "" }, { code, said })
    local expected = sent()
    code, said = bash(([[cd %s && ls part-*.csv | parallel -k -j 4 scope3 prepare {} --quiet %s > members.jsonl &&
      scope3 sync members.jsonl --audience crm --max-members 60 --quiet]]):format(folder, how), service())
    assert.same({ 0, "" }, { code, said })
    assert.same(expected, sent())
    assert.is_true(#expected > 5)
    code, said = bash(([[cd %s && cat part-1.csv | scope3 prepare --quiet %s | gzip > one.jsonl.gz &&
      scope3 sync one.jsonl.gz --audience crm --quiet && zcat one.jsonl.gz | scope3 sync - --audience crm --quiet]])
      :format(folder, how), service())
    assert.same({ 0, "" }, { code, said })
    local twice = sent()
    assert.same({ 2, twice[1] }, { #twice, twice[2] })
    os.execute("rm -r " .. folder)
  end)

  it("takes JSON Lines and standard input without a map, and no other file", function()
    local line = ('{"externalId":"id1","hashedEmail":"%s"}\n'):format(("ab"):rep(32))
    local function sync(path, ...)
      return world.command({ "sync", path, "--audience", "a", "--dry-run", ... }, { stdin = path == "-"
        and world.file(line) or nil })
    end
    for _, case in ipairs { { world.file(line, ".jsonl") }, { "-" }, { world.file(line), "--format", "jsonl" } } do
      local code, said, complained = sync(unpack(case))
      assert.same({ 0, "" }, { code, complained })
      assert.truthy(said:find("would send   1 member\n", 1, true), said)
    end
    for _, case in ipairs {
      { "--map external_id=COLUMN is missing", world.file(line) },
      { "--map external_id=COLUMN is missing", world.file(line, ".csv") },
      { "--map external_id=COLUMN is missing", "-", "--format", "csv" },
      { "--where has no effect on members that are prepared", "-", "--where", "ok=yes" },
      { "--region has no effect on members that are prepared", "-", "--region", "DE" },
      { "--no-repair has no effect on members that are prepared", "-", "--no-repair" },
      { "--ids cannot be hash where members are prepared", "-", "--ids", "hash" },
      { "--no-header has no effect on JSON Lines", "-", "--no-header" },
    } do
      local code, _, complained = sync(unpack(case, 2))
      assert.equal(2, code, complained)
      assert.truthy(complained:find(case[1], 1, true), complained)
    end
  end)
end)
