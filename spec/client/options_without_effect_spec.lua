-- An option that would have no effect is refused, in calls, in scripts and on the command line.
local scope3 = require "scope3"
local world = require "spec.support.world"

local KEY32 = ("k"):rep(32)

describe("an option without effect", function()
  local sandbox = world.around(setup, teardown, before_each)
  local MAP = { external_id = "id", email = "mail" }
  local SCRIPT = { audience = "a", map = MAP }
  local csv, jsonl

  before_each(function()
    csv = world.file("id,mail\n1,a@example.com\n2,b@example.com\n", ".csv")
    jsonl = world.file('{"id":"1","mail":"a@example.com"}\n', ".jsonl")
  end)

  local function iterator()
    return nil
  end

  local function with(fields)
    local copy = { audience = "a", map = MAP }
    for key, value in pairs(fields) do
      copy[key] = value
    end
    return copy
  end

  it("raises at the caller's line, in every call of the client", function()
    local client = sandbox:client()
    local audience = assert(scope3.audience { id = "a" })
    assert(audience:add { external_id = "1", email = "a@example.com" })
    local result = assert(client:run(SCRIPT, csv, { dry_run = true }))
    local cases = {
      ["stream: mode"] = function() local _ = client:stream("a", { mode = "remove" }) end,
      ["stream: journal"] = function() local _ = client:stream("a", { journal = "x" }) end,
      ["stream: rate in a dry run"] = function() local _ = client:stream("a", { dry_run = true, rate = 5 }) end,
      ["sync: mode"] = function() local _ = client:sync(audience, { mode = "remove" }) end,
      ["sync: region"] = function() local _ = client:sync(audience, { region = "US" }) end,
      ["sync: timeout in a dry run"] = function() local _ = client:sync(audience, { dry_run = true, timeout = 5 }) end,
      ["run: in_doubt_timeout in a dry run"] = function()
        local _ = client:run(SCRIPT, csv, { dry_run = true, in_doubt_timeout = 5 })
      end,
      ["run: journal in a dry run"] = function()
        local _ = client:run(SCRIPT, csv, { dry_run = true, journal = world.path() })
      end,
      ["run: header of a source"] = function() local _ = client:run(SCRIPT, scope3.csv(csv), { header = false }) end,
      ["run: delimiter of a source"] = function()
        local _ = client:run(SCRIPT, scope3.csv(csv), { delimiter = "," })
      end,
      ["run: format of a source"] = function() local _ = client:run(SCRIPT, scope3.csv(csv), { format = "jsonl" }) end,
      ["run: the script's header, of a source"] = function()
        local _ = client:run({ audience = "a", header = false, map = { external_id = 1, email = 2 } }, scope3.csv(csv))
      end,
      ["run: header of an iterator"] = function() local _ = client:run(SCRIPT, iterator, { header = true }) end,
      ["run: format of an iterator"] = function() local _ = client:run(SCRIPT, iterator, { format = "csv" }) end,
      ["run: delimiter of JSON Lines"] = function() local _ = client:run(SCRIPT, jsonl, { delimiter = ";" }) end,
      ["run: header of JSON Lines"] = function()
        local _ = client:run(SCRIPT, { csv }, { format = "jsonl", header = true })
      end,
      ["run: the script's delimiter, of JSON Lines"] = function()
        local _ = client:run(with { delimiter = ";" }, jsonl)
      end,
      ["run: delete_timeout without delete_missing"] = function()
        local _ = client:run(SCRIPT, csv, { delete_timeout = 5 })
      end,
      ["run: encoding of a source"] = function()
        local _ = client:run(SCRIPT, scope3.csv(csv, { encoding = "cp1252" }), { encoding = "latin1" })
      end,
      ["run: region without a phone"] = function()
        local _ = client:run(SCRIPT, csv, { region = "US", ids = "as_is" })
      end,
      ["run: phone_repairs without a phone"] = function() local _ = client:run(with { phone_repairs = "all" }, csv) end,
      ["run: map.region without a phone"] = function()
        local _ = client:run({
          audience = "a", ids = "as_is", map = { external_id = "id", email = "mail", region = { default = "US" } },
        }, csv)
      end,
      ["client: ca_file of plain http"] = function()
        local _ = scope3.client { base_url = "http://127.0.0.1:9", ca_file = "/x" }
      end,
      ["run: phone_repairs where ids are enough"] = function()
        local _ = client:run(SCRIPT, csv, { mode = "remove", phone_repairs = "all" })
      end,
      ["wait: audience beside a result"] = function() local _ = client:wait(result, { audience = "b" }) end,
      ["audience: limits"] = function() local _ = client:audience("a", { deadlines = 5 }) end,
      ["audiences: limits"] = function() local _ = client:audiences(nil, { timeout = 5 }) end,
      ["verify: keys with hmac"] = function()
        local _ = scope3.webhook.verify({ headers = {} }, { mode = "hmac", secrets = { KEY32 }, keys = {} })
      end,
      ["verify: seen with hmac"] = function()
        local _ = scope3.webhook.verify({ headers = {} },
          { mode = "hmac", secrets = { KEY32 }, seen = scope3.webhook.replay_cache() })
      end,
      ["verify: secrets with bearer"] = function()
        local _ = scope3.webhook.verify({ headers = {} }, { mode = "bearer", credentials = KEY32, secrets = { KEY32 } })
      end,
      ["verify: revoked with bearer"] = function()
        local _ = scope3.webhook.verify({ headers = {} }, { mode = "bearer", credentials = KEY32, revoked = iterator })
      end,
      ["verify: max_skew with rfc9421"] = function()
        local _ = scope3.webhook.verify({ headers = {}, method = "POST", url = "https://a.example/" },
          { mode = "rfc9421", keys = {}, max_skew = 5 })
      end,
      ["deliveries: max beside a store"] = function() local _ = scope3.webhook.deliveries { store = {}, max = 5 } end,
    }
    for name, call in pairs(cases) do
      local ok, why = pcall(call)
      assert.is_false(ok, name)
      assert.truthy(tostring(why):find("spec/client/options_without_effect_spec.lua:%d+: "),
        name .. ": " .. tostring(why))
    end
    assert.equal(0, #sandbox:requests("sync"))
    assert.is_false(world.exists("x"))
  end)

  it("raises nothing where it has one, and where a script that may add is used to remove", function()
    local client = sandbox:client()
    sandbox:control("PUT", "audience", { account = "25", audienceId = "a", status = "READY" })
    assert.equal(2, assert(client:run({ audience = "a", map = { external_id = 1, email = 2 } },
      scope3.csv(world.file("1,a@example.com\n2,b@example.com\n"),
      { header = false }), { header = false })).members)
    assert.equal(3, assert(client:run(SCRIPT, { csv, jsonl }, { delimiter = "," })).rows)
    assert.equal(2, assert(client:run(SCRIPT, scope3.csv(csv, { encoding = "latin1" }),
      { encoding = "ISO-8859-1", dry_run = true })).rows)
    assert.equal(2, assert(client:run({
      audience = "a", ids = "as_is", mode = "remove",
      map = { external_id = "id", email = "mail", region = { default = "US" } },
    }, csv)).removed)
    local nobody = { delete_missing = { "other" }, delete_timeout = 5 }
    assert.equal(2, assert(client:run(SCRIPT, csv, nobody)).rows)
    assert.equal(2, assert(client:run({
      audience = "a", region = "US", repair = false,
      map = { external_id = "id", email = "mail", phone = "mail",
        region = { default = "DE" } },
    }, csv, { mode = "remove" })).removed)
    local res = assert(client:run(SCRIPT, { csv, jsonl }, { dry_run = true, unique = true, max_members = 1 }))
    assert.same({ 1, 2 }, { res.deferred, res.epochs })
  end)

  it("in a script's file is the script's error", function()
    local path = world.file('return { audience = "a", region = "US", ids = "as_is", map = { external_id = "id", '
      .. 'email = "mail" } }', ".lua")
    local res, err = sandbox:client():run(path, csv)
    assert.is_nil(res)
    assert.same({ "script", "no_effect" }, { err.kind, err.code })
    assert.truthy(err.message:find("region has no effect where no phone is mapped", 1, true), err.message)
  end)

  it("of a callback's registration is named: schemes is AdCP's word for scheme", function()
    local client = sandbox:client()
    local function stream(authentication)
      return client:stream("a", { push_notification_config = {
        url = "https://hooks.example/x", authentication = authentication,
      } })
    end
    for _, wrong in ipairs {
      { schemes = { "Bearer" }, scheme = "HMAC-SHA256", credentials = KEY32 },
      { schemes = { "Bearer", "HMAC-SHA256" }, credentials = KEY32 }, { schemes = {}, credentials = KEY32 },
      { schemes = "Bearer", credentials = KEY32 }, { scheme = "Bearer", credentials = KEY32, credential = KEY32 },
    } do
      local none, err = stream(wrong)
      assert.is_nil(none)
      assert.truthy(err.message:find("push_notification_config.authentication.s?c?[hr]e[md]"), err.message)
      assert.is_nil(err.message:find(KEY32, 1, true))
    end
    local good = assert(stream { schemes = { "HMAC-SHA256" }, credentials = KEY32 })
    assert(good:add { external_id = "1", email = "a@example.com" })
    assert(good:finish())
  end)

  it("of the command is a wrong usage", function()
    local function words(line)
      local list = {}
      for word in line:gsub("CSV", csv):gsub("JSONL", jsonl):gsub("MAP",
        "--audience a --map external_id=id --map email=mail"):gmatch("%S+") do
        list[#list + 1] = word
      end
      return list
    end
    for _, line in ipairs {
      "sync CSV MAP --dry-run --journal j", "sync CSV MAP --dry-run --wait", "sync CSV MAP --wait=5 --dry-run",
      "sync CSV MAP --dry-run --rate 5", "sync CSV MAP --dry-run --timeout 5", "sync CSV MAP --dry-run --ca-file x",
      "sync CSV MAP --dry-run --require-ready", "sync CSV MAP --sandbox --account 25 --require-ready",
      "sync CSV MAP --sandbox --base-url http://127.0.0.1:9", "sync CSV MAP --sandbox --ca-file x",
      "sync CSV MAP --base-url http://127.0.0.1:9 --ca-file x --account 25",
      "sync CSV MAP --ids as_is --dry-run --region US", "sync CSV MAP --ids as_is --map region=id --dry-run",
      "sync CSV MAP --dry-run --phone-repairs all",
      "sync CSV MAP --mode remove --phone-repairs all --dry-run",
      "sync JSONL MAP --dry-run --delimiter ;", "sync CSV MAP --format jsonl --delimiter ; --dry-run",
      "sync JSONL --audience a --map external_id=1 --map email=2 "
      .. "--no-header --dry-run", "sync CSV MAP --audience b --dry-run", "sync CSV MAP --name x --name y --dry-run",
      "hash email a@b.co --region US", "hash phone 1 --no-repair", "hash email a@b.co --json --explain",
      "task T --sandbox", "wait T --sandbox", "wait T --require-ready", "task T --json --quiet",
      "audiences --quiet", "doctor -q --json", "sandbox --json", "sandbox --port 1 --port 2",
      "audiences --sandbox --base-url http://127.0.0.1:9", "doctor --sandbox --ca-file x",
      "hash email a@b.co --account 25", "audiences --wait", "task T --dry-run",
    } do
      local code, out, err = world.command(words(line))
      assert.equal(2, code, line .. "\n" .. out .. err)
      assert.is_nil(err:find("traceback", 1, true), line)
    end
    assert.is_false(world.exists("j"))
    for _, line in ipairs {
      "sync CSV JSONL MAP --delimiter , --dry-run", "sync CSV MAP --dry-run --unique --concurrency 2 --account 25",
    } do
      local code, out, err = world.command(words(line))
      assert.equal(0, code, line .. "\n" .. out .. err)
    end
  end)
end)
