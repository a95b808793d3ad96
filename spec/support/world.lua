-- What specs share:
-- a real sandbox in a process of its own, calls to its control plane, clients of it, and temporary files.
local core = require "scope3.core"
local curl = require "scope3.engine"
local json = require "scope3.sandbox.json"
local scope3 = require "scope3"
local ports = require "spec.support.ports"
local quote = require "spec.support.quote"
local traces = require "spec.support.traces"
local child = require "scope3.sandbox.child"

local world = { json = json }

--- How much of the long specs is to run (spec/run.sh):
--- nothing for a part, which is enough for one Lua more; "1" for most; "all" where somebody asked.
world.thorough = os.getenv "SCOPE3_THOROUGH" ~= "" and os.getenv "SCOPE3_THOROUGH" or nil
world.in_full = world.thorough == "all"

--- One HTTP request through an engine of its own: the result of engine:result().
function world.http(method, url, body, options)
  options = options or {}
  local engine = assert(curl.engine { ca_file = options.ca_file, connect_timeout = 10 })
  assert(engine:submit {
    method = method, url = url, body = body, headers = options.headers or {}, timeout = options.timeout or 60,
  })
  while not engine:step() do
    engine:wait(0.2)
  end
  local result = engine:result()
  engine:close()
  return result
end

--- The result of an engine's next transfer.
function world.next_result(engine)
  local deadline = core.now() + 60
  while not engine:step() do
    assert(core.now() < deadline, "no result within a minute")
    engine:wait(0.2)
  end
  return engine:result()
end

local Sandbox = {}
Sandbox.__index = Sandbox

local function start(self, settings)
  local opts = { interpreter = os.getenv("SCOPE3_LUA_BIN") }
  for key, value in pairs(settings or {}) do
    opts[key] = value
  end
  self.child = ports.server(function()
    return assert(child.start(opts))
  end)
  self.url, self.port = self.child.url, self.child.port
  return self
end

--- Starts a sandbox; whoever does must close it.
function world.sandbox(settings)
  return start(setmetatable({}, Sandbox), settings)
end

--- One sandbox for all specs of a describe, emptied before each: world.around(setup, teardown, before_each).
function world.around(setup, teardown, before_each, settings)
  local self = setmetatable({}, Sandbox)
  setup(function()
    start(self, settings)
  end)
  teardown(function()
    self:close()
    world.clean()
  end)
  before_each(function()
    self:reset()
  end)
  return self
end

function Sandbox:close()
  assert(self.child:close()) -- an error within it fails the specs that talked to it
end

function Sandbox:control(method, path, value)
  local result = world.http(method, self.url .. "/sandbox/" .. path, value and json.encode(value))
  assert(result.status == 200, result.body or result.message)
  return json.decode(result.body)
end

function Sandbox:configure(settings)
  return self:control("PUT", "config", settings)
end

function Sandbox:fault(rule)
  return self:configure { faults = json.array { rule } }
end

function Sandbox:reset()
  self:control("POST", "reset", {})
end

function Sandbox:requests(kind)
  local found = {}
  for _, request in ipairs(self:control("GET", "requests").requests) do
    if not kind or request.kind == kind then
      found[#found + 1] = request
    end
  end
  return found
end

function Sandbox:members(audience, account)
  return self:control("GET", ("members?account=%s&audience=%s"):format(account or "25", audience)).members
end

function Sandbox:ids(audience, account)
  return self:control("GET", ("members?account=%s&audience=%s&ids=1"):format(account or "25", audience)).ids
end

--- A client of it that is not slowed down.
function Sandbox:client(opts)
  local all = { api_key = "scope3_test_key", account_id = "25", base_url = self.url, rate = 100000 }
  for key, value in pairs(opts or {}) do
    all[key] = value
  end
  return assert(scope3.client(all))
end

local files = {}

--- A temporary file with that text; world.clean() removes it.
function world.file(text, suffix)
  local base = os.tmpname()
  os.remove(base)
  local name = base .. (suffix or "")
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
  files[#files + 1] = name
  return name
end

--- A name for a temporary file that does not exist.
function world.path(suffix)
  local name = os.tmpname()
  os.remove(name)
  name = name .. (suffix or "")
  files[#files + 1] = name
  return name
end

--- Has world.clean() remove a file that something else makes.
function world.forget(name)
  files[#files + 1] = name
end

function world.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

function world.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

function world.exists(path)
  local file = io.open(path, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

function world.clean()
  for _, name in ipairs(files) do
    if name:find "%.journal$" then
      traces.keep_file("journals", name)
    end
    os.remove(name)
  end
  files = {}
end

-- What is left to remove by files of specs that never do.
if package.loaded.busted then
  package.loaded.busted.subscribe({ "suite", "end" }, world.clean)
end

--- Runs the command of this tree on the Lua that runs the specs: exit code, what it printed, what it complained.
function world.command(args, options)
  options = options or {}
  local out, err = world.path(".out"), world.path(".err")
  local words = { quote(os.getenv("SCOPE3_LUA_BIN") or "lua"), "bin/scope3.in" }
  for _, word in ipairs(args) do
    words[#words + 1] = quote(word)
  end
  local environment = "SCOPE3_API_KEY= SCOPE3_ACCOUNT_ID= SCOPE3_BASE_URL= " .. (options.env or "")
  local code_file = world.path(".code")
  os.execute(("%s %s %s >%s 2>%s; echo $? >%s"):format(environment, options.before or "", table.concat(words, " ")
    .. (options.stdin and " <" .. quote(options.stdin) or " </dev/null"), quote(out), quote(err), quote(code_file)))
  local printed, complained = world.read(out), world.read(err)
  -- hash is there to show values, and the help has examples of it
  if args[1] ~= "hash" and not printed:find("Usage:", 1, true) then
    -- what prepare prints are hashes
    traces.keep("commands", table.concat({ args[1] == "prepare" and "" or printed, complained }, "\n"))
  end
  return tonumber(world.read(code_file)), printed, complained
end

--- The two sums that hold in every result.
function world.assert_sums(res)
  traces.keep("results", res.json and res:json() or json.encode(res)) -- of the command, it was read from JSON
  local function total(counts)
    local sum = 0
    for _, n in pairs(counts) do
      sum = sum + n
    end
    return sum
  end
  local used = res.rows - res.skipped - total(res.rejected)
  assert(used >= 0, "rows = skipped + rejected + rows that gave members")
  local rest = res.accepted + res.replaced + res.rejected_by_service + res.failed + res.unknown + (res.would_send or 0)
  assert(res.members == rest, ("members built %d, accounted for %d"):format(res.members, rest))
  return used
end

return world
