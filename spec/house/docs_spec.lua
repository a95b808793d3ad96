-- The pages name every reason, event, error and term that there is, and nothing that there is not. What there is comes
-- from the code's own tables and from its annotations. Functions and options are in docs_of_calls_spec.lua.
local annotations = require "spec.support.annotations"
local core = require "scope3.core"
local exit_code = require "scope3.cli.exit_code"
local pages = require "spec.support.pages"
local scope3 = require "scope3"
local world = require "spec.support.world"

-- The page of each subject.
local REPORT, EVENTS = "docs/results-and-errors.md", "docs/events.md"
local IDENTITY, WEBHOOKS, EMBEDDING = "docs/identity.md", "docs/webhooks.md", "docs/embedding.md"
local SCRIPTS, GLOSSARY, CONTRACT = "docs/scripts.md", "docs/glossary.md", "docs/contract.md"

-- Pages that still have longer lines.
local LONG_LINES = { ["docs/contract.md"] = true }
local LINE = 120

local files, sorted, same_keys = pages.files, pages.sorted, pages.same_keys

describe("the documentation", function()
  local text, known = {}, nil

  setup(function()
    for _, path in ipairs(pages.paths()) do
      text[path] = world.read(path)
    end
    known = annotations.read(files "find lua/scope3 -name '*.lua' | sort")
  end)
  teardown(world.clean)

  local function first_column(path, ...)
    return pages.first_column(text[path], ...)
  end

  describe("of reasons and repairs", function()
    local OF_VALUES = { "^email_", "^phone_", "^hash_", "^uid_", "^id_", "^external_id_", "^no_external_id$",
      "^not_text$" }

    local function of_values(set)
      local found = {}
      for key in pairs(set) do
        for _, pattern in ipairs(OF_VALUES) do
          found[key] = found[key] or key:find(pattern) ~= nil or nil
        end
      end
      return found
    end

    it("has each key, and invents none", function()
      local expected, found = {}, {}
      for _, set in ipairs { core.reasons, core.repairs } do
        for key in pairs(set) do
          expected[key] = key ~= "none" or nil
        end
      end
      for _, kind in ipairs { "reason", "repair" } do
        for key in pairs(first_column(REPORT, kind)) do
          found[key] = true
        end
      end
      same_keys(expected, found, REPORT)
    end)

    it("explains each of a value, and invents none", function()
      local found = first_column(IDENTITY, "reason")
      for key in text[IDENTITY]:gmatch "`(not_text)`" do
        found[key] = true
      end
      same_keys(of_values(core.reasons), found, "reasons")
      local repaired = {}
      for _, one in ipairs(pages.tables(text[IDENTITY])) do
        for i, title in ipairs(one.head) do
          for _, row in ipairs(title == "counted as" and one.rows or {}) do
            for _, key in ipairs(pages.quoted(row[i])) do
              repaired[key] = true
            end
          end
        end
      end
      repaired.id_hashed = text[IDENTITY]:find("`id_hashed`", 1, true) and true or nil
      same_keys(core.repairs, repaired, "repairs")
    end)

    local function raw_of(cell)
      return cell:match "^`` (.*) ``$" or cell:match "^`(.*)`$"
    end

    -- Calls check(raw value, cells of the row by title) for each row that shows one.
    local function each_example(heading, raw, check)
      local n = 0
      for _, one in ipairs(pages.tables(pages.section(text[IDENTITY], heading))) do
        for _, row in ipairs(one.rows) do
          local by_title = {}
          for i, title in ipairs(one.head) do
            by_title[title] = raw_of(row[i])
          end
          if by_title[raw] then
            n = n + 1
            check(by_title[raw], by_title)
          end
        end
      end
      assert.is_true(n > 0, heading)
    end

    local function repaired_as(row, why)
      assert.equal(row["counted as"], why and why[1])
    end

    it("shows examples that are true", function()
      each_example("## Emails", "raw email", function(raw, row)
        local value, why = scope3.email.normalize(raw)
        assert.equal(row.normalised, value)
        repaired_as(row, why)
      end)
      each_example("## Emails", "example", function(raw, row)
        assert.equal(row.reason, select(2, scope3.email.normalize(raw)).code, raw)
      end)
      each_example("## Phones", "raw phone", function(raw, row)
        local repairs = row.repair and { row.repair }
        local value, why = scope3.phone.normalize(raw, { region = row.region, phone_repairs = repairs })
        assert.equal(row.normalised, value)
        repaired_as(row, why)
      end)
      each_example("## Phones", "example", function(raw, row)
        assert.equal(row.reason, select(2, scope3.phone.normalize(raw, row.region)).code, raw)
      end)
      each_example("## Values that are hashed already", "raw hash", function(raw, row)
        local value, why = scope3.email.hash(raw)
        assert.equal(row["sent as"], value)
        repaired_as(row, why)
      end)
      each_example("## Values that are hashed already", "example", function(raw, row)
        assert.equal(row.reason, select(2, scope3.email.hash(raw)).code, raw)
      end)
      each_example("## External ids", "raw id", function(raw, row)
        local value, why = scope3.external_id.normalize(raw)
        assert.equal(row["sent as"], value)
        repaired_as(row, why)
      end)
      each_example("## External ids", "example", function(raw, row)
        assert.equal(row.reason, select(2, scope3.external_id.normalize(raw)).code, raw)
      end)
      each_example("## Universal ids", "raw uid", function(raw, row)
        local value, why = scope3.uid.check(row.type, raw)
        assert.is_true(value)
        repaired_as(row, why)
      end)
      each_example("## Universal ids", "example", function(raw, row)
        assert.equal(row.reason, select(2, scope3.uid.check(row.type, raw)).code, raw)
      end)
    end)

    it("has names of uid types that mean these types", function()
      local n = 0
      for _, one in ipairs(pages.tables_with(text[IDENTITY], "type", "also called")) do
        for _, row in ipairs(one.rows) do
          local types = pages.quoted(row[1])
          for _, name in ipairs(pages.quoted(row[2])) do
            assert.equal(types[1], (core.uid_type(name)))
            n = n + 1
          end
          for _, name in ipairs(types) do
            assert.equal(name, (core.uid_type(name)))
          end
        end
      end
      assert.is_true(n > 5)
    end)

    it("has each repair of phones, and invents none", function()
      local names = {}
      for _, name in ipairs(core.phone_repairs) do
        names[name] = true
      end
      same_keys(names, first_column(IDENTITY, "repair", "counted as"), IDENTITY)
    end)
  end)

  describe("of errors", function()
    -- The values of an alias: its lines are '"network"'.
    local function alias(name)
      local set = {}
      for _, value in ipairs(known.aliases[name]) do
        set[value:match '^"([%w_]+)"'] = true
      end
      return set
    end

    it("has each kind, and invents none", function()
      same_keys(alias "scope3.ErrorKind", first_column(REPORT, "kind", "what failed"), REPORT)
    end)

    it("has each event, and invents none", function()
      same_keys(alias "scope3.EventName", first_column(EVENTS, "event", "when"), EVENTS)
    end)

    it("has each field", function()
      local words = {}
      for word in pages.section(text[REPORT], "## Errors"):gmatch "[%w_]+" do
        words[word] = true
      end
      local lacks = {}
      for _, field in ipairs(annotations.fields(known, "scope3.Error")) do
        lacks[#lacks + 1] = not words[field.name] and field.name or nil
      end
      assert.same({}, lacks)
    end)

    it("has each field of a result, its requests, tasks and audiences", function()
      local words, lacks = {}, {}
      for _, one in ipairs(pages.tables(pages.section(text[REPORT], "## The result"))) do
        for _, row in ipairs(one.rows) do
          for name in row[1]:gmatch "[%w_]+" do
            words[name] = true
          end
        end
      end
      for _, class in ipairs { "Result", "RequestEntry", "TaskEntry", "Task", "AudienceRow", "ConditionCount" } do
        for _, field in ipairs(annotations.fields(known, "scope3." .. class)) do
          lacks[class .. "." .. field.name] = not words[field.name] and field.name ~= "[string]" or nil
        end
      end
      assert.same({}, sorted(lacks))
    end)

    -- Code of the library without the sandbox, and the C that gives codes.
    local function sources()
      local all = {}
      for _, path in ipairs(files "find lua/scope3 -name '*.lua' ! -path '*/sandbox/*'; find csrc -name '*.[ch]'") do
        all[path] = world.read(path)
      end
      return all
    end

    it("has the code of each warning and error, and each event", function()
      local codes, words, lacks = {}, {}, {}
      for path, source in pairs(sources()) do
        for _, pattern in ipairs(path:find "%.lua$" and { '[^%w]warn%([^,()]+, "([a-z_]+)"',
          '[^%w]warn%(res, [^,()]+, "([a-z_]+)"', '[{ ]code = "([%w_]+)"', '{ event = "([a-z_]+)"',
          'errors%.new%("([a-z_]+)"' } or {}) do
          for code in source:gmatch(pattern) do
            codes[code] = true
          end
        end
      end
      assert.truthy(codes.nothing_deleted and codes.swallowed_lines and codes.in_doubt and codes.full)
      for _, path in ipairs { REPORT, EVENTS, SCRIPTS, WEBHOOKS, EMBEDDING } do
        for word in text[path]:gmatch "[%w_]+" do
          words[word] = true
        end
      end
      for code in pairs(codes) do
        lacks[code] = not words[code] or nil
      end
      assert.same({}, sorted(lacks))
    end)

    it("has each field of each event", function()
      local lacks, seen = {}, 0
      for _, source in pairs(sources()) do
        for name, rest in source:gmatch '{ event = "([a-z_]+)",?([^}]*)}' do
          for field in rest:gmatch "([a-z_]+) = " do
            seen = seen + 1
            lacks[name .. "." .. field] = not text[EVENTS]:find("`" .. field .. "`", 1, true) or nil
          end
        end
      end
      assert.same({}, sorted(lacks))
      assert.is_true(seen > 30)
    end)

    it("invents no code", function()
      local all, invented = {}, {}
      for _, source in pairs(sources()) do
        for word in source:gmatch "[%w_]+" do
          all[word] = true
        end
      end
      local function look(cell)
        for _, word in ipairs(pages.quoted(cell)) do
          invented[word] = not all[word] and not all["CURLE_" .. word] or nil
        end
      end
      for _, head in ipairs { { "code", "kind" }, { "code", "meaning" }, { "code", "the file" }, { "`err.reason`" } } do
        for _, one in ipairs(pages.tables_with(text[REPORT], head[1], head[2])) do
          for _, row in ipairs(one.rows) do
            look(row[1])
          end
        end
      end
      for _, path in ipairs { SCRIPTS, WEBHOOKS } do
        for _, one in ipairs(pages.tables_with(text[path], "`code`")) do
          for _, row in ipairs(one.rows) do
            look(row[1])
          end
        end
      end
      for _, one in ipairs(pages.tables_with(text[WEBHOOKS], "code", "status")) do
        for _, row in ipairs(one.rows) do
          look(row[1])
        end
      end
      assert.same({}, sorted(invented))
    end)

    it("has codes of the service that the contract has", function()
      local codes = first_column(REPORT, "code", "status")
      assert.is_true(#sorted(codes) > 10)
      for code in pairs(codes) do
        assert.truthy(text[CONTRACT]:find("`" .. code .. "`", 1, true), code)
      end
    end)

    it("has each exit code, and invents none", function()
      local expected, found = {}, {}
      for _, code in pairs(exit_code) do
        if type(code) == "number" then
          expected[tostring(code)] = true
        end
      end
      for _, one in ipairs(pages.tables(pages.section(text[REPORT], "## Exit codes"))) do
        for _, row in ipairs(one.rows) do
          found[row[1]] = true
        end
      end
      same_keys(expected, found, REPORT)
    end)
  end)

  describe("of terms", function()
    it("is linked to by other pages, and has each term once", function()
      local seen, links = {}, 0
      for title in text[GLOSSARY]:gmatch "\n### ([^\n]+)" do
        assert.is_nil(seen[title], title)
        seen[title] = true
      end
      for _, term in ipairs { "Repair", "Rejected by the service", "Replaced", "Resume", "Batcher", "Splitter",
        "Rejection", "Completion", "Prune", "Preflight", "Throttled", "Split", "In doubt", "In flight", "Retained",
        "Worker stats", "Inspect", "Context", "Accepted", "Removed" } do
        assert.is_true(seen[term], term)
      end
      for _, page in pairs(text) do
        links = links + select(2, page:gsub("glossary%.md", ""))
      end
      assert.is_true(links >= 5)
    end)
  end)

  it("takes no result with Lua's own assert, which on Lua 5.1 shows nothing of an error", function()
    local texts = {}
    for path, page in pairs(text) do
      texts[path] = page
    end
    for _, path in ipairs(files "find examples -type f ! -name '*.csv'") do
      texts[path] = world.read(path)
    end
    local taken = 0
    for path, page in pairs(texts) do
      for before, call in page:gmatch "([%w_.]*)assert *%(? *([%w_.]+[:.][%w_]+)" do
        assert.truthy(before == "scope3." or call:find "^io%." or call:find "^queue:", path .. " asserts " .. call)
        taken = taken + (before == "scope3." and 1 or 0)
      end
    end
    assert.is_true(taken >= 15)
  end)

  -- The anchor that GitHub gives a heading.
  local function anchor_of(heading)
    return (core.lower(heading):gsub("`", ""):gsub("[^%w _-]", ""):gsub(" ", "-"))
  end

  it("links to files and headings that there are", function()
    for path, page in pairs(text) do
      local folder = path:match "^(.*/)" or ""
      for link in page:gsub("`[^`\n]*`", ""):gmatch "%]%(([^)]+)%)" do
        local target, anchor = link:match "^([^#]*)#?(.*)$"
        if not link:find "^https?:" then
          local file = target == "" and path or folder .. target:gsub("/$", "/.")
          assert.truthy(world.exists(file), path .. " links to " .. target)
          local found = anchor == "" or not file:find "%.md$"
          for heading in (found and "" or "\n" .. world.read(file)):gmatch "\n#+ ([^\n]+)" do
            found = found or anchor_of(heading) == anchor
          end
          assert.truthy(found, path .. " links to " .. link)
        end
      end
    end
  end)

  it("has lines of at most 120 columns outside of tables", function()
    for path, page in pairs(text) do
      local number = 0
      for line in page:gmatch "([^\n]*)\n" do
        number = number + 1
        local _, continuation = line:gsub("[\128-\191]", "")
        local fits = LONG_LINES[path] or line:find "^|" ~= nil or #line - continuation <= LINE
        assert.is_true(fits, ("%s:%d"):format(path, number))
      end
    end
  end)
end)
