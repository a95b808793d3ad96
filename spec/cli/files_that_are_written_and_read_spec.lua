-- The command writes no file that it reads, and no file twice.
-- What --rejects cannot write is reported, and the exit code is 1.
local core = require "scope3.core"
local world = require "spec.support.world"

local ROWS = "id,mail\n1,a@x.example\n2,none\n"

describe("a file that the command writes", function()
  world.around(setup, teardown, before_each, { task_seconds = 0 })

  local function content(path)
    local file = assert(io.open(path, "rb"))
    local all = file:read "*a"
    file:close()
    return all
  end

  local function run(...)
    local args = { "sync", "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }
    for _, word in ipairs { ... } do
      args[#args + 1] = word
    end
    return world.command(args,
      { env = "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=http://127.0.0.1:1" })
  end

  it("is not one that it reads, by any name, nor another that it writes: that is a wrong usage", function()
    local path, link, hard = world.file(ROWS, ".csv"), world.path(".csv"), world.path(".csv")
    os.execute(("ln -s %s %s && ln %s %s"):format(path, link, path, hard))
    local script = world.file('return { audience = "a", map = { external_id = "id", email = "mail" } }', ".lua")
    local before = content(script)
    for _, name in ipairs { path, link, hard, (path:gsub("/([^/]+)$", "/./%1")) } do
      assert.equal(2, (run(path, "--dry-run", "--rejects", name)))
      assert.equal(2, (run(path, "--journal", name)))
      assert.equal(2, (run(path, "--limiter", name)))
    end
    assert.equal(2, (run(path, hard, "--dry-run", "--rejects", path)))
    assert.equal(2, (world.command { "run", script, path, "--dry-run", "--rejects", script }))
    local new = world.path(".new")
    assert.equal(2, (run(path, "--journal", new, "--rejects", new)))
    assert.is_nil(core.file_identity(new))
    assert.same({ ROWS, before }, { content(path), content(script) })
    assert.equal(0, (run(path, "--dry-run", "--rejects", new)))
    assert.equal("row,line,column,outcome,reason\n2,3,mail,dropped,email_placeholder\n2,3,,rejected,no_identifier\n",
      content(new))
  end)

  it("and that is full says what became of the members, with --quiet too", function()
    if not core.file_identity("/dev/full") then
      return pending("there is no /dev/full here")
    end
    for _, option in ipairs { "--rejects", "--events" } do
      local code, out, err = run(world.file(ROWS, ".csv"), "--account", "25", "--sandbox", "--quiet", option,
        "/dev/full")
      assert.same({ 1, "" }, { code, out })
      assert.truthy(err:find("; the job went on without it: accepted 1 member\n", 1, true), err)
    end
  end)

  it("and that cannot be written is said, and the code is 1", function()
    if not core.file_identity("/dev/full") then
      return pending("there is no /dev/full here")
    end
    local code, _, err = run(world.file(ROWS, ".csv"), "--dry-run", "--rejects", "/dev/full")
    assert.equal(1, code)
    local full = "cannot write all of /dev/full: No space left on device"
    assert.truthy(err:find(full .. "; the job went on without it: would send ", 1, true), err)
    -- A wrong usage stays one.
    code, _, err = run(world.file(ROWS, ".csv"), "--dry-run", "--consent-basis", "none", "--rejects", "/dev/full")
    assert.equal(2, code)
    assert.truthy(err:find("cannot write all of /dev/full", 1, true))
  end)
end)

describe("an audience that is not given, and a region that is none,", function()
  it("are a wrong usage of the command", function()
    local path = world.file(ROWS, ".csv")
    local map = { "--dry-run", "--map", "external_id=id", "--map", "email=mail" }
    for _, words in ipairs { {}, { "--audience", "" }, { "--audience", "a", "--region", "XX" } } do
      local args = { "sync", path }
      for _, list in ipairs { map, words } do
        for _, word in ipairs(list) do
          args[#args + 1] = word
        end
      end
      assert.equal(2, (world.command(args)), table.concat(words, " "))
    end
  end)
end)
