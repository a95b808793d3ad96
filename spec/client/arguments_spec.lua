-- Every public function, found by walking what `require "scope3"` returns, refuses what its annotations do not allow.
-- What is not annotated, or annotated wrongly, fails here.
local annotations = require "spec.support.annotations"
local scope3 = require "scope3"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")
local HERE = "arguments_spec.lua"

-- One line, so that it is known where each misuse stands.
local LINE = debug.getinfo(1, "l").currentline + 2
local function invoke(f, args)
  local a, b = f(unpack(args, 1, args.n))
  return a, b
end

local function read()
  local paths = {}
  local pipe = assert(io.popen "find lua/scope3 -name '*.lua' | sort")
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return annotations.read(paths)
end

describe("arguments", function()
  local known = read()
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9",
  })
  local audience = assert(scope3.audience { id = "a" })
  assert(audience:add { external_id = "1", email = "a@b.co" })
  local result = assert(client:sync(audience, { dry_run = true }))
  local MAP = { external_id = "id", email = "mail" }

  teardown(world.clean)

  -- What objects are made of: a table that looks like none of them is not taken for one.
  local OBJECTS = {
    ["scope3.Audience"] = audience, ["scope3.Client"] = client, ["scope3.Result"] = result,
    ["scope3.Source"] = assert(scope3.csv(function() end)), ["scope3.Limiter"] = assert(scope3.limiter()),
    ["scope3.ReplayCache"] = scope3.webhook.replay_cache(), ["scope3.Deliveries"] = scope3.webhook.deliveries(),
    ["scope3.Stream"] = assert(client:stream("a", { dry_run = true })),
    ["scope3.Store"] = false, ["scope3.ExpiringStore"] = false, ["scope3.Loop"] = false, ["scope3.Journal"] = false,
  }
  -- What a call needs beside what is tried: the rest of it is right.
  local GOOD = {
    ["scope3.WebhookRequest"] = { headers = {} },
    ["scope3.WebhookConfig"] = { mode = "bearer", credentials = ("c"):rep(32) },
    ["scope3.Script"] = { audience = "a", map = MAP },
    ["scope3.AudienceMeta"] = { id = "a" }, ["scope3.Member"] = { external_id = "1" },
    ["scope3.CollectorStatus"] = { held = 0 },
    ["scope3.SyndicateOptions"] = { audience_id = "a", adcp_agent_ids = { "x" } },
  }
  -- Tables whose fields are looked at, each one by itself.
  local FIELDS = {
    ["scope3.WebhookConfig"] = true, ["scope3.AudienceMeta"] = true, ["scope3.Limits"] = true, ["scope3.Script"] = true,
  }

  -- Each kind of value there is. The number of a table is known by its fields.
  local coroutine_of = coroutine.create(function() end)
  local VALUES = {
    { nil, "nil" }, { true, "true" }, { 7, "7" }, { 1.5, "1.5" }, { 0 / 0, "NaN" }, { math.huge, "inf" },
    { -math.huge, "-inf" }, { -1, "-1" }, { 2 ^ 53, "2^53" }, { "some text", "a text" }, { "", "no text" },
    { {}, "{}" }, { { "a", [3] = "b" }, "a list with a hole" }, { { 5, true }, "a list of others" },
    { function() end, "a function" }, { coroutine_of, "a coroutine" }, { io.stdout, "a file" },
    { setmetatable({}, { __index = function() return 5 end }), "a table with a metatable" },
    { audience, "an audience" }, { client, "a client" },
  }

  local accepts

  -- true, false, or nil where the type alone does not tell.
  local function accepts_one(kind, value)
    local of = type(value)
    local element = kind:match("^(.*)%[%]$")
    if kind == "any" then
      return true
    elseif kind == "string" or kind == "boolean" or kind == "nil" then
      return of == kind
    elseif kind == "number" then
      return of == "number" and (value == value and math.abs(value) < math.huge and value >= 0 or nil)
    elseif kind == "integer" then
      return of == "number" and value % 1 == 0 and (value >= 0 and value < 2 ^ 53 or nil)
    elseif kind:find('^"') then
      return value == kind:sub(2, -2)
    elseif kind == "function" or kind:find("^fun%(") then
      return of == "function"
    elseif kind == "file*" then
      return io.type(value) == "file"
    elseif kind == "T" then
      return true
    elseif element and of == "table" and value ~= audience and value ~= client then
      for i, item in pairs(value) do
        if type(i) ~= "number" or i > #value or accepts(element, item) == false then
          return false
        end
      end
      return nil
    elseif element or OBJECTS[kind] == false then
      return false -- an empty table is no store
    elseif OBJECTS[kind] then
      return value == OBJECTS[kind]
    elseif known.aliases[kind] then
      return accepts(table.concat(known.aliases[kind], "|"), value)
    elseif kind == "table" or kind:find("^table<") or kind:find("^{") or known.classes[kind] then
      if value == audience or value == client then
        return kind == "table" and true or nil
      end
      return of == "table" and (value[1] == nil or nil)
    end
    error("a type that is not known: " .. kind)
  end

  function accepts(kind, value)
    local answer = false
    for _, one in ipairs(annotations.alternatives(kind)) do
      local fine = accepts_one(one, value)
      if fine then
        return true
      elseif fine == nil then
        answer = nil
      end
    end
    return answer
  end

  local function good(param)
    if param.optional then
      return nil
    end
    for _, one in ipairs(annotations.alternatives(param.kind)) do
      if OBJECTS[one] or GOOD[one] then
        return OBJECTS[one] or GOOD[one]
      end
    end
    for _, one in ipairs(annotations.alternatives(param.kind)) do
      if one == "string" then
        return "t"
      elseif one == "integer" or one == "number" then
        return 1
      end
    end
  end

  -- All public functions by name: { f =, params =, self = }, and those that are there and are not public.
  local function walk()
    local public, private = {}, {}
    local function method_of(class)
      return function(name, f, self, prefix)
        local info = debug.getinfo(f, "S")
        local at = info.source:gsub("^@", ""):gsub("^.*/lua/scope3/", "lua/scope3/") .. ":" .. info.linedefined
        local about, field = known.functions[at], nil
        for _, one in ipairs(class and known.classes[class] and annotations.fields(known, class) or {}) do
          field = one.name == name and one.signature and one or field
        end
        local entry = {
          f = f, at = at, self = self, params = field and field.signature.params or about and about.params,
          named = about and about.named or {}, annotated = field ~= nil or about ~= nil and about.documented,
        }
        if about and about.private and not field then
          private[prefix .. name] = entry
        else
          public[prefix .. name] = entry
        end
      end
    end
    local CLASSES = { email = "scope3.EmailFunctions", phone = "scope3.PhoneFunctions", uid = "scope3.UidFunctions",
      external_id = "scope3.IdFunctions" }
    local function module(t, prefix, class)
      for name, value in pairs(t) do
        if type(value) == "function" then
          method_of(class)(name, value, nil, prefix)
        elseif type(value) == "table" and getmetatable(value) == nil then
          module(value, prefix .. name .. ".", CLASSES[name])
        end
      end
    end
    scope3.preload()
    module(scope3, "scope3.")
    for class, object in pairs(OBJECTS) do
      local index = object and getmetatable(object).__index
      for name, f in pairs(index or {}) do
        if type(f) == "function" and not name:find("^__") then
          method_of(nil)(name, f, object, class .. ":")
        end
      end
    end
    return public, private
  end

  local public, private = walk()

  local function names(t)
    local list = {}
    for name in pairs(t) do
      list[#list + 1] = name
    end
    table.sort(list)
    return list
  end

  local function fails_here(about, f, args, word, what)
    local ok, message = pcall(invoke, f, args)
    assert.is_false(ok, about .. " is taken")
    message = tostring(message)
    assert.truthy(message:find(("%s:%d: "):format(HERE, LINE), 1, true), about .. " is blamed elsewhere: " .. message)
    local found = false
    for one in (word or ""):gmatch("[^|]+") do
      found = found or message:find(one, 1, true) ~= nil
    end
    assert.is_true(found, about .. " is not named: " .. message)
    assert.truthy(message:find(what .. ": ", 1, true), about .. " does not name the function: " .. message)
    assert.is_nil(message:find("some text", 1, true), about .. " shows its value: " .. message)
  end

  local function arguments(entry)
    local args, first = { n = 0 }, 0
    if entry.self then
      args[1], args.n, first = entry.self, 1, 1
    end
    for i, param in ipairs(entry.params) do
      args[first + i] = good(param)
      args.n = first + i
    end
    return args, first
  end

  local function copy(t)
    local new = {}
    for key, value in pairs(t) do
      new[key] = value
    end
    return new
  end

  -- "client:sync" of "scope3.Client:sync", as messages have it.
  local function spoken(name)
    local class, method = name:match("^scope3%.(%u%w*):([%w_]+)$")
    if class then
      return class:gsub("%u", function(c)
        return "_" .. c:lower()
      end):sub(2) .. ":" .. method
    end
    return (name:gsub("^scope3%.webhook%.", "webhook."))
  end

  it("is of all functions that are reachable, each annotated with every parameter that it has", function()
    for name, entry in pairs(public) do
      assert.is_true(entry.annotated, name .. " has no annotations: " .. entry.at)
      local n = 0
      for i, param in ipairs(entry.params) do
        n = i
        accepts(param.kind, "") -- raises where it is no type that is known
      end
      if entry.named[1] and not entry.at:find("identity/init.lua", 1, true) and name ~= "scope3.assert" then
        assert.equal(#entry.named, n, name .. " has other parameters than its annotations")
      end
    end
    for _, name in ipairs {
      "scope3.client", "scope3.audience", "scope3.csv", "scope3.jsonl", "scope3.email.normalize", "scope3.phone.check",
      "scope3.uid.check", "scope3.external_id.normalize", "scope3.number", "scope3.yes", "scope3.limiter",
      "scope3.assert", "scope3.preload", "scope3.webhook.verify", "scope3.webhook.replay_cache",
      "scope3.webhook.deliveries", "scope3.metrics.prometheus", "scope3.Client:metrics",
      "scope3.Client:sync", "scope3.Client:stream", "scope3.Client:run", "scope3.Client:audiences",
      "scope3.Client:audience", "scope3.Client:task", "scope3.Client:wait", "scope3.Client:syndicate",
      "scope3.Client:syndication_status", "scope3.Client:health", "scope3.Audience:add", "scope3.Audience:remove",
      "scope3.Audience:delete", "scope3.Audience:count", "scope3.Stream:add", "scope3.Stream:remove",
      "scope3.Stream:finish", "scope3.Stream:cancel", "scope3.Result:wait", "scope3.Result:plain",
      "scope3.Result:json", "scope3.Source:next", "scope3.Source:close", "scope3.ReplayCache:full",
      "scope3.ReplayCache:seen", "scope3.Deliveries:add", "scope3.Deliveries:keep", "scope3.Deliveries:forget",
    } do
      assert.truthy(public[name], name .. " was not found")
    end
    -- What is reachable and not for others is little, and known.
    for _, name in ipairs(names(private)) do
      assert.truthy(name:find("^scope3.Limiter:") or name:find("^scope3.Source:") or name == "scope3.webhook.problem"
        or name == "scope3.Client:transport" or name == "scope3.Client:follow",
        name .. " is not public: why is it there?")
    end
  end)

  for _, name in ipairs(names(public)) do
    local entry = public[name]
    local what = spoken(name)

    it(("of %s raises at the caller's line for arguments of other types, and names them"):format(name), function()
      if entry.self then
        for _, value in ipairs(VALUES) do
          local args = arguments(entry)
          args[1], args.n = value[1], math.max(args.n, 1)
          if value[1] ~= entry.self then
            fails_here(("%s on %s"):format(name, value[2]), entry.f, args, "before the colon", what)
          end
        end
      end
      for i, param in ipairs(entry.params) do
        for _, value in ipairs(VALUES) do
          local args, first = arguments(entry)
          args[first + i] = value[1]
          if accepts(param.kind .. (param.optional and "|nil" or ""), value[1]) == false then
            local word = ({ opts = "opts|options", meta = "audience" })[param.name] or param.name
            fails_here(("%s: %s as %s"):format(name, param.name, value[2]), entry.f, args, word, what)
          end
        end
      end
    end)

    for i, param in ipairs(entry.params or {}) do
      for _, class in ipairs(annotations.alternatives(param.kind)) do
        if class:find("^scope3%.%w+Options$") or FIELDS[class] then
          local title = "of %s raises at the caller's line for options of %s of other types, and for unknown ones"
          it(title:format(name, class), function()
            local fields, tried = annotations.fields(known, class), 0
            for _, field in ipairs(fields) do
              for _, value in ipairs(VALUES) do
                local optional = field.optional and "|nil" or ""
                local a_word = field.kind:find '"' and type(value[1]) == "string" -- of some words or others
                if value[1] ~= nil and accepts(field.kind .. optional, value[1]) == false and not a_word then
                  local args, first = arguments(entry)
                  args[first + i] = copy(GOOD[class] or {})
                  args[first + i][field.name], args.n = value[1], math.max(args.n, first + i)
                  fails_here(("%s: %s as %s"):format(name, field.name, value[2]), entry.f, args, field.name, what)
                  tried = tried + 1
                end
              end
            end
            assert.is_true(tried > 0 or #fields == 0)
            for _, wrong in ipairs { "no_such_option", "Deadline", 1, true } do
              local args, first = arguments(entry)
              args[first + i] = copy(GOOD[class] or {})
              args[first + i][wrong], args.n = 5, math.max(args.n, first + i)
              fails_here(("%s: unknown %s"):format(name, tostring(wrong)), entry.f, args, "unknown", what)
            end
          end)
        end
      end
    end
  end

  it("has three exact classes of options, each with what its call takes and no more", function()
    local function of(class)
      local all = {}
      for _, field in ipairs(annotations.fields(known, class)) do
        all[field.name] = true
      end
      return names(all)
    end
    for class, call in pairs {
      ["scope3.SyncOptions"] = function(opts) return client:sync(audience, opts) end,
      ["scope3.StreamOptions"] = function(opts) return client:stream("a", opts) end,
      ["scope3.RunOptions"] = function(opts) return client:run(GOOD["scope3.Script"], "x", opts) end,
      ["scope3.ClientOptions"] = scope3.client, ["scope3.CsvOptions"] = function(opts) return scope3.csv("x", opts) end,
      ["scope3.ClientWaitOptions"] = function(opts) return client:wait(result, opts) end,
      ["scope3.WaitOptions"] = function(opts) return result:wait(opts) end,
      ["scope3.Script"] = function(script) return client:run(script, "x") end,
      ["scope3.WebhookConfig"] = function(config) return scope3.webhook.verify({ headers = {} }, config) end,
      ["scope3.ReadingOptions"] = function(opts) return scope3.audience("a", opts) end,
      ["scope3.SyndicationStatusOptions"] = function(opts) return client:syndication_status(opts) end,
      ["scope3.AudienceMeta"] = function(meta) return scope3.audience(meta) end,
    } do
      local ok, message = pcall(call, { no_such_option = 1 })
      assert.is_false(ok)
      local taken = {}
      for name in message:match("known: ([^)]*)"):gmatch("[%w_]+") do
        taken[#taken + 1] = name
      end
      table.sort(taken)
      assert.same(taken, of(class), class)
    end
  end)
end)

describe("an option that is written otherwise", function()
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9",
  })

  it("is reported with the one that was meant, unless none is like it", function()
    for wrong, meant in pairs {
      onEvent = "on_event", on_evnt = "on_event", dryrun = "dry_run", ["dry-run"] = "dry_run",
      DRY_RUN = "dry_run", max_memebrs = "max_members", timeOut = "timeout",
      concurency = "concurrency", deletemissing = "delete_missing", regoin = "region",
    } do
      local ok, message = pcall(client.stream, client, "a", { [wrong] = true })
      assert.is_false(ok)
      assert.truthy(message:find(("unknown option '%s' (did you mean '%s'? known: "):format(wrong, meant), 1, true),
        message)
    end
    local _, message = pcall(client.stream, client, "a", { colour = true })
    assert.truthy(message:find("unknown option 'colour' (known: ", 1, true), message)
  end)

  it("is not repeated where it is no name", function()
    for _, value in ipairs { "jane@example.com", "+1 206 555 0142", ("ab"):rep(40) } do
      for _, call in ipairs { function() return client:stream("a", { [value] = true }) end,
        function() return scope3.audience { [value] = true } end,
        function() return assert(scope3.audience "a"):add { [value] = true } end } do
        local ok, message = pcall(call)
        assert.is_false(ok)
        assert.is_nil(message:find(value, 1, true), message)
        assert.truthy(message:find("no name", 1, true), message)
      end
    end
  end)

  it("counts where the table that is given inherits it from another", function()
    local behind = setmetatable({}, { __index = { max_members = "x" } })
    local ok, message = pcall(client.stream, client, "a", behind)
    assert.is_false(ok)
    assert.truthy(message:find("max_members must be a whole number, 1 or more, not a string", 1, true), message)
    local audience = assert(scope3.audience "a")
    for i = 1, 3 do
      assert(audience:add { external_id = tostring(i), email = i .. "@example.com" })
    end
    local res = assert(client:sync(audience, setmetatable({ dry_run = true }, { __index = { max_members = 1 } })))
    assert.equal(3, #res.requests)
  end)
end)
