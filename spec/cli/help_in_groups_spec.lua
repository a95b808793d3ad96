-- The help of each command: options in named groups, at most 80 columns, and examples that run.
local world = require "spec.support.world"

local has_states = pcall(require, "scope3.state")

local COMMANDS = { "sync", "run", "drain", "forget", "audiences", "task", "wait", "hash", "sandbox", "doctor", "help",
  "completion", "state", "history" }

-- Runs a shell line: whether it went well, and what it printed.
local function shell(line)
  local out = world.path ".out"
  local ok = os.execute(("(%s) >%s 2>&1"):format(line, out))
  return ok == true or ok == 0, world.read(out)
end

local function must(line)
  local ok, out = shell(line)
  assert(ok, line .. "\n" .. out)
  return out
end

describe("the help", function()
  teardown(world.clean)

  local function help_of(name)
    local code, out, err = world.command { name, "--help" }
    assert.same({ 0, "" }, { code, err })
    return out
  end

  -- Heading -> the lines below it.
  local function sections(text)
    local found, heading = {}, nil
    for line in text:gmatch "[^\n]+" do
      heading = line:match "^(%u[^\n]*):$" or heading
      if heading and line:find "^ " then
        found[heading] = (found[heading] or "") .. line .. "\n"
      end
    end
    return found
  end

  it("has the options of a job in named groups", function()
    for _, name in ipairs { "sync", "run" } do
      local found = sections(help_of(name))
      for heading, option in pairs {
        Input = "--encoding", Members = "--audience", Sending = "--journal", Waiting = "--wait",
        ["Output and exit code"] = "--max-rejected", Service = "--account",
      } do
        assert.truthy(found[heading] and found[heading]:find(option, 1, true), name .. ": " .. heading)
      end
    end
    assert.truthy(sections(help_of "wait").Waiting:find("--audience", 1, true))
    assert.truthy(sections(help_of "sandbox").Sandbox:find("--port", 1, true))
  end)

  it("leaves no option without a group, and no command without an example", function()
    for _, name in ipairs(COMMANDS) do
      local found = sections(help_of(name))
      local others = found["Other options"] or found.Options
      assert.equal(1, select(2, others:gsub("\n", "\n")), name .. ":\n" .. others)
      assert.truthy(others:find("--help", 1, true))
      assert.truthy(found.Examples:find("\n      ", 1, true), name)
    end
  end)

  it("of all names each command once, in a group, and the first steps", function()
    local code, out = world.command { "--help" }
    assert.equal(0, code)
    local found = sections(out)
    assert.is_nil(found["Other commands"], out)
    for _, heading in ipairs { "Send", "Look at the service", "Try and check", "Get help" } do
      assert.is_string(found[heading], heading)
    end
    for _, name in ipairs(COMMANDS) do
      assert.equal(1, select(2, out:gsub("\n   " .. name .. " ", "")), name)
    end
    assert.truthy(found["First steps"]:find("scope3 doctor", 1, true), out)
  end)

  it("begins with a usage of one line", function()
    for _, name in ipairs(COMMANDS) do
      assert.truthy(help_of(name):find("^Usage: scope3 " .. name .. " [^\n]+\n\n"), name)
    end
  end)

  it("has at most 80 columns", function()
    for _, words in ipairs { "--help", "help sync", "help run", "help wait", "help hash", "help sandbox" } do
      local given = {}
      for word in words:gmatch "%S+" do
        given[#given + 1] = word
      end
      local _, out = world.command(given)
      for line in out:gmatch "[^\n]+" do
        assert.is_true(#line <= 80, line)
      end
    end
  end)

  it("of all loses no word where a line is wrapped", function()
    local help_words = require "scope3.cli.help_words"
    local said = must(os.getenv "SCOPE3_LUA_BIN" .. " bin/scope3.in --help"):gsub("%s+", " ")
    for _, rows in ipairs { help_words.ENVIRONMENT, help_words.EXIT_CODES } do
      for _, row in ipairs(rows) do
        assert.truthy(said:find((row[1] .. " " .. row[2]):gsub("%s+", " "), 1, true), row[2])
      end
    end
  end)

  it("fits a narrow terminal, and stays at 80 columns on a wide one", function()
    local texts = {}
    for columns, most in pairs { [48] = 48, [60] = 60, [200] = 80, [20] = 48 } do
      local typescript = world.path ".typescript"
      os.execute(("NO_COLOR=1 script -qec 'stty cols %d; %s bin/scope3.in sync --help' %s </dev/null >/dev/null 2>&1")
        :format(columns, os.getenv "SCOPE3_LUA_BIN", typescript))
      local text = world.read(typescript):gsub("\r", "")
      local widest, options = 0, assert(text:match("\nArguments:(.*)\nExamples:"), text)
      for line in options:gmatch "[^\n]+" do
        widest = math.max(widest, #line)
      end
      assert.is_true(widest <= most and widest > most - 12, ("%d columns: %d"):format(columns, widest))
      texts[columns] = options
    end
    assert.equal(texts[48], texts[20])
  end)
end)

describe("the examples of the help", function()
  local sandbox = world.around(setup, teardown, before_each)
  local folder

  setup(function()
    folder = world.path ""
    local root = must("pwd"):gsub("\n", "")
    must(("unset LD_PRELOAD; mkdir -p %s/bin && cp examples/customers.csv examples/newsletter.lua %s"):format(folder,
      folder))
    world.write(folder .. "/erase.txt", "4711\n4712\n")
    if has_states then
      require("spec.support.peopled").usual(folder .. "/crm.state"):close()
    end
    world.write(folder .. "/bin/scope3",
      ("#!/bin/sh\nexec '%s' '%s/bin/scope3.in' \"$@\"\n"):format(os.getenv "SCOPE3_LUA_BIN", root))
    must("unset LD_PRELOAD; chmod +x " .. folder .. "/bin/scope3")
  end)

  teardown(function()
    os.execute("rm -rf " .. folder)
  end)

  local function run(line)
    return shell(("cd %s && PATH=%s/bin:$PATH SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s "
      .. "&& export PATH SCOPE3_API_KEY SCOPE3_ACCOUNT_ID SCOPE3_BASE_URL && { %s; } </dev/null"):format(folder, folder,
      sandbox.url, line))
  end

  -- The commands of a text: lines that are indented by six, of which a backslash joins the next.
  local function commands_of(text)
    local found = {}
    for line in text:match("\n%u[%l ]+:\n   %u.*$"):gsub("\\\n *", ""):gmatch "[^\n]+" do
      found[#found + 1] = line:match "^      (%S.*)$"
    end
    return found
  end

  -- A task of the audience, once it has ended well.
  local function task_of(audience)
    local ok, out = run(("scope3 sync customers.csv --account 25 --audience %s --map external_id='Customer Id' "
      .. "--map email=Email"):format(audience))
    assert(ok, out)
    return assert(out:match "scope3 wait (%S+) ", out)
  end

  for _, words in ipairs { "--help", "help sync", "help run", "help audiences", "help state", "help history",
    "help task", "help wait", "help hash",
    "help sandbox", "help doctor", "help help", "help completion" } do
    it("work: " .. words, function()
      if not has_states and (words == "help state" or words == "help history") then
        return -- a build without SQLite
      end
      sandbox:configure { min_size = 1, task_seconds = 0, audience_seconds = 0 }
      local ok, text = run("scope3 " .. words)
      assert(ok, text)
      local commands = commands_of(text)
      assert.is_true(#commands > 0, text)
      for _, line in ipairs(commands) do
        if line:find("TASK_ID", 1, true) then
          line = line:gsub("TASK_ID", (task_of "crm"))
        elseif line:find "^scope3 sandbox" then
          line = line:gsub("%-%-port %d+", "--port 0") .. " --until-eof"
        end
        local name = words == "help completion" and line:match "completion (%l+)"
        if name then -- the scripts are for these
          line = ("! command -v %s >/dev/null || %s -c '%s%s'"):format(name, name,
            name == "zsh" and "autoload -Uz compinit; compinit -u -D; " or "", line)
        end
        local went, out = run(line)
        assert(went, line .. "\n" .. out)
      end
    end)
  end
end)
