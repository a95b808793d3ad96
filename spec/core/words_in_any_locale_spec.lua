-- Words of the service are compared without the locale.
-- Turkish, for one, has other cases of I and i, and Lua's lower() and upper() would follow it.
local answering = require "spec.support.answering"
local locales = require "spec.support.locales"
local world = require "spec.support.world"

local PROGRAM = [[
package.path, package.cpath = %q, %q
assert(os.setlocale(%q, "all"))
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local client = assert(scope3.client { api_key = "scope3_KIWI_quail_nib", account_id = "25", base_url = %q, rate = 100000,
  loop = virtual.loop() })
local task, err = client:wait("tI", { audience = "a", timeout = 600 })
io.write(task and task.status .. " " .. task.audience.status or err.kind .. " " .. err.message, "\n")
]]

local function task(rest)
  return '{"task":{"taskId":"ti","createdAt":"2026-11-01T00:00:00Z",' .. rest .. "}}"
end

local function row(status)
  return ('{"audiences":[{"audienceId":"a","status":"%s","updatedAt":"2026-11-01T00:00:10Z"}],'
    .. '"total":1}'):format(status)
end

describe("where the letter i has another case,", function()
  local server, folder, names

  setup(function()
    folder, names = locales.make()
    assert(folder or not locales.expected(), "localedef or its sources are missing: run 'make deps' (package locales)")
    server = answering.start()
  end)

  teardown(function()
    server:close()
    world.clean()
  end)

  -- glibc keeps what setlocale() made of LOCPATH, which LeakSanitizer takes for ours.
  local function said(name, replies)
    server:play(replies)
    local program = world.file(PROGRAM:format(package.path, package.cpath, name, server.url), ".lua")
    local out = world.path(".out")
    os.execute(("ASAN_OPTIONS=detect_leaks=0 LOCPATH='%s' '%s' '%s' >'%s' 2>&1"):format(folder,
      os.getenv "SCOPE3_LUA_BIN",
      program, out))
    return world.read(out)
  end

  it("a word of a task or an audience still ends a wait, in any case", function()
    if not folder then
      return pending("this system makes no locales")
    end
    for _, name in ipairs(names) do
      assert.truthy(said(name, { task = { task '"status":"FAILED"' } }):find("^task_failed .*ended as failed"), name)
      assert.truthy(said(name, { task = { task '"status":"INPUT_REQUIRED"' } }):find("^needs_action "), name)
      assert.truthy(said(name, { task = {
        task '"status":"COMPLETED","response":{"audiences":[{"audienceId":"a","action":"FAILED"}]}',
      } })
        :find "^task_failed ", name)
      assert.equal("completed SUSPENDED\n", said(name, { task = { task '"status":"Completed"' },
        audiences = { row "processing", row "Processing", row "suspended" } }), name)
    end
  end)

  it("a key is hidden in a text of the service, in any case", function()
    if not folder then
      return pending("this system makes no locales")
    end
    for _, name in ipairs(names) do
      local out = said(name, { task = {
        { 403, '{"data":null,"error":{"code":"FORBIDDEN","message":"no: SCOPE3_kiwi_QUAIL_NIB"}}' },
      } })
      assert.truthy(out:find("^http "), out)
      for _, piece in ipairs { "kiwi", "quail", "nib" } do
        assert.falsy(out:lower():find(piece, 1, true), out)
      end
    end
  end)
end)
