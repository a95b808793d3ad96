-- Counts in texts for people: one of something is told as one, and no text puts a number and a plural together itself.
local core = require "scope3.core"
local plural = require "scope3.util.plural"
local world = require "spec.support.world"

describe("a count", function()
  it("has the words of its number", function()
    assert.same({ "0 rows", "1 row", "2 rows" }, { plural.of(0, "row"), plural.of(1, "row"), plural.of(2, "row") })
    assert.same({ "1 row has", "2 rows have" }, { plural.of(1, "row has", "rows have"),
      plural.of(2, "row has", "rows have") })
    assert.same({ "is", "are" }, { plural.words(1, "is", "are"), plural.words(0, "is", "are") })
    assert.equal("9007199254740992 rows", plural.of(2 ^ 53, "row"))
  end)

  -- Numbers that are never 1: limits, and what is told only of several.
  local NEVER_ONE = {
    "horizon must be %d", "must have at most %d", "%d members, at most", "%.0f rows have the external id 0",
    "self.attempts > 1 and", "must have %d to", "%d pages were read", "a text of 1 to", 'or ("%s: %.0f rows %s; ',
    "the header takes up", "There are %d columns of emails", "There are more than %d keys", "map has %d",
    "each must have 2 to %d", "of %.0f files %s no rows",
    "and at most %d bytes", "%s %d conditions; ",
    "%s %d values; ", "audiences has %d",
    "it has more than %.0f bytes", "%s: %d problems", "it is over %d bytes",
    "in one of %d slices", "bytes (max_waiting_bytes)", "members have waited for",
  }

  local NO_NOUN = { ms = true, is = true, was = true, does = true }

  local function is_never_one(line)
    for _, words in ipairs(NEVER_ONE) do
      if line:find(words, 1, true) then
        return true
      end
    end
    return false
  end

  it("and a word with an s stand together in no format of the library but those that are never of one", function()
    local files = 0
    for _, depth in ipairs { "*", "*/*", "*/*/*" } do
      for _, path in ipairs(core.glob("lua/scope3/" .. depth .. ".lua") or {}) do
        files = files + 1
        for line in world.read(path):gmatch "[^\n]+" do
          local word = line:match "%%%.?0?[df] (%l+s)%f[%W]"
          assert.truthy(not word or NO_NOUN[word] or is_never_one(line), path .. ": " .. line)
        end
      end
    end
    assert.truthy(files > 200, files)
  end)
end)
