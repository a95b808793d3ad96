-- The pages name everything that there is, and nothing that there is not. What there is comes from the code's own tables
-- and from its annotations.
local annotations = require "spec.support.annotations"
local core = require "scope3.core"
local exit_code = require "scope3.cli.exit_code"
local pages = require "spec.support.pages"
local scope3 = require "scope3"
local world = require "spec.support.world"

-- The page of each subject.
local FUNCTIONS, OPTIONS, REPORT = "docs/functions.md", "docs/options.md", "docs/results-and-errors.md"
local EVENTS = "docs/events.md"
local IDENTITY, WEBHOOKS, EMBEDDING = "docs/identity.md", "docs/webhooks.md", "docs/embedding.md"
local GLOSSARY = "docs/glossary.md"

-- Pages that still have longer lines.
local LONG_LINES = { ["docs/contract.md"] = true, ["docs/sandbox.md"] = true, ["docs/webhooks.md"] = true, ["docs/c-hosts.md"] = true }
local LINE = 120

local function files(command)
  local paths = {}
  local pipe = assert(io.popen(command))
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return paths
end

-- The keys of a set, in order.
local function sorted(set)
  local keys = {}
  for key in pairs(set) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- Both must hold the same keys. The difference is easier to read than both sets.
local function same_keys(expected, found, where)
  local lacks, invents = {}, {}
  for key in pairs(expected) do
    lacks[key] = not found[key] or nil
  end
  for key in pairs(found) do
    invents[key] = not expected[key] or nil
  end
  assert.same({ lacks = {}, invents = {} }, { lacks = sorted(lacks), invents = sorted(invents) }, where)
end

describe("the documentation", function()
  local text, known = {}, nil

  setup(function()
    for _, path in ipairs(pages.paths()) do
      text[path] = world.read(path)
    end
    known = annotations.read(files "find lua/scope3 -name '*.lua' | sort")
  end)
  teardown(world.clean)

  -- The set of words in backticks in the first column of tables with this head.
  local function first_column(path, ...)
    local set = {}
    for _, one in ipairs(pages.tables_with(text[path], ...)) do
      for _, row in ipairs(one.rows) do
        for _, word in ipairs(pages.quoted(row[1])) do
          set[word] = true
        end
      end
    end
    return set
  end

  describe("of functions", function()
    -- Methods of the objects that people hold, by the name that pages give the object.
    local OBJECTS = { Client = "client", Syndication = "client", Audience = "audience", Stream = "stream", Result = "result",
      Source = "source" }

    local function functions_of(value, name, found)
      for key, item in pairs(value) do
        if type(item) == "function" then
          found[name .. "." .. key] = true
        elseif type(item) == "table" and key ~= "webhook" and key ~= "null" then
          functions_of(item, name .. "." .. key, found)
        end
      end
      return found
    end

    -- "function Client:sync(" of a place of the annotations, as client:sync.
    local function method_at(place)
      local path, number = place:match "^(.*):(%d+)$"
      local at = 0
      for line in io.lines(path) do
        at = at + 1
        if at == tonumber(number) then
          local class, name = line:match "^function (%u%w+):(%a[%w_]*)%("
          return OBJECTS[class or ""] and ("%s:%s"):format(OBJECTS[class], name), path
        end
      end
    end

    local function methods()
      local found = {}
      for place, about in pairs(known.functions) do
        local name, path = method_at(place)
        if name and not about.private and not path:find "/nginx/" and not path:find "/sandbox/" then
          found[name] = true
        end
      end
      return found
    end

    it("has each one, and invents none", function()
      local expected, found = functions_of(scope3, "scope3", methods()), {}
      for name in pairs(first_column(FUNCTIONS, "function", "returns")) do
        found[name:match "^[%w_.:]+"] = true
      end
      same_keys(expected, found, FUNCTIONS)
      assert.is_true(#sorted(expected) > 35)
    end)

    it("names its parameters as they are", function()
      for place, about in pairs(known.functions) do
        local name = method_at(place)
        for row in pairs(first_column(FUNCTIONS, "function", "returns")) do
          if name and row:match "^[%w_.:]+" == name then
            assert.equal(("%s(%s)"):format(name, table.concat(about.named, ", ")), row)
          end
        end
      end
    end)

    it("has those of callbacks and of nginx on their pages", function()
      for name, item in pairs(scope3.webhook) do
        assert.truthy(type(item) ~= "function" or name == "problem" or text[WEBHOOKS]:find("webhook." .. name, 1, true), name)
      end
      for _, name in ipairs { "collector", "gateway", "webhook", "notified", "exit" } do
        assert.truthy(text[EMBEDDING]:find('require("scope3.nginx").' .. name, 1, true)
          or text[EMBEDDING]:find('require "scope3.nginx").' .. name, 1, true), name)
      end
      for _, name in ipairs { "add", "remove", "flush", "status", "start", "close" } do
        assert.truthy(text[EMBEDDING]:find("%f[%w]" .. name .. "%("), name)
      end
    end)
  end)

  describe("of options", function()
    -- The class of the options of each call.
    local CLASSES = { client = "ClientOptions", sync = "SyncOptions", stream = "StreamOptions", run = "RunOptions",
      script = "ScriptOptions", audience = "ReadingOptions", email = "EmailOptions", phone = "PhoneOptions",
      id = "ReadingOptions", csv = "CsvOptions", jsonl = "JsonLinesOptions", number = "NumberOptions",
      wait = "ClientWaitOptions", audiences = "AudiencesOptions", limits = "Limits" }
    local COMMANDS = { "sync", "run", "audiences", "task", "wait", "hash", "sandbox", "doctor", "help" }

    -- where -> option -> true, of the tables with one row an option.
    local function on_page(last)
      local found = {}
      for _, one in ipairs(pages.tables_with(text[OPTIONS], "option", "meaning", "default", "range", last)) do
        for _, row in ipairs(one.rows) do
          assert.is_true(row[2] ~= "", row[1])
          for where in row[5]:gmatch "%w+" do
            found[where] = found[where] or {}
            local name = pages.quoted(row[1])[1]
            assert.is_nil(found[where][name], ("%s of %s stands twice"):format(name, where))
            found[where][name] = true
          end
        end
      end
      return found
    end

    local function flags_of(command)
      local flags = {}
      local code, help = world.command { command, "--help" }
      assert.equal(0, code)
      for name in help:gmatch "\n   [-q, ]*%-%-([a-z-]+)" do
        flags["--" .. name] = name ~= "help" or nil
      end
      return flags
    end

    it("has each one of each call, and invents none", function()
      local found = on_page "where"
      for where, class in pairs(CLASSES) do
        local expected = {}
        for _, field in ipairs(annotations.fields(known, "scope3." .. class)) do
          expected[field.name] = true
        end
        same_keys(expected, found[where] or {}, where)
      end
      found.command = nil
      same_keys(CLASSES, found, "calls")
    end)

    it("has each one of each command, and invents none", function()
      local found, shared = on_page "of", {}
      for name in pairs(on_page "where".command) do
        shared["--" .. name:gsub("_", "-")] = true
      end
      for _, command in ipairs(COMMANDS) do
        local listed = found[command] or {}
        for name in pairs((command == "sync" or command == "run") and shared or {}) do
          listed[flags_of(command)["--no-" .. name:sub(3)] and "--no-" .. name:sub(3) or name] = true
        end
        same_keys(flags_of(command), listed, command)
      end
    end)

    it("has no option of the command on other pages that the command has not", function()
      local given = { ["--help"] = true, ["--version"] = true, ["--lua-version"] = true, ["--http1"] = true, ["--try"] = true }
      for _, command in ipairs(COMMANDS) do
        for name in pairs(flags_of(command)) do
          given[name] = true
        end
      end
      for path, all in pairs(text) do
        for name in all:gmatch "%f[-%w]%-%-[a-z][a-z0-9-]+" do
          assert.truthy(given[name], path .. " has " .. name)
        end
      end
    end)
  end)

  describe("of reasons and repairs", function()
    local OF_VALUES = { "^email_", "^phone_", "^hash_", "^uid_", "^id_", "^external_id_", "^no_external_id$", "^not_text$" }

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
        local value, why = scope3.phone.normalize(raw, { region = row.region, phone_repairs = row.repair and { row.repair } })
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
        for _, pattern in ipairs(path:find "%.lua$" and { '[^%w]warn%([^,()]+, "([a-z_]+)"', '[^%w]warn%(res, [^,()]+, "([a-z_]+)"',
          '[{ ]code = "([%w_]+)"', '{ event = "([a-z_]+)"', 'errors%.new%("([a-z_]+)"' } or {}) do
          for code in source:gmatch(pattern) do
            codes[code] = true
          end
        end
      end
      assert.truthy(codes.nothing_deleted and codes.swallowed_lines and codes.in_doubt and codes.full)
      for _, page in pairs(text) do
        for word in page:gmatch "[%w_]+" do
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
      for path, source in pairs(sources()) do
        for name, rest in source:gmatch '{ event = "([a-z_]+)",?([^}]*)}' do
          for field in (path:find "/sandbox/" and "" or rest):gmatch "([a-z_]+) = " do
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
      for _, path in ipairs { "docs/scripts.md", WEBHOOKS } do
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
      for _, term in ipairs { "Repair", "Rejected by the service", "Replaced", "Resume", "Batcher", "Splitter", "Rejection", "Completion",
        "Prune", "Preflight", "Throttled", "Split", "In doubt", "In flight", "Retained", "Worker stats", "Inspect", "Context", "Accepted", "Removed" } do
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
        assert.is_true(LONG_LINES[path] or line:find "^|" ~= nil or #line - continuation <= LINE, ("%s:%d"):format(path, number))
      end
    end
  end)
end)
