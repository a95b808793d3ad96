-- A message about wrong usage names the next step.
-- What the command was told to write is written, or reported as not written.
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

describe("the command", function()
  local input

  setup(function()
    input = world.file("id,mail\n1,a@x.org\n2,nobody\n", ".csv")
  end)

  teardown(world.clean)

  local function sync(...)
    return world.command { "sync", input, "--account", "25", "--audience", "a", ... }
  end

  it("names the help of the command that was used wrongly, and lists the commands where there is none", function()
    for _, case in ipairs {
      { "wait" }, { "task" }, { "sync", input, "--concurency", "2" }, { "hash", "phone", "1", "--no-repair" },
      { "run" }, { "audiences", "--rate", "x" }, { "doctor", "extra" },
    } do
      local code, out, err = world.command(case)
      assert.same({ 2, "" }, { code, out })
      assert.truthy(err:find(("\nTry 'scope3 %s --help'.\n"):format(case[1]), 1, true), err)
      assert.falsy(err:find("Usage:", 1, true), err)
    end
    for _, case in ipairs { {}, { "snyc" }, { "--nosuch" } } do
      local code, _, err = world.command(case)
      assert.equal(2, code)
      assert.truthy(err:find("Usage: scope3 [-h] [-V] <command> ...\nTry 'scope3 --help'.\n", 1, true), err)
    end
  end)

  it("shows in a command's help no option that the command refuses", function()
    for _, name in ipairs { "wait", "task" } do
      local code, out = world.command { name, "--help" }
      assert.same({ 0, nil }, { code, (out:find("sandbox", 1, true)) })
      local _, _, err = world.command { name, "t1", "--sandbox" }
      assert.truthy(err:find("--sandbox has no effect on " .. name, 1, true), err)
    end
    assert.truthy(select(2, world.command { "sync", "--help" }):find("--sandbox ", 1, true))
  end)

  it("says where the key is to stand, and what needs none", function()
    local code, _, err = sync("--map", "external_id=id", "--map", "email=mail")
    assert.equal(1, code)
    assert.truthy(err:find(
      "the command takes the key from SCOPE3_API_KEY, --api-key-file, --api-key-command or a profile", 1, true), err)
    code, _, err = sync("--map", "external_id=id", "--map", "email=mail", "--dry-run")
    assert.same({ 0, "" }, { code, err })
  end)

  it("says which word is missing or in the wrong place, as a wrong usage", function()
    local map = { "--account", "25", "--map", "external_id=id", "--map", "email=mail", "--dry-run" }
    local script = world.file("return { map = { external_id = 'id', email = 'mail' } }", ".lua")
    local code, _, err = world.command { "sync", input, unpack(map) }
    assert.equal(2, code)
    assert.truthy(err:find("--audience is missing: the id of the audience", 1, true), err)
    code, _, err = world.command { "run", script, input, "--dry-run" }
    assert.equal(2, code)
    assert.truthy(err:find("--audience is missing: the script names no audience", 1, true), err)
    for _, words in ipairs {
      { "--wait", input }, { "--wait", "soon", input }, { "--wait=soon", input }, { "--wait=", input },
    } do
      local said
      code, said, err = world.command {
        "sync", "--audience", "a", "--map", "external_id=id", "--map", "email=mail", unpack(words),
      }
      assert.equal("", said)
      assert.equal(2, code)
      assert.truthy(err:find("--wait takes a number of seconds, not '", 1, true), err)
    end
    code, _, err = world.command({ "sync", input, "--audience", "a", "--map", "external_id=id", "--map", "email=mail" },
      { env = "SCOPE3_API_KEY=scope3_x" })
    assert.equal(1, code)
    assert.truthy(err:find("the command takes the account from --account, SCOPE3_ACCOUNT_ID or a profile", 1, true),
      err)
    code, _, err = world.command {
      "sync", input, "--sandbox", "--audience", "a", "--map",
      "external_id=id", "--map", "email=mail", "--wait", "--quiet",
    }
    assert.same({ 0, "" }, { code, err })
  end)

  it("says which ports the sandbox may have", function()
    for _, port in ipairs { "99999", "-1", "1.5", "65536" } do
      local code, _, err = world.command { "sandbox", "--port=" .. port, "--until-eof" }
      assert.equal(2, code)
      assert.truthy(err:find("scope3: --port takes a whole number from 0, for a free one, to 65535\n", 1, true), err)
    end
  end)

  it("parts the field from what is wrong with its column, also where that is the only problem", function()
    local code, _, err = sync("--map", "external_id=key", "--map", "email=mail", "--dry-run")
    assert.equal(1, code)
    assert.truthy(err:find(": external_id: there is no column 'key'; the columns are: id, mail", 1, true), err)
  end)

  it("fails where --rejects could not be written whole", function()
    if not world.exists "/dev/full" then
      return pending("this system has no /dev/full")
    end
    for _, more in ipairs { "--quiet", "--json" } do
      local code, _, err = sync("--map", "external_id=id", "--map", "email=mail", "--dry-run", "--rejects",
        "/dev/full", more)
      assert.equal(1, code)
      assert.truthy(err:find("cannot write all of /dev/full: ", 1, true), err)
    end
  end)
end)
