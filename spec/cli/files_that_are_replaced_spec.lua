-- A file of --report, --metrics or init that is there is replaced by a whole one: it keeps its permissions, and where
-- its name is a symbolic link, the file that the link leads to is replaced and the link stays.
local core = require "scope3.core"
local world = require "spec.support.world"

describe("a file that is replaced", function()
  local folder, input

  before_each(function()
    folder = world.path ""
    os.execute("mkdir -p " .. folder .. "/there")
    input = folder .. "/rows.csv"
    world.write(input, "id,mail\nc1,a@example.com\n")
  end)
  after_each(function()
    os.execute("rm -rf " .. folder)
  end)
  teardown(world.clean)

  local function mode_of(path)
    local pipe = assert(io.popen("stat -c %a " .. path))
    local mode = pipe:read "*l"
    pipe:close()
    return mode
  end

  local MAP = { "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }

  local function sync(...)
    local words = { "sync", input, ... }
    for _, word in ipairs(MAP) do
      words[#words + 1] = word
    end
    return world.command(words)
  end

  -- What writes each kind of file, and how what it writes begins.
  local KINDS = {
    { name = "r.txt", begins = "^scope3 sync of a", write = function(path)
      return sync("--dry-run", "--report", path)
    end },
    { name = "r.json", begins = "^{", write = function(path)
      return sync("--dry-run", "--report", path)
    end },
    { name = "m.prom", begins = "^# HELP", write = function(path)
      return sync("--sandbox", "--metrics", path)
    end },
    { name = "s.lua", begins = "^%-%-", write = function(path)
      return world.command { "init", input, "-o", path, "--force" }
    end },
  }

  local function listing(of)
    return table.concat(core.glob(of .. "/*") or {}, "\n")
  end

  for _, kind in ipairs(KINDS) do
    it(kind.name .. " keeps its permissions", function()
      local path = folder .. "/" .. kind.name
      for _, mode in ipairs { "600", "664" } do
        world.write(path, "old")
        os.execute(("chmod %s %s"):format(mode, path))
        local code, _, err = kind.write(path)
        assert.equal(0, code, err)
        assert.truthy(world.read(path):find(kind.begins))
        assert.equal(mode, mode_of(path))
      end
    end)

    it(kind.name .. " is the one that a link leads to, over several links, and the links stay", function()
      local link, target = folder .. "/" .. kind.name, folder .. "/there/of-another-name"
      world.write(target, "old")
      os.execute(("chmod 640 %s; cd %s && ln -s there/second %s && ln -s of-another-name there/second"):format(target,
        folder, kind.name))
      local before = listing(folder .. "/there")
      local code, _, err = kind.write(link)
      assert.equal(0, code, err)
      assert.truthy(world.read(target):find(kind.begins))
      assert.equal("640", mode_of(target))
      assert.equal("there/second", core.link_target(link))
      assert.equal(before, listing(folder .. "/there"))
    end)

    it(kind.name .. " is made where a link leads to nothing yet", function()
      local link, target = folder .. "/" .. kind.name, folder .. "/there/new"
      os.execute(("ln -s %s %s"):format(target, link))
      local code, _, err = kind.write(link)
      assert.equal(0, code, err)
      assert.truthy(world.read(target):find(kind.begins))
      assert.equal(target, core.link_target(link))
    end)

    it(kind.name .. " cannot be written where links lead in a circle", function()
      local link = folder .. "/" .. kind.name
      os.execute(("cd %s && ln -s %s b && ln -s b %s"):format(folder, kind.name, kind.name))
      local before = listing(folder)
      local code, _, err = kind.write(link)
      assert.equal(1, code, err)
      assert.truthy(err:find("cannot write", 1, true), err)
      assert.equal(before, listing(folder))
    end)
  end

  it("is told where it is a device that cannot be opened, such as the terminal of a process without one", function()
    if not core.file_identity "/dev/tty" then
      return pending "there is no /dev/tty here"
    end
    local link = folder .. "/t.lua"
    os.execute("ln -s /dev/tty " .. link)
    local code, _, err = world.command({ "init", input, "-o", link, "--force" }, { before = "setsid -w" })
    assert.equal(1, code)
    assert.truthy(err:find("cannot write " .. link, 1, true), err)
  end)

  it("is not what is no file: a script goes through it", function()
    if not core.file_identity "/dev/null" then
      return pending "there is no /dev/null here"
    end
    os.execute(("ln -s /dev/null %s/s.lua"):format(folder))
    local code, _, err = KINDS[4].write(folder .. "/s.lua")
    assert.equal(0, code, err)
    assert.equal("device", core.file_kind "/dev/null")
    assert.equal("/dev/null", core.link_target(folder .. "/s.lua"))
  end)
end)
