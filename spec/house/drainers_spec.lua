-- The unit of systemd and the deployment of Kubernetes that drain a queue: checked by programs that read them, and
-- their words by the command itself.
local world = require "spec.support.world"

local UNIT, DEPLOYMENT = "examples/fleet/scope3-drain@.service", "examples/fleet/drain.yaml"

describe("an example of a drainer", function()
  if os.getenv "ASAN_OPTIONS" then
    return -- other programs have leaks of their own
  end
  teardown(world.clean)

  local function sh(line)
    local out = world.path ".out"
    local code = os.execute(("unset LD_PRELOAD; (%s) >'%s' 2>&1"):format(line, out))
    return code == true or code == 0, world.read(out)
  end

  local has_analyze, has_yaml = sh "command -v systemd-analyze", sh "python3 -c 'import yaml'"

  -- The command gets as far as the Redis that is not there.
  local function runs(words)
    local list = { words = words }
    for word in words:gmatch "%S+" do
      list[#list + 1] = word
    end
    local code, _, err = world.command(list, { env = "SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 "
      .. "SCOPE3_REDIS_URL=redis://127.0.0.1:1" })
    assert.equal(1, code, err)
    assert.truthy(err:find("Redis: ", 1, true), err)
  end

  it("is a unit whose command runs", function()
    local text = world.read(UNIT)
    local words = assert(text:match "ExecStart=/usr/bin/scope3 ([^\n]+)")
    local folder = "/var/lib/" .. text:match "StateDirectory=([^\n]+)" -- systemd gives it to the unit's user
    local with_its_own, times = words:gsub("%%i", "crm"):gsub(folder .. "/", (world.path ".prom"):match "^.*/")
    assert.equal(1, times)
    runs(with_its_own)
    assert.is_true(tonumber(text:match "UMask=(%d+)" :sub(-1)) < 4, "others may not read the metrics")
    assert.truthy(text:find("SuccessExitStatus=130", 1, true))
    if has_analyze then
      folder = world.path ".units"
      assert(sh(("mkdir '%s' && sed -e 's|/usr/bin/scope3|/bin/true|' %s >'%s/scope3-drain@crm.service'"):format(folder,
        UNIT, folder)))
      local fine, said = sh(("systemd-analyze verify --man=no '%s/scope3-drain@crm.service'"):format(folder))
      sh(("rm -rf '%s'"):format(folder))
      assert.is_true(fine, said)
      assert.falsy(said:find("Unknown", 1, true), said)
    end
  end)

  it("is a deployment whose command runs", function()
    local args = assert(world.read(DEPLOYMENT):match "args: %[([^%]]+)%]")
    runs((args:gsub('[",]', " ")))
    if has_yaml then
      local fine, said = sh(("python3 -c 'import yaml,sys; d=yaml.safe_load(open(\"%s\")); s=d[\"spec\"]; "
        .. "assert s[\"selector\"][\"matchLabels\"] == s[\"template\"][\"metadata\"][\"labels\"]'"):format(DEPLOYMENT))
      assert.is_true(fine, said)
    end
  end)
end)
