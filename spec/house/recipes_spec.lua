-- The recipes of docs/recipes.md carry a list as a whole or say that they did not: each is run as its page writes it,
-- with the tool that it is for, and then once more where that tool fails in the middle. A recipe whose tool is not
-- installed is skipped, and says so.
local pages = require "spec.support.pages"
local recipes = require "spec.support.recipes"
local world = require "spec.support.world"

local CONSENTED = recipes.CONSENTED

-- What a recipe needs beside its tools.
local PREPARE = {}

function PREPARE.PostgreSQL(kitchen)
  kitchen:serve_postgresql(recipes.postgresql())
end

function PREPARE.DuckDB(kitchen)
  if not recipes.has "duckdb" then
    kitchen:program("duckdb", ('exec node %s/spec/support/duckdb.mjs %s "$@"\n'):format(
      recipes.duckdb_library():match "^(.*)/build/", recipes.duckdb_library()))
  end
  local code, printed = kitchen:sh [[
    mkdir customers
    duckdb -c "COPY (SELECT * REPLACE (consent = 'yes' AS consent) FROM read_csv('people.csv', all_varchar = true))
      TO 'customers/1.parquet' (FORMAT parquet)"]]
  assert(code == 0, printed)
end

local function sqlite(kitchen)
  local code, printed = kitchen:sh "sqlite3 crm.db -cmd '.mode csv' '.import people.csv customers'"
  assert(code == 0, printed)
end
PREPARE.SQLite, PREPARE["Nothing on disk"], PREPARE["People who left"] = sqlite, sqlite, sqlite

PREPARE["JSON with the rows inside"] = function(kitchen)
  local rows = {}
  for i = 1, recipes.ROWS do
    rows[i] = ('{"id": "%s", "contact": {"email": "person%d@example.com"}}'):format(recipes.id(i), i)
  end
  kitchen:write("shop.json", '{"data": {"customers": [' .. table.concat(rows, ",\n") .. "]}}\n")
end

PREPARE["A suppression list"] = function(kitchen)
  kitchen:write("suppressed.csv", recipes.people(1, 500))
end

PREPARE["Records that come all day"] = function(kitchen)
  kitchen:write("signups.jsonl", '{"id": "S1", "email": "s1@example.com"}\n{"id": "S2", "email": "s2@example.com"}\n')
end

local TOOLS = {
  PostgreSQL = { "psql" }, DuckDB = {}, SQLite = { "sqlite3" }, ["JSON with the rows inside"] = { "jq" },
  ["Nothing on disk"] = { "sqlite3", "bash" }, ["Several audiences"] = { "parallel" },
  ["People who left"] = { "sqlite3", "comm" }, ["A suppression list"] = {}, ["Records that come all day"] = {},
}

-- Sections that spec/house/schedules_spec.lua runs.
local SCHEDULES = { ["An alert with the exit code"] = true, ["Logs and old files"] = true }

-- What is not installed, or nil.
local function missing(heading)
  for _, tool in ipairs(TOOLS[heading]) do
    if not recipes.has(tool) then
      return tool .. " is not installed"
    end
  end
  if heading == "PostgreSQL" and not recipes.postgresql() then
    return "the server of PostgreSQL is not installed"
  elseif heading == "DuckDB" and not recipes.has "duckdb" and not recipes.duckdb_library() then
    return "neither duckdb nor its library for Node is installed (make duckdb)"
  end
end

describe("a recipe", function()
  if os.getenv "ASAN_OPTIONS" then
    return -- shells and their programs have leaks of their own
  end
  local sandbox = world.around(setup, teardown, before_each)
  local page, kitchen

  setup(function()
    page = world.read(recipes.PAGE)
  end)
  before_each(function()
    sandbox:configure { task_seconds = 0, audience_seconds = 0 }
    kitchen = recipes.new(sandbox.url)
  end)
  after_each(function()
    kitchen:close()
  end)

  local function cook(heading)
    local prepare = PREPARE[heading]
    if prepare then
      prepare(kitchen)
    end
    kitchen:cook(heading)
  end

  local function count(audience)
    return #sandbox:ids(audience)
  end

  local function rule(heading, name, check)
    it(name, function()
      local why = missing(heading)
      if why then
        return pending(why)
      end
      check()
    end)
  end

  it("of each section is known here", function()
    local found = {}
    for heading in page:gmatch "\n## ([^\n]+)" do
      found[heading] = not SCHEDULES[heading] or nil
    end
    pages.same_keys(TOOLS, found, recipes.PAGE)
  end)

  for heading, audience in pairs { PostgreSQL = "crm", DuckDB = "crm", SQLite = "crm",
    ["JSON with the rows inside"] = "shop" } do
    rule(heading, "of " .. heading .. " sends the list once, and leaves no person behind", function()
      cook(heading)
      local all = audience == "shop" and recipes.ROWS or CONSENTED
      assert.equal(all, count(audience))
      local sent = #sandbox:requests "sync"
      for _, block in ipairs(pages.blocks(recipes.PAGE, pages.section(page, "## " .. heading))) do
        if block.language == "sh" then
          local code, printed = kitchen:sh(block.text)
          assert.same({ 0, "" }, { code, printed })
        end
      end
      assert.equal(sent, #sandbox:requests "sync")
      assert.equal("", kitchen:files "*.rows *.part *.journal")
      assert.is_nil(kitchen:read(kitchen:files("*.sent"):match "%S+"):find("@example", 1, true))
    end)
  end

  -- An export that is cut off in the middle, by each tool in its own way. DuckDB is given no /dev/stdout: it removes
  -- what it could not write, and for root that is the machine's.
  local CUT = {
    PostgreSQL = [[sh send.sh crm.lua 2000 psql -X -c "\copy (select id, email, phone, country from customers
      where 1 / (case id when 'P02900' then 0 else 1 end) = 1) to stdout csv header"]],
    SQLite = [[sh send.sh crm.lua 2000 sqlite3 -readonly -csv -header crm.db "select id, email, phone, country
      from customers where case id when 'P02900' then abs(-9223372036854775807 - 1) else 1 end"]],
    DuckDB = [[sh send.sh crm.lua 1 duckdb -c "COPY (SELECT id, email, phone, country FROM 'customers/*.parquet'
      WHERE CASE id WHEN 'P02900' THEN error('cut') ELSE true END)
      TO '/dev/fd/1' (FORMAT csv, HEADER, USE_TMP_FILE false)"]],
    ["JSON with the rows inside"] = "head -c 150000 shop.json > cut.json\n"
      .. "sh send.sh shop.lua 1 jq -c '.data.customers[]' cut.json",
  }
  for heading, lines in pairs(CUT) do
    rule(heading, "of " .. heading .. " sends nothing where the tool fails after a part of the rows", function()
      PREPARE[heading](kitchen)
      local code, printed = kitchen:sh((lines:gsub("\n%s+", " "):gsub("cut.json sh", "cut.json\nsh")))
      assert.equal(3, code, printed)
      assert.truthy(printed:find("the export ended with %d+\n"), printed)
      assert.equal(0, #sandbox:requests "sync")
      if heading == "PostgreSQL" or heading == "SQLite" then -- the others write nothing then
        assert.is_true(#kitchen:read(kitchen:files("*.part"):match "%S+") > 10000)
      end
    end)
  end

  describe("that sends a list", function()
    local GOOD = "sh send.sh crm.lua 2000 cat people.csv"

    it("exports again after a failure, and sends nothing of a list that is short or bad", function()
      for _, export in ipairs { "head -n 1500 people.csv", "sh -c 'cat people.csv; exit 1'", "false",
        [[sh -c 'head -n 2800 people.csv; for i in $(seq 200); do echo "$i,nobody,,,"; done']] } do
        local code, printed = kitchen:sh("sh send.sh crm.lua 2000 " .. export)
        assert.equal(3, code, export .. "\n" .. printed)
        assert.equal("", kitchen:files "*.rows *.journal *.sent")
      end
      assert.equal(0, #sandbox:requests())
      assert.same({ 0, "" }, { kitchen:sh(GOOD) })
      assert.equal(recipes.ROWS, count "crm")
      assert.equal("", kitchen:files "*.rows *.part *.journal")
    end)

    it("sends what is missing in its next run, of the same export", function()
      sandbox:configure { task_outcomes = world.json.array { "failed:terminal" } }
      sandbox:fault { on = "sync", act = "status", status = 500, times = 2 }
      local code, printed = kitchen:sh(GOOD)
      assert.equal(1, code, printed)
      assert.truthy(kitchen:files("*.rows"):find "crm%-")
      sandbox:configure { task_outcomes = world.json.array {} }
      code, printed = kitchen:sh "sh send.sh crm.lua 2000 false"
      assert.same({ 0, "" }, { code, printed })
      assert.equal(recipes.ROWS, count "crm")
    end)

    it("leaves it to a run that is under way, and keeps raw rows for its user", function()
      kitchen:program("slow", "cat people.csv\nwhile [ ! -e go ]; do sleep 0.02; done\n")
      local code, printed = kitchen:sh([[
        sh send.sh crm.lua 2000 slow & first=$!
        until [ "$(cat crm-*.part 2>/dev/null | wc -c)" -gt 1000 ]; do sleep 0.02; done
        stat -c %a crm-*.part
        sh send.sh crm.lua 2000 false; echo "$?"
        touch go; wait $first]])
      assert.same({ 0, "600\n0\n" }, { code, printed })
      assert.equal(recipes.ROWS, count "crm")
    end)
  end)

  rule("Nothing on disk", "of a pipe sends the list", function()
    cook "Nothing on disk"
    assert.equal(CONSENTED, count "crm")
  end)

  rule("Nothing on disk", "of a pipe fails where its left side does, and sends no array that is cut off", function()
    sqlite(kitchen)
    local _, tool = kitchen:sh "command -v sqlite3"
    local real = tool:gsub("%s", "")
    kitchen:program("sqlite3", real .. ' "$@" | head -c 50000\nexit 1\n')
    local code, printed = kitchen:sh "bash piped.sh"
    assert.equal(1, code)
    assert.truthy(printed:find("it was cut off", 1, true), printed)
    assert.equal(0, #sandbox:requests "sync")
    kitchen:program("sqlite3", real .. ' "$@"\nexit 1\n')
    assert.same({ 1, "" }, { kitchen:sh "bash piped.sh" })
    assert.equal(CONSENTED, count "crm")
  end)

  rule("Several audiences", "of several audiences sends each, and says which failed", function()
    cook "Several audiences"
    local all = count "customers_Germany"
    local japan, france = count "customers_Japan", count "customers_France"
    assert.is_true(all > 100 and japan > 50 and france > 50 and all + japan + france < 300)
    local block = pages.blocks(recipes.PAGE, pages.section(page, "## Several audiences"))[1]
    local parallel = assert(block.text:match "^(.-)\ncut ")
    kitchen:sh "rm *.journal"
    sandbox:reset()
    sandbox:fault { on = "sync", act = "status", status = 400, times = 1 }
    assert.equal(1, (kitchen:sh(parallel)))
    local _, codes = kitchen:sh "cut -f 7 jobs.tsv | sort"
    assert.equal("0\n0\n1\nExitval\n", codes)
    local code, printed = kitchen:sh(parallel)
    assert.equal(0, code, printed)
    assert.equal(all, count "customers_Germany")
    local accepted = 0
    for _, request in ipairs(sandbox:requests "sync") do
      accepted = accepted + (request.status < 300 and 1 or 0)
    end
    assert.equal(3, accepted)
  end)

  rule("People who left", "of people who left removes these and nobody else", function()
    cook "People who left"
    assert.equal(CONSENTED, count "crm")
    for _, id in ipairs(sandbox:ids "crm") do
      assert.is_true(recipes.consented(tonumber(id:match "%d+")))
    end
    assert.equal("ids.old\n", kitchen:files "ids.*")
  end)

  rule("People who left", "of people who left removes nobody for a list that is cut off", function()
    sqlite(kitchen)
    local start = [[set -e
      sh send.sh crm.lua 2000 cat people.csv
      sqlite3 -readonly crm.db "select id from customers" > ids.new && sh left.sh crm
      ]]
    local code, printed = kitchen:sh(start .. "cut -c 1-6 ids.old | head -n 2800 > ids.new; sh left.sh crm")
    assert.equal(3, code)
    assert.equal("200 of 3000 ids left: is ids.new whole?\n", printed)
    assert.equal(recipes.ROWS, count "crm")
    sandbox:fault { on = "sync", act = "status", status = 400, times = 1 }
    code, printed = kitchen:sh "head -n 2990 ids.old > ids.new; sh left.sh crm"
    assert.equal(1, code, printed)
    assert.same({ 0, "" }, { kitchen:sh "sh left.sh crm" })
    assert.equal(2990, count "crm")
  end)

  it("of a suppression list sends the whole list, or fails", function()
    cook "A suppression list"
    assert.equal(500, count "do_not_show")
    local block = pages.blocks(recipes.PAGE, pages.section(page, "## A suppression list"))[1]
    for i, text in ipairs { recipes.people(1, 450) .. "P1,nobody,,GB,no\n", recipes.people(1, 300) } do
      kitchen:sh "rm -f *.journal"
      kitchen:write("suppressed.csv", text)
      assert.equal(({ 1, 3 })[i], (kitchen:sh(block.text)))
    end
  end)

  it("of records that come all day sends each file once, in their order", function()
    cook "Records that come all day"
    assert.equal(2, count "signups")
    assert.equal("", kitchen:files "signups*.jsonl*")
    kitchen:write("signups-0000000001.jsonl", '{"id": "S1", "email": "old@example.com"}\n')
    kitchen:write("signups.jsonl", '{"id": "S1", "email": "new@example.com"}\n')
    sandbox:fault { on = "sync", act = "status", status = 400, times = 1 }
    local code, printed = kitchen:sh "sh signups.sh"
    assert.equal(1, code, printed)
    assert.equal(3, select(2, kitchen:files("signups*.jsonl*"):gsub("\n", "\n"))) -- two files, and the first's journal
    assert.same({ 0, "" }, { kitchen:sh "sh signups.sh" })
    assert.equal("", kitchen:files "signups*.jsonl*")
    local _, hash = kitchen:sh "printf new@example.com | sha256sum"
    assert.equal(hash:match "%x+", sandbox:members("signups").S1.hashedEmail)
  end)

  it("of records that come all day lets bad records pass", function()
    kitchen:write("signups.jsonl", '{"id": "S1", "email": "nobody"}\n{"id": "S2", "email')
    assert.same({ 0, "" }, { kitchen:sh "sh signups.sh" })
    assert.equal("", kitchen:files "signups*.jsonl*")
  end)
end)
