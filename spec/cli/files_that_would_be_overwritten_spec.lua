-- --rejects and --journal overwrite neither the input, the script, nor each other, under any name of the file.
local core = require "scope3.core"
local world = require "spec.support.world"

local ROWS = "id,mail\n1,a@example.com\n2,bad\n"
local SCRIPT = 'return { audience = "a", map = { external_id = "id", email = "mail" } }'

local function sync(...)
  local args = {
    "sync", "--account", "25", "--audience", "a", "--sandbox", "--map", "external_id=id", "--map", "email=mail",
  }
  for _, word in ipairs { ... } do
    args[#args + 1] = word
  end
  return world.command(args)
end

describe("a file that the command writes", function()
  teardown(world.clean)

  it("is not the input or the script, by any name of it", function()
    local input, script = world.file(ROWS, ".csv"), world.file(SCRIPT, ".lua")
    local folder, name = input:match("^(.*)/([^/]*)$")
    local link, hard = world.path ".csv", world.path ".csv"
    assert(os.execute(("ln -s '%s' '%s' && ln '%s' '%s'"):format(input, link, input, hard)))
    for _, path in ipairs { input, folder .. "/./" .. name, link, hard } do
      for _, option in ipairs { "--rejects", "--journal", "--limiter", "--events" } do
        local code, out, err = sync(input, option, path)
        assert.same({ 2, "" }, { code, out }, option .. " " .. path)
        assert.truthy(err:find(option .. " and the input are the same file", 1, true), err)
        assert.equal(ROWS, world.read(input))
      end
    end
    assert.equal(2, (sync((input:gsub("csv$", "cs?")), "--rejects", input)))
    assert.equal(ROWS, world.read(input))
    assert.equal(2, (sync((input:gsub("csv$", "cs?")), "/nosuch/*.csv", "--events", input)))
    assert.equal(ROWS, world.read(input))
    local code, _, err = world.command { "run", script, input, "--account", "25", "--sandbox", "--rejects", script }
    assert.equal(2, code)
    assert.truthy(err:find("the script", 1, true), err)
    assert.equal(SCRIPT, world.read(script))
  end)

  it("is not another of them, also where neither is there yet", function()
    local input, path = world.file(ROWS, ".csv"), world.path ".journal"
    local folder, name = path:match("^(.*)/([^/]*)$")
    for _, options in ipairs {
      { "--journal", "--rejects" }, { "--journal", "--limiter" }, { "--rejects", "--limiter" },
      { "--events", "--rejects" }, { "--journal", "--events" },
    } do
      local code, _, err = sync(input, options[1], path, options[2], folder .. "/./" .. name)
      assert.equal(2, code)
      assert.truthy(err:find("the same file", 1, true), err)
      assert.is_false(world.exists(path))
    end
    assert.equal(0, (sync(input, "--journal", path)))
    local before = world.read(path)
    assert.equal(2, (sync(input, "--journal", path, "--rejects", path)))
    assert.equal(before, world.read(path))
  end)

  it("is not a file of a key, of certificates or of profiles, whoever names it", function()
    local input, home = world.file(ROWS, ".csv"), world.path ".home"
    assert(os.execute(("mkdir -p '%s/.config/scope3'"):format(home)))
    local config, kept = home .. "/.config/scope3/config.lua", home .. "/kept.txt"
    world.write(kept, "secret\n")
    local function refused(named, words, env, file)
      local before = world.read(file or kept)
      for _, option in ipairs { "--report", "--rejects", "--events", "--journal", "--limiter" } do
        local args = { "sync", input, "--account", "25", "--audience", "a", "--map", "external_id=id", "--map",
          "email=mail", "--base-url", "https://127.0.0.1:9", option, file or kept }
        for _, word in ipairs(words) do
          args[#args + 1] = word
        end
        local code, _, err = world.command(args, { env = ("HOME='%s' XDG_CONFIG_HOME= %s"):format(home, env or "") })
        if file and option == "--report" then
          assert.truthy(err:find("ends in .html, .txt or .json", 1, true), err)
        else
          assert.truthy(err:find(("%s and %s are the same file"):format(option, named), 1, true), err)
        end
        assert.equal(2, code)
        assert.equal(before, world.read(file or kept))
      end
      local _, _, err = world.command({ "wait", "task_1", "--account", "25", "--events", file or kept,
        (table.unpack or unpack)(words) }, -- luacheck: ignore
        { env = ("HOME='%s' XDG_CONFIG_HOME= %s"):format(home, env or "") })
      assert.truthy(err:find(("--events and %s are the same file"):format(named), 1, true), err)
    end
    refused("--api-key-file", { "--api-key-file", kept })
    refused("--ca-file", { "--ca-file", home .. "/./kept.txt" })
    refused("the file that SCOPE3_API_KEY_FILE names", {}, "SCOPE3_API_KEY_FILE=" .. kept)
    refused("the file that SCOPE3_CA_FILE names", {}, "SCOPE3_CA_FILE=" .. kept)
    for _, key in ipairs { "ca_file", "api_key_file" } do
      world.write(config, ("return { default = {}, other = { %s = '~/kept.txt' } }"):format(key))
      refused(key .. " of the profile other", {})
    end
    refused("the file of profiles", {}, nil, config)
    local code, _, err = world.command({ "init", input, "--force", "--output", config },
      { env = ("HOME='%s' XDG_CONFIG_HOME="):format(home) })
    assert.equal(2, code)
    assert.truthy(err:find("--output and the file of profiles are the same file", 1, true), err)
    world.write(config, "return { default = { limiter = '~/limiter' } }")
    local env = { env = ("HOME='%s' XDG_CONFIG_HOME="):format(home) }
    local map = { "sync", input, "--account", "25", "--audience", "a", "--map", "external_id=id", "--map", "email=mail",
      "--sandbox" }
    map[12], map[13] = "--limiter", home .. "/limiter"
    assert.equal(0, (world.command(map, env)))
    map[12] = "--rejects"
    code, _, err = world.command(map, env)
    assert.equal(2, code)
    assert.truthy(err:find("--rejects and the limiter of a profile are the same file", 1, true), err)
    os.execute("rm -rf '" .. home .. "'")
  end)

  it("does not take the place of a pipe", function()
    local input = world.file(ROWS, ".csv")
    local pipes = { report = world.path ".txt", metrics = world.path ".prom" }
    assert(os.execute(("mkfifo '%s' '%s'"):format(pipes.report, pipes.metrics)))
    for _, one in ipairs {
      { "--report", pipes.report, "pipe" }, { "--metrics", pipes.metrics, "pipe" },
    } do
      local code, out, err = sync(input, one[1], one[2])
      assert.same({ 2, "" }, { code, out }, err)
      local said = ("%s takes the name of a file, and %s is a %s"):format(one[1], one[2], one[3])
      assert.truthy(err:find(said, 1, true), err)
      assert.equal(one[3], core.file_kind(one[2]))
    end
  end)

  it("is no report after a wrong usage", function()
    local input, old = world.file(ROWS, ".csv"), world.file("old", ".txt")
    local code, _, err = world.command { "sync", input, "--audience", "a", "--map", "external_id=id", "--map",
      "email=mail", "--dry-run", "--limiter", world.path ".limiter", "--report", old }
    assert.equal(2, code)
    assert.truthy(err:find("--limiter has no effect on a dry run", 1, true), err)
    assert.equal("old", world.read(old))
  end)

  it("may be written again, or be a device", function()
    local input, rejects = world.file(ROWS, ".csv"), world.path ".csv"
    for _ = 1, 2 do
      assert.equal(0, (sync(input, "--rejects", rejects)))
      assert.truthy(world.read(rejects):find("email_no_at", 1, true))
    end
    assert.equal(0, (sync(input, "--rejects", "/dev/null")))
  end)

  it("is left as it is by --journal where another program has begun an object of JSON in it", function()
    local input = world.file(ROWS, ".csv")
    for _, text in ipairs { '{"a":1', '{"jobs":[', '{"job":{"name":"x"', '{"' .. ("x"):rep(100) } do
      local path = world.file(text, ".journal")
      local code, _, err = sync(input, "--journal", path)
      assert.equal(1, code, text)
      assert.truthy(err:find("is no journal", 1, true), err)
      assert.equal(text, world.read(path))
    end
    for _, text in ipairs { "", "{", '{"job"', '{"job":{"account":"2' } do
      assert.equal(0, (sync(input, "--journal", world.file(text, ".journal"))), text)
    end
  end)
end)

describe("the exit code of an empty input", function()
  teardown(world.clean)

  it("is that of the others where it stands beside some, and 3 where all are empty", function()
    local full, empty = world.file(ROWS, ".csv"), world.file("", ".csv")
    for _, files in ipairs { { full, empty }, { empty, full } } do
      local code, out = sync(files[1], files[2])
      assert.equal(0, code)
      assert.truthy(out:find(empty .. ": the file is empty, and was left out", 1, true), out)
    end
    assert.equal(3, (sync(empty, world.file("\n\n", ".csv"))))
    assert.equal(0, (sync(empty, "--allow-empty")))
    assert.equal(0, (sync(full, world.file("id,mail\n", ".csv"))))
  end)

  it("is 3 with --require-ready, with or without a header", function()
    for _, text in ipairs { "", "id,mail\n" } do
      assert.equal(3, (sync(world.file(text, ".csv"), "--allow-empty", "--wait=20", "--require-ready")), text)
    end
  end)
end)

describe("a wait", function()
  teardown(world.clean)

  it("of a negative or an endless time is a wrong usage, and nothing is sent", function()
    local input = world.file(ROWS, ".csv")
    for _, word in ipairs { "--wait=-1", "--wait=1e999", "--wait=-0.5" } do
      local code, out, err = sync(input, word)
      assert.same({ 2, "" }, { code, out }, word)
      assert.truthy(err:find("--wait takes a number of seconds, 0 or more", 1, true), err)
    end
    for _, word in ipairs { "--timeout=-1", "--timeout=1e999" } do
      local code, out, err = world.command { "wait", "t", "--account", "25", "--base-url", "http://127.0.0.1:9", word }
      assert.same({ 2, "" }, { code, out }, word)
      assert.truthy(err:find("--timeout takes a number of seconds, 0 or more", 1, true), err)
    end
  end)
end)
