-- The C modules and the Lua files of one version belong together.
local quote = require "spec.support.quote"
local version = require "scope3.version"

-- What the interpreter prints.
local function run(code)
  local pipe = assert(io.popen(("%s -e %s 2>&1"):format(os.getenv "SCOPE3_LUA_BIN", quote(code))))
  local out = pipe:read "*a"
  pipe:close()
  return out
end

describe("scope3.core", function()
  it("is not loaded beside Lua files of another version, and says which both are", function()
    local words = ("scope3.core is of version %s, and its Lua files are of 0.0.9: install both of one version, and "
      .. "restart what has loaded it"):format(version)
    for _, use in ipairs { "scope3.core", "scope3.webhook", "scope3.sandbox" } do
      local out = run(('package.preload["scope3.version"] = function() return "0.0.9" end print(pcall(require, %q))')
        :format(use))
      assert.equal("false", out:sub(1, 5))
      assert.truthy(out:find(words, 1, true), out)
    end
  end)

  it("is loaded where there are no Lua files, and where there is no require", function()
    local core = package.cpath:match "[^;]*/build/[^;]*":gsub("%?", "scope3/core")
    local code = ('package.path = "" %%s local core = assert(package.loadlib(%q, "luaopen_scope3_core"))() '
      .. 'print(#core.sha256 "")'):format(core)
    assert.equal("64\n", run(code:format ""))
    assert.equal("64\n", run(code:format "require = nil"))
    assert.equal("64\n", run(code:format 'package.preload["scope3.version"] = function() return {} end'))
  end)
end)
