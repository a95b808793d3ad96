-- Where the command takes the key and the account from: arguments, the environment, a file, a command, a profile.
local world = require "spec.support.world"

local json = world.json

describe("the key of the command", function()
  local sandbox = world.around(setup, teardown, before_each)
  local home

  before_each(function()
    sandbox:configure { keys = json.array { "scope3_right" } }
    home = world.path ".home"
    assert(os.execute("mkdir -p '" .. home .. "/.config/scope3'"))
  end)

  local function profiles(text)
    local file = assert(io.open(home .. "/.config/scope3/config.lua", "w"))
    file:write(text)
    file:close()
  end

  local function run(args, env)
    return world.command(args, { env = ("HOME='%s' XDG_CONFIG_HOME= SCOPE3_BASE_URL=%s %s"):format(home, sandbox.url,
      env or "SCOPE3_ACCOUNT_ID=25") })
  end

  -- That the key was right: the account has no audiences.
  local function answers(args, env)
    local code, out, err = run(args, env)
    assert.same({ 0, "The account has no audiences.\n", "" }, { code, out, err })
  end

  local function fails(expected, said, args, env)
    local code, _, err = run(args, env)
    assert.truthy(err:find(said, 1, true), err)
    assert.equal(expected, code)
    assert.is_nil(err:find("scope3_right", 1, true))
    return err
  end

  it("is the first line of a file", function()
    local file = world.file "scope3_right\r\nanother line\n"
    answers { "audiences", "--api-key-file", file }
    answers({ "audiences" }, "SCOPE3_ACCOUNT_ID=25 SCOPE3_API_KEY_FILE=" .. file)
    answers({ "audiences", "--api-key-file", file }, "SCOPE3_ACCOUNT_ID=25 SCOPE3_API_KEY=scope3_wrong")
    answers({ "audiences", "--api-key-file", world.file "scope3_right" })
  end)

  it("is the first line that a command prints, whose standard input is empty", function()
    answers { "audiences", "--api-key-command", "cat; echo scope3_right; echo url: x # a comment" }
    fails(2, "--api-key-command failed", { "audiences", "--api-key-command", "echo scope3_right; exit 3" })
    fails(2, "--api-key-command failed", { "audiences", "--api-key-command", "echo 'scope3_right" })
    fails(2, "--api-key-command printed no key in its first line", { "audiences", "--api-key-command", "echo" })
    fails(2, "--api-key-command printed no key in its first line", { "audiences", "--api-key-command", "true" })
  end)

  it("is missing where its file is, has none, or has one that cannot be a key", function()
    local missing = world.path ".key"
    fails(2, "--api-key-file " .. missing .. " cannot be read (No such file or directory)",
      { "audiences", "--api-key-file", missing })
    fails(2, "--api-key-file " .. home .. " cannot be read (Is a directory)", { "audiences", "--api-key-file", home })
    for _, text in ipairs { "", "\nscope3_right\n" } do
      fails(2, "has no key in its first line", { "audiences", "--api-key-file", world.file(text) })
    end
    fails(1, "which SCOPE3_API_KEY_FILE names, cannot be read (No such file or directory)", { "audiences" },
      "SCOPE3_ACCOUNT_ID=25 SCOPE3_API_KEY_FILE=" .. missing)
    fails(1, "holds a space, a line end or a character outside ASCII",
      { "audiences", "--api-key-file", world.file "scope3 right\n" })
    for text, says in pairs { ['"scope3_right"'] = "stands in quotes", ["'scope3_right'"] = "stands in quotes",
      ["SCOPE3_API_KEY=scope3_right"] = "begins with SCOPE3_API_KEY=: give only what stands behind it" } do
      fails(1, says, { "audiences", "--api-key-file", world.file(text .. "\n") })
    end
    fails(1, "is given twice, by SCOPE3_API_KEY and SCOPE3_API_KEY_FILE", { "audiences" },
      "SCOPE3_ACCOUNT_ID=25 SCOPE3_API_KEY=scope3_right SCOPE3_API_KEY_FILE=" .. world.file "scope3_right")
  end)

  it("is asked for only where one is needed", function()
    local asked = world.path ".asked"
    profiles(("return { default = { account_id = 25, api_key_command = 'echo scope3_right; echo >%s' } }")
      :format(asked))
    local rows = world.file("id,email\n1,a@example.com\n", ".csv")
    local map = { "sync", rows, "--audience", "a", "--map", "external_id=id", "--map", "email=email", "--quiet" }
    local function with(word)
      local words = { word }
      for i = #map, 1, -1 do
        table.insert(words, 1, map[i])
      end
      return words
    end
    assert.equal(0, (run(with "--dry-run", "")))
    assert.equal(0, (run(with "--sandbox", "")))
    assert.is_false(world.exists(asked))
    assert.equal(0, (run(map, "")))
    assert.is_true(world.exists(asked))
    fails(2, "--api-key-file has no effect with --dry-run", { "sync", rows, "--dry-run", "--api-key-file", "x",
      "--map", "external_id=id", "--map", "email=email", "--audience", "a" })
    fails(2, "--profile has no effect with --sandbox", { "audiences", "--sandbox", "--profile", "x" })
    fails(2, "--api-key-file and --api-key-command contradict each other", { "audiences", "--api-key-file", "x",
      "--api-key-command", "y" })
  end)

  it("comes with the account from a profile, which the environment overrides unless it is named", function()
    local file = home .. "/key"
    assert(os.rename(world.file "scope3_right\n", file))
    profiles [[return {
      default = { account_id = "25", api_key_file = "~/key" },
      other = { account_id = "26", api_key_command = "echo scope3_right", rate = 50 },
      wrong = { account_id = "25", api_key_command = "echo scope3_wrong" },
    }]]
    answers({ "audiences" }, "")
    answers({ "audiences", "--profile", "other" }, "SCOPE3_API_KEY=scope3_wrong SCOPE3_ACCOUNT_ID=25")
    answers({ "audiences" }, "SCOPE3_PROFILE=wrong SCOPE3_API_KEY=scope3_right")
    answers({ "audiences", "--profile", "wrong", "--api-key-file", file }, "")
    fails(1, "401", { "audiences" }, "SCOPE3_PROFILE=wrong")
    local accounts = {}
    for i, request in ipairs(sandbox:requests()) do
      accounts[i] = request.path:match "/advertisers/(%d+)/"
    end
    assert.same({ "25", "26", "25", "25", "25" }, accounts)
  end)

  it("takes none of the current folder, also where HOME or XDG_CONFIG_HOME is a relative path", function()
    local trap = world.path ".trap"
    profiles(("return { default = { account_id = 25, api_key_command = 'touch %s; echo scope3_right' } }"):format(trap))
    local dir, name = home:match "^(.*)/([^/]+)$"
    local command = assert(io.popen "pwd"):read "*l" .. "/bin/scope3.in"
    for _, env in ipairs { "HOME=" .. name, ("HOME= XDG_CONFIG_HOME=%s/.config"):format(name) } do
      local out = world.path ".out"
      os.execute(("cd %s && env SCOPE3_BASE_URL=%s %s %s %s audiences >%s 2>&1 </dev/null"):format(dir, sandbox.url,
        env, os.getenv "SCOPE3_LUA_BIN", command, out))
      assert.truthy(world.read(out):find("api_key: is missing", 1, true), world.read(out))
      assert.is_false(world.exists(trap))
    end
    answers({ "audiences" }, ("XDG_CONFIG_HOME=relative HOME='%s'"):format(home))
    assert.is_true(world.exists(trap))
  end)

  it("is not asked for in a dry run, which may name a profile for its account", function()
    profiles "return { other = { account_id = 77, api_key_command = 'false' } }"
    local code, out, err = run({ "sync", world.file "id,mail\n1,a@example.com\n", "--audience", "a", "--map",
      "external_id=id", "--map", "email=mail", "--dry-run", "--profile", "other" }, "")
    assert.same({ 0, "" }, { code, err })
    assert.truthy(out:find("1 member", 1, true), out)
    assert.equal(0, #sandbox:requests())
  end)

  it("needs a profile that is there and says what it may say", function()
    fails(2, "--profile prod is in no file: there is no " .. home .. "/.config/scope3/config.lua",
      { "audiences", "--profile", "prod" })
    profiles "return { c = {}, a = {}, e = {}, b = {}, d = {}, f = {} }"
    fails(2, "zz is not in it (it has a, b, c, d, e, f)", { "audiences", "--profile", "zz" })
    profiles "return {}"
    fails(2, "zz is not in it (it has none)", { "audiences", "--profile", "zz" })
    profiles "return { production = { account_id = 25 }, default = {} }"
    fails(2, "config.lua: productoin is not in it (did you mean 'production'? it has default, production)",
      { "audiences", "--profile", "productoin" })
    for _, env in ipairs { "HOME=", "HOME=relative", "HOME=. XDG_CONFIG_HOME=.config" } do
      fails(2, "--profile cannot be looked for, because neither HOME nor XDG_CONFIG_HOME is an absolute path",
        { "audiences", "--profile", "prod" }, env)
    end
    fails(1, "SCOPE3_PROFILE " .. home, { "audiences" }, "SCOPE3_PROFILE=x")
    for text, said in pairs {
      ["return { default = { api_key = 'scope3_right' } }"] = "default: a key does not stand in this file",
      ["return { default = { acount_id = 25 } }"] = "did you mean 'account_id'",
      ["return { default = { api_key_file = 'key' } }"] = "api_key_file must be a path that begins with / or ~/",
      ["return { default = { api_key_file = '/a', api_key_command = 'b' } }"] = "contradict each other",
      ["return { default = 5 }"] = "default: it is no table",
      ["return { default = { api_key_file = 'scope3_right }"] = "line 1: it is no Lua file that returns a table",
      ["return 5"] = "config.lua: it is no Lua file that returns a table of profiles",
      ["return { default = os.getenv 'HOME' }"] = "line 1: it is no Lua file",
      ["\27Lua"] = "it is no Lua file",
      [("-"):rep(65537)] = "it is over 65536 bytes",
    } do
      profiles(text)
      fails(1, said, { "audiences" })
    end
  end)

  it("is in no profile whose file of a key cannot be read, or which cannot be read itself", function()
    profiles "return { default = { account_id = 25, api_key_file = '~/none' }, p = { api_key_command = 'false' } }"
    local file = home .. "/.config/scope3/config.lua"
    fails(1, ("default of %s: api_key_file %s/none cannot be read (No such file or directory)"):format(file, home),
      { "audiences" })
    fails(2, ("--profile p of %s: api_key_command failed"):format(file), { "audiences", "--profile", "p" })
    os.remove(file)
    assert(os.execute("mkdir '" .. file .. "'"))
    fails(1, file .. ": it cannot be read (Is a directory)", { "audiences" })
  end)

  it("is no line of over 8192 bytes, of which no part is sent", function()
    local long = world.file(("k"):rep(8193))
    fails(2, "has no key in its first line", { "audiences", "--api-key-file", long })
    fails(2, "printed no key in its first line", { "audiences", "--api-key-command", "cat '" .. long .. "'" })
    assert.equal(0, #sandbox:requests())
    sandbox:configure { keys = json.array { ("k"):rep(8192) } }
    answers { "audiences", "--api-key-file", world.file(("k"):rep(8192)) }
  end)
end)
