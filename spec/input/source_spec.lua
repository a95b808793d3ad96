-- A source: from a path, an open file, a function or whoever feeds it, until it ends or fails.
local core = require "scope3.core"
local reading = require "spec.support.reading"
local scope3 = require "scope3"
local world = require "spec.support.world"

local in_pieces, read_all = reading.in_pieces, reading.read_all

describe("a source", function()
  teardown(world.clean)

  it("knows its bytes, its size, its rows and its delimiter", function()
    local text = "id;b\n1;2\n3;4\n"
    local source = core.source { format = "csv", path = world.file(text) }
    assert.equal(#text, source:size())
    assert.is_nil(source:delimiter())
    assert.same({ "id", "b" }, source:columns())
    assert.equal(";", source:delimiter())
    assert.equal(0, source:rows())
    assert.same({ id = "1", b = "2" }, (source:read()))
    assert.same({ 1, 9 }, { source:rows(), source:bytes() })
    assert.same({ id = "3", b = "4" }, (source:read()))
    assert.same({ nil, "end" }, { source:read() })
    assert.same({ nil, "end" }, { source:read() })
    assert.same({ 2, #text }, { source:rows(), source:bytes() })
    source:close()
  end)

  it("stays broken once it is broken, and reports it once", function()
    local source = assert(scope3.csv(in_pieces("\31\139\8\0 more", 3)))
    assert.is_nil((source:next()))
    assert.same({}, { source:next() })
    assert.is_nil(source())
    local handle = core.source { format = "csv" }
    handle:feed('id,b\n1,"open')
    handle:finish()
    for _ = 1, 3 do
      local row, state, fatal = handle:read()
      assert.same({ nil, "fatal", "unclosed_quote" }, { row, state, fatal.reason })
    end
    handle:close()
  end)

  it("that was closed has no more rows", function()
    local source = assert(scope3.csv(world.file("id\n1\n2\n")))
    assert.same({ id = "1" }, (source()))
    source:close()
    source:close()
    assert.is_nil(source())
    for _, method in ipairs { "read", "columns", "feed", "finish", "bytes", "rows", "size", "delimiter" } do
      assert.has_error(function()
        source.handle[method](source.handle, "x")
      end, "attempt to use a closed source")
    end
  end)

  it("is fed by whoever owns its bytes, as much as it asks for", function()
    local path = core.source { format = "csv", path = world.file("id\n1\n") }
    assert.has_error(function() path:feed("x") end, "a source with a path reads by itself")
    path:close()
    local source = core.source { format = "csv" }
    assert.has_error(function() source:feed(("x"):rep(256 * 1024 + 1)) end, "a chunk is over 262144 bytes")
    assert.has_error(function() source:feed(true) end)
    source:feed("")
    source:feed("id\n1\n")
    source:finish()
    assert.has_error(function() source:feed("2\n") end, "a source was fed behind its end")
    assert.same({ id = "1" }, (source:read()))
    source:close()
    for _, reader in ipairs { function() return 12 end, function() return {} end, function() return true end } do
      assert.has_error(function() assert(scope3.csv(reader))() end)
    end
  end)

  it("comes from a path, an open file or a function", function()
    local path = world.file("id\n1\n")
    assert.same({ { id = "1" } }, (read_all(assert(scope3.csv(path)))))
    local file = assert(io.open(path))
    assert.same({ { id = "1" } }, (read_all(assert(scope3.csv(file)))))
    file:close()
  end)

  it("that cannot be read is nil and an error that names the path", function()
    local source, err = scope3.csv("/no/such/file.csv")
    assert.is_nil(source)
    assert.equal("source", err.kind)
    assert.truthy(err.message:find("/no/such/file.csv: No such file", 1, true))
    source, err = scope3.jsonl("spec")
    assert.is_nil(source)
    assert.truthy(err.message:find("spec: it is a directory", 1, true))
  end)

  it("whose reader fails says so", function()
    local _, errors = read_all(assert(scope3.csv(function()
      return nil, "the pipe broke"
    end)))
    assert.truthy(errors[1].message:find("the pipe broke", 1, true))
  end)

  it("takes a chunk of any size", function()
    local rows = read_all(assert(scope3.csv(in_pieces("id,n\n" .. ("1,abcdefgh\n"):rep(200000), 2 ^ 30))))
    assert.equal(200000, #rows)
  end)

  it("says at its caller's line what is wrong with it", function()
    local closed = assert(io.open "README.md")
    closed:close()
    for what, input in pairs { ["a closed file"] = closed, ["a table"] = {}, ["a number"] = 5 } do
      local fine, why = pcall(function()
        local made = scope3.csv(input)
        return made
      end)
      assert.is_false(fine)
      assert.truthy(why:find("^spec/input/source_spec.lua:%d+: scope3.csv: input must be a path, an open file or a "
        .. "function that gives chunks, not " .. what .. "$"), why)
    end
    local fine, why = pcall(function()
      local made = scope3.csv("x", { quote = "ab" })
      return made
    end)
    assert.is_false(fine)
    assert.truthy(why:find "^spec/input/source_spec.lua:%d+: scope3.csv: quote must be", why)
  end)

  it("is unpacked from pieces that a function gives", function()
    local path = world.path ".gz"
    local lines = { "id,n" }
    for i = 1, 20000 do
      lines[i + 1] = ("%d,%d"):format(i, i * 7919 % 20011) -- packed it is longer than the parser looks ahead
    end
    assert(os.execute(("gzip -c %s >%s"):format(world.file(table.concat(lines, "\n")), path)))
    local rows = read_all(assert(scope3.csv(in_pieces(world.read(path), 1000))))
    assert.equal(20000, #rows)
  end)

  it("refuses misuse by raising", function()
    for _, misuse in ipairs {
      function() scope3.csv(12) end, function() scope3.csv("x", { delimeter = "," }) end,
      function() scope3.csv("x", { delimiter = ",," }) end, function() scope3.csv("x", { delimiter = '"' }) end,
      function() scope3.jsonl("x", { header = true }) end, function() core.source { format = "xml" } end,
      function() core.source { format = "csv", paht = "x" } end,
    } do
      assert.has_error(misuse)
    end
    local source = core.source { format = "csv" }
    source:finish()
    assert.has_error(function() source:feed("x") end)
    source:close()
    source:close()
    assert.has_error(function() source:read() end, "attempt to use a closed source")
  end)
end)
