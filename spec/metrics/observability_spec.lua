-- The metrics, their page, and what examples/observability makes of them: no name that is not written, none that no
-- page has, and rules that fire when they should.
local exposition = require "spec.support.exposition"
local families = require "scope3.metrics.families"
local json = require "scope3.util.json"
local pages = require "spec.support.pages"
local metric_text = require "scope3.metrics.text"
local samples = require "scope3.metrics.samples"
local scope3 = require "scope3"
local world = require "spec.support.world"

local FOLDER = "examples/observability"
local PARTS = { "_bucket", "_sum", "_count" }

-- The families of a text, by their names and those of their parts.
local function named(text)
  local found = {}
  for word in text:gmatch "scope3_[a-z_]+" do
    local name = word
    for _, part in ipairs(PARTS) do
      local whole = name:sub(-#part) == part and name:sub(1, -#part - 1)
      name = whole and families[whole] and families[whole].type == "histogram" and whole or name
    end
    found[name] = true
  end
  return found
end

describe("the metrics", function()
  teardown(world.clean)

  local known = {}
  for _, family in ipairs(families) do
    known[family.name] = true
  end

  it("are named and told as Prometheus' conventions want", function()
    local seen = {}
    for _, family in ipairs(families) do
      assert.truthy(family.name:find "^scope3_%l+_[%l_]+$", family.name)
      assert.equal(family.type == "counter", family.name:find "_total$" ~= nil, family.name)
      assert.is_nil(family.name:find "_count$" or family.name:find "_sum$" or family.name:find "_ms$", family.name)
      assert.truthy(family.help:find "^[A-Z1].*[.]$" and not family.help:find "[\\\n]", family.name)
      assert.truthy(({ counter = true, gauge = true, histogram = true })[family.type])
      assert.is_nil(seen[family.name], family.name)
      seen[family.name] = true
    end
  end)

  it("stand in the tables of their page, each as it is", function()
    local found = {}
    for _, one in ipairs(pages.tables_with(world.read "docs/operating.md", "metric", "type", "label", "meaning")) do
      for _, row in ipairs(one.rows) do
        local name = pages.quoted(row[1])[1]
        assert.is_nil(found[name], name)
        found[name] = true
        local family = families[name] or {}
        assert.same({ family.type, family.label, family.help }, { row[2], pages.quoted(row[3])[1], row[4] }, name)
      end
    end
    pages.same_keys(known, found, "docs/operating.md")
  end)

  it("are all written by something", function()
    local path, input = world.path ".prom", world.file("id,mail\n1,a@example.com\n2,nobody\n", ".csv")
    assert.equal(0, (world.command { "sync", input, "--sandbox", "--audience", "a", "--map", "external_id=id",
      "--map", "email=mail", "--metrics", path }))
    local page, wanted, has_states = world.read(path), {}, pcall(require, "scope3.state")
    for name in pairs(known) do
      wanted[name] = has_states or not name:find("_night_", 1, true) or nil
    end
    if has_states then -- a night, of which nothing can be sent
      assert.equal(1, (world.command({ "sync", input, "--base-url", "http://127.0.0.1:1", "--patience", "0",
        "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--metrics", path, "--state",
        world.path ".state" }, { env = "SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25" })))
      page = page .. world.read(path)
    end
    local client = assert(scope3.client { api_key = "scope3_test_key", account_id = "25" }):metrics()
    client.tasks_ended.completed = 1
    local status = { held = 0, audiences = 0, refused = 0, rejected = 0, rejected_by_service = 0, accepted = 0,
      failed = 0, adopted = 0, unkept = 0, lost = 0, appended = 0, reasons = { no_identifier = 1 } }
    local text = scope3.metrics.prometheus { { counts = client }, { counts = status } } .. page
    local drained = { queue = "q", entries = 0, lost = 0, waiting = 0, oldest = 0, looked = 0 }
    local written = metric_text.new()
    samples.drain(written, "", drained)
    text = text .. written:whole()
    pages.same_keys(wanted, named(text:gsub("#[^\n]*\n", "")), "what is written")
  end)

  it("are all that the rules and the dashboard name", function()
    for _, name in ipairs { "rules.yml", "rules_test.yml", "dashboard.json" } do
      local found = named(world.read(FOLDER .. "/" .. name))
      assert.is_true(next(found) ~= nil)
      for metric in pairs(found) do
        assert.is_true(known[metric], name .. " names " .. metric)
      end
    end
  end)
end)

describe("the dashboard", function()
  local board = assert(json.decode(world.read(FOLDER .. "/dashboard.json")))

  it("has panels that do not lie over each other, each with its queries", function()
    local taken, ids = {}, {}
    for _, panel in ipairs(board.panels) do
      local at = panel.gridPos
      assert.is_nil(ids[panel.id])
      ids[panel.id] = true
      assert.is_true(at.x >= 0 and at.w > 0 and at.x + at.w <= 24 and at.h > 0, panel.title)
      for x = at.x, at.x + at.w - 1 do
        for y = at.y, at.y + at.h - 1 do
          local cell = ("%d,%d"):format(x, y)
          assert.is_nil(taken[cell], panel.title)
          taken[cell] = true
        end
      end
      local refs = {}
      for _, target in ipairs(panel.targets or {}) do
        assert.is_nil(refs[target.refId])
        refs[target.refId] = true
        assert.truthy(target.expr:find "scope3_" and target.legendFormat ~= "")
        assert.equal("${datasource}", target.datasource.uid)
      end
      assert.is_true(panel.type == "row" or refs.A ~= nil, panel.title)
    end
    assert.equal("datasource", board.templating.list[1].name)
    assert.is_true(board.schemaVersion >= 38)
  end)

  -- Grafana puts a duration in the place of its variable.
  it("asks what Prometheus understands", function()
    if not exposition.has "promtool" then
      return pending "promtool is missing: make deps installs it"
    end
    local lines, n = { "groups:\n  - name: dashboard\n    rules:\n" }, 0
    for _, panel in ipairs(board.panels) do
      for _, target in ipairs(panel.targets or {}) do
        n = n + 1
        lines[#lines + 1] = ("      - record: query_%d\n        expr: '%s'\n"):format(n,
          (target.expr:gsub("%$__rate_interval", "5m"):gsub("'", "''")))
      end
    end
    local out = exposition.promtool("check rules " .. world.file(table.concat(lines), ".yml"))
    assert.truthy(out:find(("SUCCESS: %d rules found"):format(n), 1, true), out)
  end)
end)

describe("the rules", function()
  teardown(world.clean)

  for what, words in pairs {
    ["and their configuration are well formed"] = "check config prometheus.yml",
    -- It takes Prometheus four seconds, and knows no Lua.
    ["fire when they should, and only then"] = world.thorough and "test rules rules_test.yml" or nil,
  } do
    it(what, function()
      if not exposition.has "promtool" then
        return pending "promtool is missing: make deps installs it"
      end
      local out = exposition.promtool(words, FOLDER)
      assert.truthy(out:find("SUCCESS", 1, true), out)
    end)
  end

  it("are all tried, where they fire and where they do not", function()
    local tests, n = world.read(FOLDER .. "/rules_test.yml"), 0
    for name in world.read(FOLDER .. "/rules.yml"):gmatch "%- alert: (%w+)" do
      n = n + 1
      assert.truthy(tests:find("alertname: " .. name .. "\n        exp_alerts:", 1, true), name .. " never fires")
      assert.truthy(tests:find("alertname: " .. name .. " }", 1, true), name .. " is never quiet")
    end
    assert.equal(14, n)
  end)
end)
