-- A journal belongs to one job: where its members go, what is said of their audience, and how its rows are read.
local world = require "spec.support.world"

describe("a journal", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("of another service, account, audience or reading of rows sends nothing, and says what differs", function()
    local other = world.sandbox()
    local file = world.file "id;email;tel\n1;a@example.com;\n2;b@example.com;\n"
    local map = { external_id = "id", email = "email", phone = "tel" }
    local function run(client, path, changes)
      local opts = { journal = path }
      for key, value in pairs(changes or {}) do
        opts[key] = value
      end
      local audience = { id = opts.id or "a", name = opts.name or "A", consent_basis = opts.basis or "consent" }
      opts.id, opts.name, opts.basis, opts.audience = nil, nil, nil, audience
      local script = { map = opts.map or map, where = opts.where }
      opts.map, opts.where = nil, nil
      return client:run(script, file, opts)
    end
    local client = sandbox:client()
    local path = world.path ".journal"
    assert(run(client, path))
    local cases = {
      { other:client(), {}, "service" }, { sandbox:client { account_id = "26" }, {}, "account" },
      { client, { id = "b" }, "audience" }, { client, { name = "B" }, "name" },
      { client, { basis = "contract" }, "consent_basis" }, { client, { region = "DE" }, "region" },
      { client, { repair = false }, "repair" }, { client, { phone_repairs = "all" }, "phone_repairs" },
      { client, { phone_repairs = { "plus" } }, "phone_repairs" },
      { client, { delimiter = ";" }, "delimiter" }, { client, { mode = "remove" }, "mode" },
      { client, { header = true }, "header" }, { client, { max_members = 5 }, "max_members" },
      { client, { max_bytes = 5000 }, "max_bytes" }, { client, { unique = true }, "epochs" },
    }
    for _, case in ipairs(cases) do
      local res, err = run(case[1], path, case[2])
      assert.same({ nil, "journal", "another_job" }, { res, err and err.kind, err and err.code }, case[3])
      assert.truthy(err.message:find(case[3] .. " was ", 1, true), err.message)
    end
    local res, err = run(client, path, { where = { id = "2" } })
    assert.same({ nil, "changed_input" }, { res, err.code })
    assert.equal(1, #sandbox:requests "sync")
    assert.equal(0, #other:requests "sync")
    other:close()
    res = assert(run(client, path, { timeout = 30, rate = 5000, concurrency = 1 })) -- a run's own affair
    assert.same({ 2, 2 }, { res.accepted, res.resumed })
  end)

  it("knows an option of reading in any spelling, and what is so unless said", function()
    local client, path = sandbox:client(), world.path ".journal"
    local file = world.file("id\1email\n1\1c@example.com\n", ".csv")
    local before = #sandbox:requests "sync"
    for i, opts in ipairs {
      { delimiter = "\\x01", encoding = "latin1" },
      { delimiter = "^A", encoding = "ISO_8859-1:1987", quote = "double" },
      { delimiter = "\1", encoding = "iso-8859-1", quote = '"', escape = "none" },
    } do
      opts.audience, opts.journal = { id = "spelled", name = "S", consent_basis = "consent" }, path
      local res, err = client:run({ map = { external_id = "id", email = "email" } }, file, opts)
      assert(res, tostring(err) .. " at " .. i)
      assert.equal(1, res.accepted)
      opts.quote = "none"
      res, err = client:run({ map = { external_id = "id", email = "email" } }, file, opts)
      assert.same({ nil, "another_job" }, { res, err and err.code })
    end
    local _, err = client:run({ map = { external_id = "id", email = "email" } }, file, { delimiter = "^_",
      encoding = "latin1", journal = path, audience = { id = "spelled", name = "S", consent_basis = "consent" } })
    assert.truthy(err.message:find("map for", 1, true) or err.message:find("was \\x01 and is now \\x1f", 1, true),
      err.message)
    assert.equal(before + 1, #sandbox:requests "sync")
  end)

  it("of a private sandbox is not taken for one of the service", function()
    local file, path = world.file "id,email\n1,a@example.com\n", world.path ".journal"
    local function command(last, value)
      return world.command({
        "sync", file, "--audience", "a", "--account", "25", "--map",
        "external_id=id", "--map", "email=email", "--journal", path, last, value,
      }, { env = "SCOPE3_API_KEY=scope3_test_key" })
    end
    assert.equal(0, (command "--sandbox"))
    local code, _, complaint = command("--base-url", sandbox.url)
    assert.equal(1, code)
    assert.truthy(complaint:find("service was http://127.0.0.1", 1, true), complaint)
    assert.equal(0, #sandbox:requests "sync")
  end)
end)
