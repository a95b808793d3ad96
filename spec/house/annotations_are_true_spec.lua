-- What annotations promise is what there is:
-- of a result, its requests, rejections and events every field is declared, and editors find each class once.
local annotations = require "spec.support.annotations"
local scope3 = require "scope3"
local world = require "spec.support.world"

local function read()
  local paths = {}
  local pipe = assert(io.popen "find lua/scope3 -name '*.lua' | sort")
  for path in pipe:lines() do
    paths[#paths + 1] = path
  end
  pipe:close()
  return annotations.read(paths)
end

describe("an annotation", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local known = read()

  local MAP = { external_id = "id", email = "mail", phone = "phone" }
  local CSV = "id,mail,phone,ok\n1,a@example.com,,yes\n2,nobody,+12065550142,yes\n"
    .. ",c@example.com,,yes\n4,d@example.com,,no\n"

  -- Fails where a table has a field that its class does not declare, or lacks one that it does, at any depth.
  local function check(class, value, where)
    local declared = {}
    for _, field in ipairs(annotations.fields(known, class)) do
      declared[field.name] = field
      assert.is_true(field.optional or value[field.name] ~= nil, ("%s lacks %s of %s"):format(where, field.name, class))
    end
    for key, item in pairs(value) do
      local field = declared[key]
      assert.truthy(field or known.classes[class].open,
        ("%s has %s, which %s has not"):format(where, tostring(key), class))
      field = field or { kind = "any" }
      local kind, element = field.kind:match "^(scope3%.%w+)$", field.kind:match "^(scope3%.%w+)%[%]$"
      if kind and known.classes[kind] and type(item) == "table" then
        check(kind, item, where .. "." .. key)
      elseif element then
        for i, entry in ipairs(item) do
          check(element, entry, ("%s.%s[%d]"):format(where, key, i))
        end
      elseif field.kind == "integer" or field.kind == "number" then
        assert.equal("number", type(item), where .. "." .. key)
      elseif field.kind == "string" or field.kind == "boolean" then
        assert.equal(field.kind, type(item), where .. "." .. key)
      end
    end
  end

  -- The class of an event, by its name.
  local function class_of(event)
    for _, name in ipairs(known.aliases["scope3.Event"]) do
      for _, field in ipairs(known.classes[name] and known.classes[name].fields or {}) do
        if field.name == "event" and field.kind == '"' .. event .. '"' then
          return name
        end
      end
    end
    error("no class of the event " .. event)
  end

  it("of an event has a class for each name, and a name for each class", function()
    local names, classes = known.aliases["scope3.EventName"], known.aliases["scope3.Event"]
    assert.equal(#names, #classes)
    for _, name in ipairs(names) do
      class_of(name:sub(2, -2))
    end
  end)

  it("of a class stands in one place, and each class that is named is there", function()
    local n = 0
    local function look(kind, where)
      for name in kind:gmatch "scope3%.%u%w*" do
        n = n + 1
        assert.truthy(known.classes[name] or known.aliases[name], where .. " names " .. name)
      end
    end
    for name, class in pairs(known.classes) do
      local places = 0
      for _ in pairs(class.places) do
        places = places + 1
      end
      assert.is_true(places <= 1, name .. " is declared twice")
      for _, field in ipairs(class.fields) do
        look(field.kind, name .. "." .. field.name)
      end
      for _, parent in ipairs(class.parents) do
        look(parent, name)
      end
    end
    for at, about in pairs(known.functions) do
      for _, param in ipairs(about.params) do
        look(param.kind, at)
      end
    end
    assert.is_true(n > 100, n)
  end)

  it("of a result, its requests, tasks, rejections and events has every field that there is", function()
    local client = sandbox:client()
    local events, rejections = {}, {}
    local script = { audience = { id = "a", name = "A" }, map = MAP, where = { ok = "yes" } }
    local res = assert(client:run(script, world.file(CSV), {
      max_members = 1, on_event = function(event)
        events[#events + 1] = event
      end, on_reject = function(rejection)
        rejections[#rejections + 1] = rejection
      end,
    }))
    assert(res:wait())
    check("scope3.Result", res:plain(), "the result")
    assert.is_true(#res.requests == 2 and #res.tasks == 2 and #res.conditions == 1 and #rejections == 2)
    for _, rejection in ipairs(rejections) do
      check("scope3.Rejection", rejection, "a rejection")
    end
    assert.is_true(#events > 3)
    for _, event in ipairs(events) do
      check(class_of(event.event), event, "the event " .. event.event)
    end
    local dry = assert(client:run({ audience = "a", map = MAP }, world.file(CSV),
      { dry_run = true, delete_missing = "all" }))
    check("scope3.Result", dry:plain(), "the result of a dry run")
  end)

  it("of an error has every field that there is, whatever failed", function()
    local client = sandbox:client()
    local failures = {
      function()
        return client:run({ audience = "a", map = { external_id = "nope", email = "mail" } }, world.file(CSV))
      end,
      function() return client:run({ audience = "a", map = MAP }, "none.csv") end,
      function() return client:audience "none" end, function() return client:task "none" end,
      function() return scope3.client { base_url = "ftp://x", api_key = "a b" } end,
      function() return scope3.email.hash "x" end,
      function() return assert(scope3.csv(world.file "a,b\n1\n")):next() end,
      function()
        sandbox:fault { on = "sync", act = "status", status = 401, times = -1 }
        return client:run({ audience = "a", map = MAP }, world.file(CSV))
      end,
    }
    for i, fail in ipairs(failures) do
      local none, err = fail()
      assert.is_nil(none)
      check("scope3.Error", (function()
        local plain = {}
        for key, value in pairs(err) do
          plain[key] = key ~= "result" and value or nil
        end
        return plain
      end)(), "failure " .. i)
      if err.result then
        check("scope3.Result", err.result:plain(), "the result of failure " .. i)
      end
    end
  end)
end)
