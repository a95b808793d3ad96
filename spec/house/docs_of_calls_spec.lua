-- The pages name every function and every option that there is, and nothing that there is not. What there is comes from
-- the code's own tables, from its annotations, and from the help of the command.
local annotations = require "spec.support.annotations"
local pages = require "spec.support.pages"
local scope3 = require "scope3"
local world = require "spec.support.world"

local FUNCTIONS, OPTIONS = "docs/functions.md", "docs/options.md"
local WEBHOOKS, EMBEDDING = "docs/webhooks.md", "docs/embedding.md"

local same_keys, sorted = pages.same_keys, pages.sorted

describe("the documentation", function()
  local text, known = {}, nil

  setup(function()
    scope3.preload()
    for _, path in ipairs(pages.paths()) do
      text[path] = world.read(path)
    end
    known = annotations.read(pages.files "find lua/scope3 -name '*.lua' | sort")
  end)
  teardown(world.clean)

  describe("of functions", function()
    -- Methods of the objects that people hold, by the name that pages give the object.
    local OBJECTS = { Client = "client", Syndication = "client", Audience = "audience", Stream = "stream",
      Result = "result", Source = "source" }

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
      for name in pairs(pages.first_column(text[FUNCTIONS], "function", "returns")) do
        found[name:match "^[%w_.:]+"] = true
      end
      same_keys(expected, found, FUNCTIONS)
      assert.is_true(#sorted(expected) > 35)
    end)

    it("names its parameters as they are", function()
      local rows = pages.first_column(text[FUNCTIONS], "function", "returns")
      for place, about in pairs(known.functions) do
        local name = method_at(place)
        for row in pairs(rows) do
          if name and row:match "^[%w_.:]+" == name then
            assert.equal(("%s(%s)"):format(name, table.concat(about.named, ", ")), row)
          end
        end
      end
    end)

    it("has those of callbacks and of nginx on their pages", function()
      for name, item in pairs(scope3.webhook) do
        local public = type(item) == "function" and name ~= "problem"
        assert.truthy(not public or text[WEBHOOKS]:find("webhook." .. name, 1, true), name)
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
      prepare = "PrepareOptions",
      script = "ScriptOptions", audience = "ReadingOptions", email = "EmailOptions", phone = "PhoneOptions",
      id = "ReadingOptions", csv = "CsvOptions", jsonl = "JsonLinesOptions", number = "NumberOptions",
      wait = "ClientWaitOptions", forget = "ForgetOptions", drain = "DrainOptions",
      audiences = "AudiencesOptions", limits = "Limits" }
    local COMMANDS = { "sync", "run", "prepare", "drain", "forget", "state", "history", "look", "init", "audiences",
      "task",
      "wait", "hash", "sandbox", "doctor", "help", "completion" }

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

    -- The words in backticks of the first column of a section's tables with this head.
    local function of_section(path, heading, head)
      local found = {}
      for _, one in ipairs(pages.tables(pages.section(text[path], heading))) do
        for _, row in ipairs(one.head[1] == head and one.rows or {}) do
          for _, word in ipairs(pages.quoted(row[1])) do
            found[word] = word:find "^[a-z_]+$" and true or nil
          end
        end
      end
      return found
    end

    -- The fields of a class, without those of another one.
    local function fields_of(class, without)
      local set = {}
      for _, field in ipairs(annotations.fields(known, "scope3." .. class)) do
        set[field.name] = true
      end
      for _, field in ipairs(without and annotations.fields(known, "scope3." .. without) or {}) do
        set[field.name] = nil
      end
      return set
    end

    it("has those of nginx and of callbacks on their pages, and invents none", function()
      same_keys(fields_of "CollectorOptions", of_section(EMBEDDING, "### A collector", "option"), "collector")
      same_keys(fields_of("GatewayOptions", "ScriptOptions"),
        of_section(EMBEDDING, "### A gateway for files", "option"), "gateway")
      same_keys(fields_of("WebhookLocation", "WebhookConfig"),
        of_section(EMBEDDING, "### Callbacks", "option"), "webhook")
      same_keys(fields_of "WebhookConfig", of_section(WEBHOOKS, "## The configuration", "key"), "webhook.verify")
      same_keys(fields_of "WebhookRequest", of_section(WEBHOOKS, "## The request", "field"), "the request")
      same_keys(fields_of "Callback", of_section(WEBHOOKS, "## The payload", "field"), "the payload")
      same_keys(fields_of "ReplayOptions", of_section(WEBHOOKS, "### Nonces", "option"), "webhook.replay_cache")
      same_keys(fields_of "DeliveriesOptions", of_section(WEBHOOKS, "## Delivered twice", "option"), "deliveries")
    end)

    it("has each count of a collector", function()
      local section, lacks = pages.section(text[EMBEDDING], "### Status"), {}
      for name in pairs(fields_of "CollectorStatus") do
        lacks[name] = not section:find("`" .. name .. "`", 1, true) or nil
      end
      assert.same({}, sorted(lacks))
    end)

    it("has no option of the command on other pages that the command has not", function()
      -- Those of others are of LuaRocks (two), of curl, of an example, of GNU parallel (two), of Slurm (five) and
      -- of kubectl (two).
      local given = { ["--help"] = true, ["--version"] = true, ["--lua-version"] = true, ["--deps-mode"] = true,
        ["--http1"] = true, ["--try"] = true, ["--joblog"] = true, ["--halt"] = true, ["--requeue"] = true,
        ["--parsable"] = true, ["--array"] = true, ["--dependency"] = true,
        ["--kill-on-invalid-dep"] = true, ["--for"] = true, ["--ignore-not-found"] = true }
      for _, command in ipairs(COMMANDS) do
        for name in pairs(flags_of(command)) do
          given[name] = true
        end
      end
      for path, all in pairs(text) do
        for name in all:gmatch "%f[-%w]%-%-[a-z][a-z0-9-]+" do
          -- Those of the page about tests belong to scripts of the specs, and those of hosts in C to pkg-config.
          local of_others = path == "docs/testing.md" or path == "docs/c-hosts.md"
          assert.truthy(given[name] or of_others, path .. " has " .. name)
        end
      end
    end)
  end)
end)
