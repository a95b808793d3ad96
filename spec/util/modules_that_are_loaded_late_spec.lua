-- A program reads the files of those parts of the library that it uses, and scope3.preload() reads all of them.
-- A call whose part cannot be read is an error, and nothing was sent.
local world = require "spec.support.world"

-- What a program of its own prints, line by line.
local function run(program, before)
  local out = world.path(".out")
  os.execute(("%s %s %s >%s 2>&1"):format(before or "", os.getenv "SCOPE3_LUA_BIN", world.file(program, ".lua"), out))
  local lines = {}
  for line in world.read(out):gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  return lines
end

local PARTS = { "scope3.client.run", "scope3.job.stream", "scope3.job.prune", "scope3.input.source",
  "scope3.job.journal" }

local SHOW = ([[
  local function show()
    for name in ("%s"):gmatch "%%S+" do print(name, package.loaded[name] ~= nil) end
  end
]]):format(table.concat(PARTS, " "))

local CLIENT = [[
  local scope3 = require "scope3"
  local client = assert(scope3.client {
    api_key = "scope3_test_key", account_id = "25", base_url = "http://127.0.0.1:9",
  })
  local audience = scope3.audience "a"
  audience:add { external_id = "1", email = "a@example.com" }
]]

local function all(state)
  local lines = {}
  for i, name in ipairs(PARTS) do
    lines[i] = name .. "\t" .. state
  end
  return lines
end

describe("a part of the library", function()
  teardown(world.clean)

  it("that a program does not use is not read", function()
    assert.same(all "false", run(SHOW .. CLIENT .. "client:sync(audience, { patience = 0 }) show()"))
  end)

  it("is read by scope3.preload(), whatever the program uses", function()
    assert.same(all "true", run(SHOW .. CLIENT .. "scope3.preload() show()"))
  end)

  it("that cannot be read makes its call an error, which is over once it can", function()
    local lines = run(CLIENT .. [[
      client:sync(audience, { patience = 0 }) -- reads what each call needs
      local held = {}
      repeat
        local file = io.open "/dev/null"
        held[#held + 1] = file
      until not file
      local function told(ok, err)
        print(ok == nil and err.kind, err.code, err.retryable, err.message:find("no descriptors left", 1, true) ~= nil)
      end
      told(client:run({ map = { external_id = "id", email = "email" }, audience = "a" }, function() end))
      told(client:stream "a")
      told(client:sync(audience, { delete_missing = "all", patience = 0 }))
      told(client:forget { "1" })
      for _, file in ipairs(held) do file:close() end
      print(io.type(client:stream("a")) == nil, (client:run({ map = { external_id = "id", email = "email" },
        audience = "a" }, function() end, { dry_run = true })) ~= nil)
    ]], "ulimit -n 64;")
    local failed = "network\tNOT_STARTED\ttrue\ttrue"
    assert.same({ failed, failed, failed, failed, "true\ttrue" }, lines)
  end)

  it("that cannot be read makes scope3.preload() raise, and is read by a later one", function()
    local lines = run(SHOW .. [[
      local scope3 = require "scope3"
      package.preload["scope3.job.stream"] = function() error("no descriptors left", 0) end
      local ok, err = pcall(scope3.preload)
      print(ok, tostring(err):find("no descriptors left", 1, true) ~= nil)
      package.preload["scope3.job.stream"] = nil
      scope3.preload()
      show()
    ]])
    assert.equal("false\ttrue", table.remove(lines, 1))
    assert.same(all "true", lines)
  end)
end)
