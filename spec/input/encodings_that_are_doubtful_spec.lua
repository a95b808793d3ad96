-- A file said to be of one byte a character, and whose characters are all UTF-8, is warned of with their number.
local scope3 = require "scope3"
local world = require "spec.support.world"

local SCRIPT = { audience = "a", map = { external_id = "id", email = "mail" } }

describe("a file that is read as windows-1252", function()
  teardown(world.clean)

  it("is doubtful where each of its characters would be one of UTF-8", function()
    for text, characters in pairs {
      ["\195\169"] = 1, ["\195\169\195\168x\195\160"] = 3, ["\226\130\172"] = 1, ["\240\159\152\128"] = 1,
      ["\195\169\195"] = false, ["\195\169\226\130"] = false, ["\195x"] = false, ["\169"] = false, x = false,
    } do
      local file = world.file("id,mail,note\n1,a@example.com," .. text)
      local res = assert(scope3.client({}):run(SCRIPT, file, { dry_run = true, encoding = "windows-1252" }))
      local found = false
      for _, warning in ipairs(res.warnings) do
        found = warning.code == "encoding_doubtful" and warning.characters or found
      end
      assert.equal(characters, found, text)
    end
  end)
end)

describe("a number of JSON", function()
  teardown(world.clean)

  it("may be a negative id", function()
    for number, accepted in pairs { ["-5"] = 1, ["5"] = 1, ["1e3"] = 0 } do
      local file = world.file(('{"id":%s,"mail":"a@example.com"}\n'):format(number), ".jsonl")
      assert.equal(accepted, assert(scope3.client({}):run(SCRIPT, file, { dry_run = true })).would_send, number)
    end
  end)
end)
