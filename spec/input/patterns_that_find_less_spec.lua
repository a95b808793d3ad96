-- A pattern finds every file, or the error says why it could not be followed.
local core = require "scope3.core"
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("a pattern", function()
  teardown(world.clean)

  it("finds more than a hundred thousand files", world.thorough and function()
    local folder = world.path(".d")
    assert(os.execute(("mkdir %s && cd %s && seq 100010 | xargs touch"):format(folder, folder)))
    local found = core.glob(folder .. "/*")
    assert(os.execute("rm -r " .. folder))
    assert.equal(100010, #found)
  end or nil)

  it("that cannot be followed says why, and is not called one without a match", function()
    local link = world.path(".loop")
    assert(os.execute(("ln -s %s %s"):format(link, link)))
    for pattern, why in pairs {
      [link .. "/*.csv"] = "symbolic links", ["/tmp/" .. ("x"):rep(300) .. "/*.csv"] = "too long",
    } do
      local res, err = assert(scope3.client {}):run({ map = { external_id = "id", email = "mail" }, audience = "a" },
        pattern, { dry_run = true })
      assert.is_nil(res)
      assert.truthy(err.message:find("could not be listed", 1, true) and err.message:find(why, 1, true), err.message)
    end
    local _, err = assert(scope3.client {}):run({ map = { external_id = "id", email = "mail" }, audience = "a" },
      "/tmp/nowhere/*.csv", { dry_run = true })
    assert.truthy(err.message:find("no file matches the pattern", 1, true), err.message)
  end)
end)
