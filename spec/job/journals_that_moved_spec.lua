-- A journal whose file was moved, replaced or changed stops the job before the next request.
-- Nothing is sent that would not be noted.
local core = require "scope3.core"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local SCRIPT = { audience = "a", map = { external_id = "id", email = "email" } }

local function write(path, text, mode)
  local file = assert(io.open(path, mode or "wb"))
  file:write(text)
  file:close()
end

describe("the file of a journal", function()
  local sandbox = world.around(setup, teardown, before_each)
  local client, file, path
  before_each(function()
    sandbox:configure { clock = "manual", task_seconds = 1 }
    client = sandbox:client { loop = virtual.loop(sandbox.url) }
    local lines = { "id,email" }
    for i = 1, 8 do
      lines[#lines + 1] = ("u%d,u%d@example.com"):format(i, i)
    end
    file, path = world.file(table.concat(lines, "\n")), world.path ".journal"
  end)

  -- Runs the job, and does something to the journal when the first request was accepted.
  local function run(change)
    local done
    return client:run(SCRIPT, file, { journal = path, max_members = 2, on_event = function(event)
      if event.event == "accepted" and not done then
        done = true
        change()
      end
    end })
  end

  it("that is moved, removed, replaced, emptied or written to during a job stops it before the next request", function()
    local moved = world.path ".moved"
    for name, change in pairs {
      moved = function() os.rename(path, moved) end,
      removed = function() os.remove(path) end,
      replaced = function()
        os.rename(path, moved)
        write(path, "")
      end,
      copied = function() -- as an editor saves a file
        local text = world.read(path)
        os.remove(path)
        write(path, text)
      end,
      emptied = function() write(path, "") end,
      ["written to"] = function() write(path, "a line\n", "ab") end,
    } do
      sandbox:reset()
      os.remove(path)
      local res, err = run(change)
      assert.is_nil(res, name)
      assert.equal("journal", err.kind, name)
      assert.is_true(err.code == "moved" or err.code == "changed", name)
      assert.same({ 2, err.result.members - 2 }, { err.result.accepted, err.result.failed }, name)
      assert.equal(1, #sandbox:requests "sync", name)
      world.assert_sums(err.result)
    end
  end)

  it("that was moved away goes on where it was left, when it is brought back", function()
    local moved = world.path ".moved"
    assert.is_nil((run(function()
      os.rename(path, moved)
    end)))
    os.rename(moved, path)
    local res = assert(client:run(SCRIPT, file, { journal = path, max_members = 2 }))
    assert.same({ 8, 2, 0, 4 }, { res.accepted, res.resumed, res.possibly_twice, #sandbox:requests "sync" })
    assert(res:wait())
    assert.equal(8, #sandbox:ids "a")
  end)

  it("is found again when the host has changed its folder", function()
    local folder = path:match "^(.*)/[^/]+$"
    local before = world.read "/proc/self/cwd/README.md"
    assert.truthy(folder and before)
    local handle = assert(core.append_file(path))
    assert(handle:append "x\n")
    os.rename(path, path .. ".moved")
    local ok, message, code = handle:append "y\n"
    assert.same({ nil, "moved" }, { ok, code })
    assert.is_string(message)
    os.rename(path .. ".moved", path)
    assert(handle:append "y\n")
    handle:close()
    assert.equal("x\ny\n", world.read(path))
  end)

  it("that another run went on with is left to that run", function()
    local res = assert(client:run(SCRIPT, file, { journal = path, max_members = 2 }))
    local other = assert(client:run(SCRIPT, file, { journal = path, max_members = 2 }))
    assert(other:wait())
    local waited, err = res:wait()
    assert.same({ nil, "journal", "another_run" }, { waited, err.kind, err.code })
    assert.equal(4, #sandbox:requests "sync")
    assert.equal(8, assert(client:run(SCRIPT, file, { journal = path, max_members = 2 })).resumed)
  end)

  it("has to be a regular file, and is not waited for", function()
    local pipe = world.path ".pipe"
    os.execute("mkfifo " .. pipe)
    for _, name in ipairs { pipe, "/dev/null", "/tmp" } do
      local res, err = client:run(SCRIPT, file, { journal = name })
      assert.same({ nil, "journal" }, { res, err and err.kind }, name)
    end
    assert.equal(0, #sandbox:requests "sync")
  end)
end)
