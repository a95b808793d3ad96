-- What the core makes of values that few inputs have: one row each, and what becomes of it.
local core = require "scope3.core"
local scope3 = require "scope3"
local reason_of = require "spec.support.reason_of"
local world = require "spec.support.world"

local identity = require "scope3.identity"

describe("the core", function()
  teardown(world.clean)
  local client = assert(scope3.client {})

  local function dry(text, map, opts)
    local all = { dry_run = true }
    for key, value in pairs(opts or {}) do
      all[key] = value
    end
    return client:run({ audience = "a", map = map }, world.file(text, ".csv"), all)
  end

  it("writes zero without a fraction and without its sign", function()
    assert.same({ "0", "0", "-1.5" },
      { core.json_scalar(0.0), core.json_scalar(-0.0), core.json_scalar(-1.5) })
  end)

  it("refuses as an id what the row has as a second email or phone", function()
    local map = { external_id = "id", email = { "mail", "other" }, phone = { "phone", "mobile" } }
    for id, reason in pairs {
      ["b@x.org"] = "id_email", ["206 555 0142"] = "id_phone", ["2065550142"] = "id_phone", ["4711"] = "",
    } do
      local res = assert(dry(("id,mail,other,phone,mobile\n%s,a@x.org,b@x.org,(206) 555-0199,206 555 0142\n")
        :format(id), map, { region = "US" }))
      assert.same(reason == "" and {} or { [reason] = 1 }, res.rejected, id)
    end
  end)

  it("takes the ids of a second column where the first has none that can be used", function()
    local res = assert(dry("a,b,mail,other\nnull,1,x@x.org,y@x.org\n2,,nobody,y@x.org\n",
      { external_id = { "a", "b" }, email = { "mail", "other" } }))
    assert.same({ 2, {} }, { res.members, res.rejected })
  end)

  it("tells a universal id by its type and its value, in any bytes", function()
    local builder = core.builder { max_member = 10000 }
    local payload = core.payload { max_members = 10, max_bytes = 10000 }
    for _, case in ipairs {
      { "\255\254", "x1", "uid_utf8" }, { "maid", "x\255", "uid_utf8" }, { "maid", "\226\128\139", "uid_value" },
      { "maid", "''", "uid_placeholder" }, { "\226\128\139", "x1", "uid_type" },
    } do
      local added, reason = builder:add(payload, { external_id = "1", uids = { { type = case[1], value = case[2] } } })
      assert.is_falsy(added)
      assert.equal("no_identifier", reason)
      local dropped = builder:counts().dropped
      assert.is_true((dropped[case[3]] or 0) > 0, case[3])
    end
  end)

  it("refuses emails that are none, in a list or in a link", function()
    for _, value in ipairs { "null; nobody", ";", "<a href='mailto:a@x.org'" } do
      local why = reason_of(identity.email.normalize(value))
      assert.equal("string", type(why), value)
      assert.truthy(why:find "^email_", value)
    end
  end)
end)
