-- The pages that people read name what there is: each option of the command, each key and code that a program may meet.
local core = require "scope3.core"
local world = require "spec.support.world"

describe("the documentation", function()
  local pages = {}

  setup(function()
    local pipe = assert(io.popen "ls README.md docs/*.md")
    for path in pipe:lines() do
      pages[path] = world.read(path)
    end
    pipe:close()
    assert.truthy(pages["README.md"] and pages["docs/report.md"])
  end)

  teardown(world.clean)

  local function whole()
    local all = {}
    for _, text in pairs(pages) do
      all[#all + 1] = text
    end
    return table.concat(all, "\n")
  end

  -- The names of a set that no page has as a word of their own.
  local function lacking(names, text)
    local words, lacks = {}, {}
    for word in text:gmatch "[%w_]+" do
      words[word] = true
    end
    for name in pairs(names) do
      if not words[name] then
        lacks[#lacks + 1] = name
      end
    end
    table.sort(lacks)
    return lacks
  end

  it("has the key of each reason and each repair", function()
    assert.same({}, lacking(core.reasons, pages["docs/report.md"]))
    assert.same({}, lacking(core.repairs, pages["docs/report.md"]))
  end)

  it("has each option of the command, and the command each one that it has", function()
    local options, given = { quiet = true }, {}
    for _, command in ipairs { "sync", "run", "audiences", "task", "wait", "hash", "sandbox", "doctor" } do
      local code, help = world.command { command, "--help" }
      assert.equal(0, code)
      for name in help:gmatch "\n   %-%-([a-z-]+)" do
        options[name] = true
      end
    end
    local words = {}
    for name in pairs(options) do
      given["--" .. name] = true
      words[(name:gsub("^no%-", ""):gsub("-", "_"))] = true
    end
    assert.truthy(options["in-doubt-timeout"] and options["no-repair"] and options["task-seconds"])
    assert.same({}, lacking(words, (whole():gsub("%-%-([a-z-]+)", function(name)
      return (name:gsub("^no%-", ""):gsub("-", "_"))
    end))))
    local others = { ["--help"] = true, ["--lua-version"] = true, ["--http1"] = true, ["--try"] = true } -- of luarocks, curl and an example
    for path, text in pairs(pages) do
      for name in text:gmatch "%f[-%w]%-%-[a-z][a-z0-9-]+" do
        assert.truthy(given[name] or others[name], path .. " has " .. name)
      end
    end
  end)

  it("has the code of each warning and error of the library, and each event", function()
    local pipe = assert(io.popen "find lua/scope3 -name '*.lua' ! -path '*/sandbox/*'")
    local codes = {}
    for path in pipe:lines() do
      local text = world.read(path)
      for _, pattern in ipairs { '[^%w]warn%([^,()]+, "([a-z_]+)"', '[^%w]warn%(res, [^,()]+, "([a-z_]+)"', '[{ ]code = "([%w_]+)"',
        '{ event = "([a-z_]+)"', 'errors%.new%("([a-z_]+)"' } do
        for code in text:gmatch(pattern) do
          codes[code] = true
        end
      end
    end
    pipe:close()
    assert.truthy(codes.nothing_deleted and codes.swallowed_lines and codes.in_doubt and codes.throttled and codes.full)
    assert.same({}, lacking(codes, whole()))
  end)

  it("takes no result with Lua's own assert, which on Lua 5.1 shows nothing of an error", function()
    local texts = {}
    for path, text in pairs(pages) do
      texts[path] = text
    end
    local pipe = assert(io.popen "find examples -type f ! -name '*.csv'")
    for path in pipe:lines() do
      texts[path] = world.read(path)
    end
    pipe:close()
    local taken = 0
    for path, text in pairs(texts) do
      for before, call in text:gmatch "([%w_.]*)assert *%(? *([%w_.]+[:.][%w_]+)" do
        assert.truthy(before == "scope3." or call:find "^io%." or call:find "^queue:", path .. " asserts " .. call)
        taken = taken + (before == "scope3." and 1 or 0)
      end
    end
    assert.is_true(taken >= 15)
  end)

  it("links to files that there are", function()
    for path, text in pairs(pages) do
      local folder = path:match "^(.*/)" or ""
      for link in text:gmatch "%]%(([^)]+)%)" do
        local target = link:gsub("#.*", "")
        if target ~= "" and not target:find "^https?:" then
          assert.truthy(world.exists(folder .. target:gsub("/$", "/.")), path .. " links to " .. target)
        end
      end
    end
  end)
end)
