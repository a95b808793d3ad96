-- A view shows bytes of one library to another, which reads them where they lie.
local core = require "scope3.core"

local has_gzip, gzip = pcall(require, "scope3.gzip")

-- Of "id,mail\n".
local PACKED = "\31\139\8\0\0\0\0\0\0\3\203\76\209\201\77\204\204\225\2\0\194\215\178\41\8\0\0\0"

describe("a view of what was unpacked", function()
  if not has_gzip then
    return
  end

  local z

  before_each(function()
    z = gzip.gunzip()
    z:feed(PACKED)
  end)

  after_each(function()
    z:close()
  end)

  it("is read by a source where it lies", function()
    local source = core.source { format = "csv" }
    source:feed(assert(z:next()))
    source:finish()
    assert.same({ "id", "mail" }, (source:columns()))
    source:close()
  end)

  it("tells how many bytes it shows", function()
    assert.equal(8, z:next():size())
  end)

  it("is one object, which shows the next text after the next call", function()
    local first = assert(z:next())
    local _, state = z:next()
    assert.equal("need", state)
    z:feed(PACKED .. PACKED)
    assert.equal(first, (z:next()))
    assert.equal(16, first:size())
  end)

  for _, name in ipairs { "it", "what unpacks" } do
    it("shows nothing once " .. name .. " is closed", function()
      local view = assert(z:next())
      local closed = name == "it" and view or z
      closed:close()
      local source = core.source { format = "csv" }
      assert.has_error(function() source:feed(view) end, "attempt to use a closed view")
      assert.has_error(function() view:size() end, "attempt to use a closed view")
      source:close()
    end)
  end

  it("keeps its bytes when what unpacks is collected", function()
    local function unpack()
      local own = gzip.gunzip()
      own:feed(PACKED)
      return (own:next())
    end
    local view = unpack()
    collectgarbage()
    collectgarbage()
    local fine, size = pcall(view.size, view)
    assert.truthy(fine and size == 8 or tostring(size):find("closed view", 1, true))
  end)

  it("is no other object", function()
    local source = core.source { format = "csv" }
    assert.error_matches(function() source:feed(z) end, "a view expected")
    assert.error_matches(function() source:feed(io.stdout) end, "a view expected")
    source:close()
  end)
end)
