-- Every code block of a page is run from the page itself, so that what people copy works.
local pages = require "spec.support.pages"
local runner = require "spec.support.blocks"
local quote = require "spec.support.quote"
local world = require "spec.support.world"

-- Blocks that cannot run here. Each says why on its page; the number is kept so that none is added by accident.
local NOT_RUN = 35

local LANGUAGES = { lua = true, sh = true, text = true }

-- Pages whose blocks need tools that may not be there. A spec of their own runs them.
local BY_ITSELF = { ["docs/recipes.md"] = "spec/house/recipes_spec.lua",
  ["docs/clusters.md"] = "spec/house/clusters_spec.lua" }

describe("the blocks of a page", function()
  if os.getenv "ASAN_OPTIONS" then
    return -- shells and their programs have leaks of their own
  end
  local sandbox = world.around(setup, teardown, before_each)
  local folders, counts = {}, { run = 0, not_run = 0 }

  teardown(function()
    for _, folder in ipairs(folders) do
      os.execute("rm -rf " .. quote(folder))
    end
  end)

  local function new_folder()
    local folder = runner.folder()
    folders[#folders + 1] = folder
    return folder
  end

  -- Runs a program of a page; what it prints.
  local function run(folder, program, where)
    local code, printed = runner.run(folder, program, sandbox.url)
    assert(code == 0, where .. "\n" .. printed)
    return printed
  end

  -- The Lua blocks of a page are one program. Its lines have the numbers that they have on the page.
  local function program_of(blocks)
    local lines, shown, first = {}, {}, nil
    for _, block in ipairs(blocks) do
      if block.language == "lua" and not block.file and not block.not_run then
        while #lines < block.line - 1 do
          lines[#lines + 1] = ""
        end
        for line in block.text:gmatch "([^\n]*)\n" do
          lines[#lines + 1] = line
        end
        shown[#shown + 1] = block.prints
        first = first or block
        counts.run = counts.run + 1
      end
    end
    return first and table.concat(lines, "\n") .. "\n", table.concat(shown)
  end

  local function check(where, printed, shown)
    if shown and shown ~= "" then
      assert(runner.matches(printed, shown), ("%s prints:\n%s"):format(where, printed))
    end
  end

  local function run_page(path)
    local blocks, folder = pages.blocks(path, world.read(path)), new_folder()
    for _, block in ipairs(blocks) do
      local where = ("%s:%d"):format(path, block.line)
      assert(LANGUAGES[block.language] or block.file or block.not_run, where .. ": nobody runs " .. block.language)
      if block.file then
        world.write(folder .. "/" .. block.file, block.text)
        counts.run = counts.run + 1
      elseif block.not_run then
        counts.not_run = counts.not_run + 1
      end
    end
    for _, block in ipairs(blocks) do
      if block.language == "sh" and not block.not_run then
        local where = ("%s:%d"):format(path, block.line)
        world.write(folder .. "/block.sh", "set -e\n" .. block.text)
        check(where, run(folder, "sh block.sh", where), block.prints)
        counts.run = counts.run + 1
      end
    end
    local program, shown = program_of(blocks)
    if program then
      local file = path:gsub("/", "_") .. ".lua"
      world.write(folder .. "/" .. file, program)
      check(path, run(folder, quote(os.getenv "SCOPE3_LUA_BIN") .. " " .. file, path), shown)
    end
  end

  for _, path in ipairs(pages.paths()) do
    it("of " .. path .. " run, and print what it shows", function()
      if BY_ITSELF[path] then
        assert(world.read(BY_ITSELF[path]):find(path, 1, true))
        for _, block in ipairs(pages.blocks(path, world.read(path))) do
          counts.not_run = counts.not_run + (block.not_run and 1 or 0)
        end
      else
        run_page(path)
      end
    end)
  end

  it("that are files are used by another block of their page", function()
    for _, path in ipairs(pages.paths()) do
      local blocks = pages.blocks(path, world.read(path))
      for _, block in ipairs(blocks) do
        local used = not block.file
        for _, other in ipairs(blocks) do
          used = used or other ~= block and not other.not_run and other.text:find(block.file, 1, true) ~= nil
        end
        assert(used, ("%s:%d: nobody uses %s"):format(path, block.line, block.file or ""))
      end
    end
  end)

  it("that cannot run are as many as are known", function()
    assert.is_true(counts.run > 0)
    assert.equal(NOT_RUN, counts.not_run)
  end)
end)
