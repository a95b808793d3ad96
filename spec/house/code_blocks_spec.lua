-- Every code block of a page is run from the page itself, so that what people copy works.
local pages = require "spec.support.pages"
local world = require "spec.support.world"

-- Blocks that cannot run here. Each says why on its page; the number is kept so that none is added by accident.
local NOT_RUN = 27

local LANGUAGES = { lua = true, sh = true, text = true }

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The spaces between columns differ between two runs.
local function leveled(text)
  return (text:gsub("[ \t]+", " "))
end

-- Whether a program prints what its page shows, where "…" stands for any text.
local function matches(printed, shown)
  local pattern = leveled(shown):gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"):gsub("…", ".-")
  return leveled(printed):find("^" .. pattern .. "$") ~= nil
end

describe("the blocks of a page", function()
  if os.getenv "ASAN_OPTIONS" then
    return -- shells and their programs have leaks of their own
  end
  local sandbox = world.around(setup, teardown, before_each)
  local root, folders, counts = nil, {}, { run = 0, not_run = 0 }

  setup(function()
    local pipe = assert(io.popen "pwd")
    root = pipe:read "*l"
    pipe:close()
  end)
  teardown(function()
    for _, folder in ipairs(folders) do
      os.execute("rm -rf " .. quote(folder))
    end
  end)

  -- A folder with the examples, a file of customers, and the command of this tree.
  local function new_folder()
    local folder = world.path ""
    folders[#folders + 1] = folder
    assert(os.execute(("mkdir %s %s/bin && ln -s %s/examples %s/examples && cp examples/customers.csv %s/"):format(
      folder, folder, quote(root), folder, folder)))
    world.write(folder .. "/bin/scope3", ('#!/bin/sh\nexec %s %s "$@"\n'):format(
      quote(os.getenv "SCOPE3_LUA_BIN"), quote(root .. "/bin/scope3.in")))
    assert(os.execute("chmod 755 " .. folder .. "/bin/scope3"))
    return folder
  end

  -- Runs a program of a page; what it prints.
  local function run(folder, program, where)
    local out = folder .. "/printed"
    local service = "SCOPE3_API_KEY=scope3_example SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url
    local code = os.execute(("cd %s && PATH=%s/bin:$PATH XDG_STATE_HOME=%s/state %s timeout 60 %s >%s 2>&1 </dev/null")
      :format(folder, folder, folder, service, program, out))
    assert(code == true or code == 0, where .. "\n" .. world.read(out))
    return world.read(out)
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
      assert(matches(printed, shown), ("%s prints:\n%s"):format(where, printed))
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
      run_page(path)
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
