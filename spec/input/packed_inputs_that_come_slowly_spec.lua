-- A gzip that comes through a pipe in parts, with pauses between them, is read like one that lies there whole.
local scope3 = require "scope3"
local socket = require "cqueues.socket"
local world = require "spec.support.world"

local ROWS = 30000

-- A packed file of rows.
local function packed()
  local lines = { "id,mail" }
  for i = 1, ROWS do
    lines[i + 1] = ("%d,p%d@x.example"):format(i, i)
  end
  local path = world.file(table.concat(lines, "\n") .. "\n", ".csv")
  os.execute("gzip -k " .. path)
  return path .. ".gz"
end

-- A named pipe into which a shell writes what the commands print.
local function piped(commands)
  local pipe = world.path ".csv.gz"
  os.execute("mkfifo " .. pipe)
  os.execute(("(%s) >%s &"):format(commands, pipe))
  return pipe
end

describe("a gzip in a pipe", function()
  teardown(world.clean)
  local client = assert(scope3.client {})
  local script = { audience = "a", map = { external_id = "id", email = "mail" } }

  it("is waited for where it pauses", function()
    local path = packed()
    local res = assert(client:run(script, piped(("head -c 5 %s; sleep 0.5; tail -c +6 %s | head -c 100000; sleep 0.5; "
      .. "tail -c +100006 %s"):format(path, path, path)), { dry_run = true }))
    assert.same({ ROWS, ROWS }, { res.rows, res.members })
  end)

  it("that ends early is an error, and what came before it counts", function()
    local res, err = client:run(script, piped(("head -c 90000 %s; sleep 0.3"):format(packed())), { dry_run = true })
    assert.is_nil(res)
    assert.equal("source", err.kind)
    assert.is_true(err.result.rows < ROWS)
  end)
end)

describe("a socket", function()
  teardown(world.clean)

  it("is no input under its name, and the error says how else", function()
    local path = world.path ".sock"
    local listener = socket.listen { path = path }
    listener:listen()
    local res, err = assert(scope3.client {}):run({ audience = "a", map = { external_id = "id", email = "mail" } },
      path, { dry_run = true })
    listener:close()
    assert.is_nil(res)
    assert.truthy(err.message:find("it is a socket or a device", 1, true), err.message)
  end)
end)
