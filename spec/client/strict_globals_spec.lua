-- The library reads no undeclared global, so it works under strict.lua and in nmap.
local world = require "spec.support.world"

describe("where reading an undeclared global raises", function()
  teardown(world.clean)

  -- Every module of the tree that is not nginx's alone, the command, and a job from start to end.
  local PROGRAM = [[
    local declared = {}
    for name in pairs(_G) do
      declared[name] = true
    end
    local function ours() -- what libraries do that others wrote is their affair
      return debug.getinfo(3, "S").source:find("/lua/scope3/", 1, true)
    end
    setmetatable(_G, {
      __index = function(_, name)
        if not declared[name] and ours() then
          error("variable '" .. tostring(name) .. "' is not declared", 2)
        end
      end,
      __newindex = function(globals, name, value)
        if ours() then
          error("assign to undeclared variable '" .. tostring(name) .. "'", 2)
        end
        rawset(globals, name, value)
      end,
    })
    for i = 2, #arg do
      require(arg[i])
    end
    local scope3 = require "scope3"
    local path = arg[1]
    local res = assert(assert(scope3.client { account_id = "25" }):run({ audience = "a", map = { external_id = "id", email = "mail" } }, path,
      { dry_run = true }))
    assert(res.would_send == 1)
    local main = require("scope3.cli").main
    assert(main { "sync", path, "--sandbox", "--account", "25", "--audience", "a", "--map", "external_id=id", "--map", "email=mail", "--wait", "--quiet" } == 0)
    assert(main { "hash", "email", "a@example.com" } == 0)
    main { "doctor", "--sandbox", "--account", "25" }
    io.write "fine"]]

  it("every module can be required, and the command works", function()
    local pipe = assert(io.popen "cd lua && find scope3 -name '*.lua' | sort")
    local modules = {}
    for path in pipe:lines() do
      local name = path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
      if not name:find "nginx" and not name:find "tarantool" then -- which need what their host has
        modules[#modules + 1] = name
      end
    end
    pipe:close()
    assert.is_true(#modules > 50)
    local out = world.path ".out"
    os.execute(("%s %s %s %s >%s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN" or "lua", world.file(PROGRAM, ".lua"),
      world.file("id,mail\n1,a@example.com\n", ".csv"), table.concat(modules, " "), out))
    assert.equal("fine", world.read(out):match "fine$", world.read(out))
  end)
end)
