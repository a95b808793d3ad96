-- Bad input: each kind has its own clear error, and nothing is lost.
local scope3 = require "scope3"
local virtual = require "spec.support.virtual"
local world = require "spec.support.world"

local SCRIPT = { map = { external_id = "id", email = "mail" }, audience = "a" }
local FILE = "id,mail\n1,a@example.com\n2,b@example.com\n"

describe("bad input", function()
  local sandbox = world.around(setup, teardown, before_each, { accounts = { "25" }, keys = { "scope3_good" } })

  local function run(path, client_opts, opts)
    local settings = {
      api_key = "scope3_good", account_id = "25", base_url = sandbox.url, rate = 100000, loop = virtual.loop(),
    }
    for key, value in pairs(client_opts or {}) do
      settings[key] = value
    end
    local client = assert(scope3.client(settings))
    local res, err = client:run(SCRIPT, path or world.file(FILE), opts)
    assert.is_nil(res)
    if err.result then
      world.assert_sums(err.result)
    end
    return err
  end

  it("of files: missing, a directory, empty, without the column, UTF-16, binary", function()
    local cases = {
      { "/no/such/file.csv", "source", "cannot read /no/such/file.csv: No such file or directory" },
      { "spec", "source", "cannot read spec: it is a directory" },
      { world.file(""), "source", "the file is empty" },
      { world.file("\n\n"), "source", "the file is empty" },
      { world.file("id,email\n1,a@example.com\n"), "invalid", "the columns are: id, email" },
      { world.file("i\0d\0,\0m\0\n\0"), "source", "UTF-16" },
      { world.file("\137PNG\r\n\26\n\0\0\0\13IHDR\0\0\1"), "source", "an image" },
      { world.file(("\1\2\3\200"):rep(5000)), "source", "not text" },
      { world.file("PK\3\4" .. ("x"):rep(100)), "source", "a zip archive" },
      { world.file("id,mail\n1,\"open\n"), "source", "a quote is opened and does not close" },
    }
    for _, case in ipairs(cases) do
      local err = run(case[1])
      assert.equal(case[2], err.kind, tostring(err))
      assert.truthy(tostring(err):find(case[3], 1, true), tostring(err))
    end
    assert.equal(0, #sandbox:requests())
  end)

  it("in the middle of a file: what was read before is sent and accounted for", function()
    local lines = { "id,mail" }
    for i = 1, 50 do
      lines[#lines + 1] = ("%d,m%d@example.com"):format(i, i)
    end
    lines[#lines + 1] = '51,"open'
    local err = run(world.file(table.concat(lines, "\n")), nil, { max_members = 20 })
    assert.equal("unclosed_quote", err.code)
    assert.same({ 50, 40, 10 }, { err.result.members, err.result.accepted, err.result.failed })
  end)

  it("of a key: 401 names the variable and not the key", function()
    local err = run(nil, { api_key = "scope3_wrong_key" })
    assert.same({ "http", 401, "UNAUTHORIZED", 2 }, { err.kind, err.status, err.code, err.result.failed })
    assert.truthy(err.message:find("SCOPE3_API_KEY", 1, true))
    assert.is_nil(tostring(err):find("wrong_key", 1, true))
  end)

  it("of an account: 404", function()
    local err = run(nil, { account_id = "26" })
    assert.same({ "not_found", 404 }, { err.kind, err.status })
    assert.truthy(err.message:find("account id", 1, true))
  end)

  it("of a host: dead, or silent until the time is over", function()
    local err = run(nil, { base_url = "http://127.0.0.1:9" })
    assert.same({ "network", "COULDNT_CONNECT", 2 }, { err.kind, err.code, err.result.failed })
    sandbox:fault { on = "sync", act = "hang", times = -1 }
    err = run(nil, nil, { timeout = 0.4 })
    assert.same({ "timeout", 2 }, { err.kind, err.result.unknown })
  end)

  it("of replies: each is told apart", function()
    local cases = {
      { { act = "redirect", location = "https://other.example.com/x" }, "http", 302, "points to other.example.com", 1 },
      { { act = "status", status = 200, html = true, message = "Sign in" }, "http", 200, "an HTML page (Sign in)", 3 },
      { { act = "status", status = 502, html = true }, "http", 502, "an HTML page", 8 },
      { { act = "status", status = 202, empty = true }, "http", 202, "an empty body", 3 },
      { { act = "status", status = 500, empty = true }, "http", 500, "an empty body", 2 },
      { { act = "status", status = 500, error_string = true, message = "it broke" }, "http", 500, "it broke", 2 },
      { { act = "status", status = 402 }, "http", 402, "credit limit", 1 },
      { { act = "not_json" }, "http", 200, "not JSON", 3 },
      { { act = "wrong_envelope" }, "http", 200, "an empty envelope", 3 },
      { { act = "status", status = 202, body = "{}" }, "http", nil, "named no task", 1 },
      { { act = "status", status = 413 }, "http", 413, "lower max_bytes", 1 },
      {
        {
          act = "status", status = 409,
          body = '{"data":null,"error":{"code":"CONFLICT","message":"busy","details":null}}',
        },
        "http", 409, "CONFLICT: busy", 1,
      },
      { { act = "status", status = 400, body = '{"message":"flat","code":"BAD"}' }, "invalid", 400, "BAD: flat", 1 },
      { { act = "half_reply" }, "network", 202, "cut short", 8 },
      { { act = "garbage" }, "network", nil, "not HTTP", 3 },
      { { act = "huge" }, "http", 200, "over 8 MiB", 1 },
      { { act = "huge", chunked = true }, "http", 200, "over 8 MiB", 1 },
      { { act = "cut_before" }, "network", nil, "connection", 8 },
      { { act = "cut_inside" }, "network", nil, "connection", 8 },
    }
    for _, case in ipairs(cases) do
      sandbox:reset()
      case[1].on, case[1].times = "sync", -1
      sandbox:fault(case[1])
      local err = run()
      assert.same({ case[2], case[3] }, { err.kind, err.status }, tostring(err))
      assert.truthy(tostring(err):find(case[4], 1, true), tostring(err))
      -- A success that cannot be read, and a request that was sent and not answered, may have been carried out.
      local unknown = err.kind == "network" or err.code == "BAD_REPLY" or err.code == "TOO_LARGE" or err.status == 500
        or err.status == 502
      assert.equal(2, err.result.failed + err.result.unknown)
      if not case[1].act:find("^cut_") then -- how much had left this machine then is the kernel's affair
        assert.equal(unknown and 2 or 0, err.result.unknown, tostring(err))
      end
      assert.equal(case[5], #sandbox:requests("sync"), tostring(err))
    end
  end)

  it("of a service's list of issues: all are reported, with their paths", function()
    sandbox:fault { on = "sync", act = "issues", issues = {
      { path = "audiences[0].name", message = "is taken" },
      { path = { "audiences", 0, "add", 17 }, message = "is odd" }, "a bare word",
    } }
    local err = run()
    assert.equal("invalid", err.kind)
    assert.same({
      { path = "audiences[0].name", message = "is taken" },
      { path = "audiences[0].add[17]", message = "is odd" }, { message = "a bare word" },
    },
      err.issues)
  end)

  it("of a rejects file that cannot be written", function()
    local code, _, err = world.command {
      "sync", world.file(FILE), "--dry-run", "--audience", "a", "--map",
      "external_id=id", "--map", "email=mail", "--rejects", "/no/such/folder/rejects.csv",
    }
    assert.equal(1, code)
    assert.truthy(err:find("/no/such/folder/rejects.csv", 1, true))
  end)
end)

describe("the redactor", function()
  local redact = require "scope3.util.redact"

  it("hides keys, emails, hashes, phones, tokens and quoted values, and keeps the rest", function()
    local text = redact.text("value 'Jane' of jane+x@example.com, tel +1 (206) 555-1234, hash " .. ("ab"):rep(32)
      .. ", key scope3_abc-D, Bearer xyz, id \"4711\" at add[17]")
    for _, secret in ipairs { "Jane", "jane", "206", "abab", "scope3_abc", "xyz", "4711" } do
      assert.is_nil(text:find(secret, 1, true), secret .. " in " .. text)
    end
    assert.truthy(text:find("at add[17]", 1, true))
    assert.is_true(#redact.text(("x "):rep(5000)) < 600)
  end)
end)
