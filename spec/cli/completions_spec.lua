-- What bash, zsh and fish offer after `scope3 completion`: real shells are asked.
local quote = require "spec.support.quote"
local world = require "spec.support.world"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

local COMMANDS = "audiences completion doctor drain forget hash help history init look prepare run sandbox state "
  .. "sync task wait"

-- What is typed, and what is offered then. A file of the folder is rows.csv.
local CASES = {
  { "scope3 ", COMMANDS },
  { "scope3 s", "sandbox state sync" },
  { "scope3 --", "--help --version" },
  { "scope3 sync --mo", "--mode" },
  { "scope3 sync --max-", "--max-bytes --max-members --max-rejected --max-removed" },
  { "scope3 sync --mode ", "remove upsert" },
  { "scope3 sync rows.csv --color a", "always auto" },
  { "scope3 run --ids r", "refuse" },
  { "scope3 sync --consent-basis c", "consent contract" },
  { "scope3 sync --phone-repairs p", "plus" },
  { "scope3 sync --map e", "email= external_id=" },
  { "scope3 sync --map external_id=id --map em", "email=" },
  { "scope3 sandbox --set task_s", "task_seconds= task_shares= task_shows_after=" },
  { "scope3 sync ro", "rows.csv" },
  { "scope3 run rows.csv ro", "rows.csv" },
  { "scope3 sync --journal ro", "rows.csv" },
  { "scope3 sync --account ", "" },
  { "scope3 audiences ro", "" },
  { "scope3 wait --sand", "" }, -- its help leaves the option out
  { "scope3 hash ", "email id phone" },
  { "scope3 hash email ", "" },
  { "scope3 help s", "sandbox state sync" },
  { "scope3 completion ", "bash fish zsh" },
}

local function has(shell)
  local ok = os.execute("command -v " .. shell .. " >/dev/null 2>&1")
  return ok == true or ok == 0
end

describe("completion", function()
  local folder, root

  setup(function()
    folder = world.path ""
    os.execute("mkdir " .. folder)
    world.write(folder .. "/rows.csv", "id\n1\n")
    local pipe = io.popen "pwd"
    root = pipe:read "*l"
    pipe:close()
  end)

  teardown(function()
    os.execute("rm -rf " .. folder)
    world.clean()
  end)

  -- The sorted words that a line of shell prints in the folder, one on each line.
  local function words_of(line)
    local out = world.path ".out"
    os.execute(("cd %s && HOME=%s %s </dev/null >%s 2>%s.err"):format(folder, folder, line, out, out))
    local said = world.read(out .. ".err")
    os.remove(out .. ".err")
    assert.equal("", said, line)
    local found = {}
    for word in world.read(out):gmatch "[^\n]+" do
      found[#found + 1] = word
    end
    table.sort(found)
    return table.concat(found, " ")
  end

  -- How each shell is asked: a line of shell, from the script and what was typed.
  local ask = {}

  -- bash hands the words to the function, split at its own marks.
  function ask.bash(script, typed)
    local words = {}
    for word in typed:gsub("=", " = "):gmatch "%S+" do
      words[#words + 1] = quote(word)
    end
    if typed:find " $" then
      words[#words + 1] = "''"
    end
    local program = (". %s; COMP_WORDS=(%s) COMP_CWORD=%d; _scope3; printf '%%s\\n' \"${COMPREPLY[@]}\""):format(script,
      table.concat(words, " "), #words - 1)
    return "bash --norc --noprofile -u -c " .. quote(program)
  end

  function ask.fish(script, typed)
    return "fish --no-config -c " .. quote(("source %s; complete -C %s | string split -f1 \\t"):format(script,
      quote(typed)))
  end

  function ask.zsh(script, typed)
    return ("timeout 60 zsh -f %s/spec/support/offered.zsh %s %s"):format(root, script, quote(typed))
  end

  -- fish 4 also offers options that have what was typed inside of them.
  local function without_inner(words, typed)
    local prefix, kept = typed:match "(%-%-[%w-]+)$", {}
    for word in words:gmatch "%S+" do
      if not prefix or word:sub(1, #prefix) == prefix then
        kept[#kept + 1] = word
      end
    end
    return table.concat(kept, " ")
  end

  for _, shell in ipairs { "bash", "zsh", "fish" } do
    it("offers in " .. shell .. " what fits", function()
      if not has(shell) then
        return pending(shell .. " is not installed")
      end
      local code, out, err = world.command { "completion", shell }
      assert.same({ 0, "" }, { code, err })
      local script = world.file(out, "." .. shell)
      for _, case in ipairs(CASES) do
        local words = words_of(ask[shell](script, case[1]))
        assert.equal(case[2], shell == "fish" and without_inner(words, case[1]) or words, case[1])
      end
    end)
  end

  it("offers each option of each command in each shell, and none that is left out", function()
    for _, shell in ipairs { "bash", "zsh", "fish" } do
      local _, out = world.command { "completion", shell }
      for name in COMMANDS:gmatch "%S+" do
        local _, help = world.command { name, "--help" }
        for option in help:gmatch "\n   [-q, ]*%-%-([a-z-]+)" do
          local want = shell == "fish" and ("in %s' "):format(name) or name .. ")"
          local at = assert(out:find(want, 1, true), shell .. ": " .. name)
          assert.truthy(out:find((shell == "fish" and "-l " or "--") .. option, at, true),
            ("%s: %s --%s"):format(shell, name, option))
        end
      end
    end
  end)

  it("is a wrong usage without a shell, or for one that is not known", function()
    for _, words in ipairs { { "completion" }, { "completion", "tcsh" } } do
      local code, out, err = world.command { unpack(words) }
      assert.same({ 2, "" }, { code, out })
      assert.truthy(err:find("Try 'scope3 completion --help'", 1, true), err)
    end
  end)

  it("asks zsh for a value only where an option takes one", function()
    local code, out = world.command { "completion", "zsh" }
    assert.equal(0, code)
    for _, words in ipairs { ")--quiet[", "'--journal=[", "'--wait=[" } do
      assert.truthy(out:find(words, 1, true), words)
    end
    assert.is_nil(out:find("--quiet=", 1, true))
  end)
end)
