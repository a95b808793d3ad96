-- A host may set any locale, before it loads the library or after: nothing that is read, sent, counted or written may
-- change.
local cjson = require("cjson.safe").new()
local locales = require "spec.support.locales"
local world = require "spec.support.world"

describe("under a locale with a decimal comma, and one whose i has no dot,", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0.05 })
  local folder, names

  setup(function()
    folder, names = locales.make()
    assert(folder or not locales.expected(), "localedef or its sources are missing: run 'make deps' (package locales)")
  end)

  -- glibc keeps what setlocale() made of LOCPATH, which LeakSanitizer takes for ours.
  local QUIET = "ASAN_OPTIONS=detect_leaks=0 "

  local function child(name, when)
    local out, err = world.path(".out"), world.path(".err")
    os.execute((QUIET .. "LOCPATH='%s' '%s' spec/support/in_locale.lua '%s' %s '%s' >'%s' 2>'%s'"):format(folder,
      os.getenv "SCOPE3_LUA_BIN", name, when, sandbox.url, out,
      err))
    assert.equal("", world.read(err), name .. " " .. when)
    return world.read(out)
  end

  it("set before or after the library is loaded, jobs, rows, conditions, journals and callbacks come to the same",
    function()
    if not folder then
      return pending("this system makes no locales")
    end
    local plain = child("C", "before")
    assert.truthy(plain:find("webhook", 1, true), plain)
    assert.truthy(plain:find('seen [100.9,250.5,0.0015]', 1, true), plain)
    for _, name in ipairs(world.thorough and names or { names[1], names[2] }) do
      for _, when in ipairs { "before", "after" } do
        assert.equal(plain, child(name, when), name .. " " .. when)
      end
    end
  end)

  it("the command prints the same report, and the same JSON", function()
    if not folder then
      return pending("this system makes no locales")
    end
    local script = world.file([[
      assert((os.setlocale(nil, "numeric")) == os.getenv "WANTED")
      return { audience = "a", where = { Spent = { ge = 1.5 } }, map = { external_id = "id", email = "mail" } }]],
        ".lua")
    local input = world.file("id,mail,Spent\n1,a@x.org,1.5\n2,b@x.org,0.25\n3,c@x.org,17.5\n", ".csv")
    local function run(name, ...)
      local set = "WANTED=C"
      if name then
        set = QUIET .. ("WANTED=%s LOCPATH='%s' LUA_INIT='assert(os.setlocale(\"%s\", \"all\"))'"):format(name,
          folder, name)
      end
      local code, out, err = world.command({ "run", script, input, "--account", "25", "--sandbox", "--wait", ... },
        { env = set })
      assert.same({ 0, "" }, { code, err })
      return out
    end
    local function without_times(text)
      text = text:gsub("127%.0%.0%.1:%d+", ""):gsub("in %d+ ms[^\n]*", ""):gsub("waited [%d.]+ m?s",
        ""):gsub("task_%w+", ""):gsub("%x+%-%x+%-%x+%-%x+%-%x+", "")
      return text
    end
    for _, name in ipairs { names[1], names[2] } do
      assert.equal(without_times(run()), without_times(run(name)))
      local res = assert(cjson.decode(run(name, "--json")))
      assert.same({ 3, 1, 2, 2, "TOO_SMALL" },
        { res.rows, res.skipped, res.members, res.accepted, res.audience.status })
      assert.truthy(res.seconds > 0 and res.seconds < 60)
    end
  end)
end)
