-- The look at the account's audiences before a removal: what it suggests, and what becomes of a job where it fails.
local answering = require "spec.support.answering"
local json = require "scope3.sandbox.json"

local unpack = rawget(table, "unpack") or rawget(_G, "unpack")

describe("the look-up before a removal", function()
  local server = answering.around(setup, teardown)

  local function remove(opts)
    local rows = { { id = "1" } }
    return server:client():run({ audience = "customers", mode = "remove", map = { external_id = "id" } }, function()
      return table.remove(rows)
    end, opts)
  end

  local function listed(...)
    local rows = json.array {}
    for i, id in ipairs { ... } do
      rows[i] = { audienceId = id, status = "READY" }
    end
    server:play { audiences = { json.encode { audiences = rows, total = #rows } } }
  end

  it("suggests the closest names first, those as close in the order of their bytes, and three at most", function()
    for wanted, names in pairs {
      ["Customers1, customer, custumers2?"] = { "custumers2", "zzzzzzzzz", "Customers1", "customer", "prospects" },
      ["customer, customers1, customers2?"] = { "customers3", "customers2", "customers1", "customer" },
    } do
      listed(unpack(names))
      local res, err = remove()
      assert.is_nil(res)
      assert.equal("audience_unknown", err.code)
      assert.truthy(err.message:find("did you mean " .. wanted, 1, true), err.message)
    end
  end)

  it("suggests names with one other letter in four, and at least one", function()
    for id, is_close in pairs {
      customerx = true, custumerx = true, custumorx = false, -- of nine letters two
      ucstomres = true, -- two swaps are two, too
    } do
      listed(id)
      local _, err = remove()
      assert.equal(is_close, err.message:find("did you mean", 1, true) ~= nil, id)
    end
    for id, is_close in pairs { abx = true, axx = false, ab = true, a = false, abcd = true, ABC = true } do
      listed(id)
      local rows = { { id = "1" } }
      local _, err = server:client():run({ audience = "abc", mode = "remove", map = { external_id = "id" } }, function()
        return table.remove(rows)
      end)
      assert.equal(is_close, err.message:find("did you mean", 1, true) ~= nil, id)
    end
  end)

  it("suggests names of 255 bytes at most", function()
    for length, is_close in pairs { [255] = true, [256] = false } do
      listed(("c"):rep(length))
      local rows = { { id = "1" } }
      local _, err = server:client():run({ audience = ("c"):rep(254), mode = "remove", map = { external_id = "id" } },
        function()
          return table.remove(rows)
        end)
      assert.equal(is_close, err.message:find("did you mean", 1, true) ~= nil, length)
    end
  end)

  it("reads no more of the account than it needs", function()
    local rows = json.array { { audienceId = "customers", status = "READY" } }
    for i = 2, 100 do
      rows[i] = { audienceId = "other" .. i, status = "READY" }
    end
    server:play { audiences = { json.encode { audiences = rows, total = 1000 } } }
    assert(remove())
    assert.equal(1, #server:requests "/audiences%?")
  end)

  it("that is cancelled ends a dry run too", function()
    server:play {}
    local asked = 0
    local res, err = remove { dry_run = true, cancel = function()
      asked = asked + 1
      return #server:requests "/audiences%?" > 0 or asked > 1
    end }
    assert.same({ nil, "cancelled" }, { res, err.kind })
  end)

  it("that fails ends the job before anything is sent, and says what was being done", function()
    server:play { audiences = { { 403, '{"error":{"code":"FORBIDDEN","message":"no"}}' } } }
    local res, err = remove()
    assert.is_nil(res)
    assert.equal(403, err.status)
    assert.truthy(err.message:find("(the audience to remove from was being looked up; nothing was sent)", 1, true),
      err.message)
    assert.same({}, server:requests "/sync")
  end)

  it("that fails in a dry run is a warning", function()
    server:play { audiences = { { 403, '{"error":{"code":"FORBIDDEN","message":"no"}}' } } }
    local res = assert(remove { dry_run = true })
    assert.equal(1, res.would_remove)
    local found
    for _, warning in ipairs(res.warnings) do
      found = found or warning.code == "audience_not_looked_up" and warning.message
    end
    assert.truthy(found and found:find("The audience to remove from could not be looked up: ", 1, true), found)
  end)
end)

describe("warnings of the service", function()
  local server = answering.around(setup, teardown)

  it("are said to be more where a task has over twenty", function()
    for count, more in pairs { [1] = 0, [20] = 0, [21] = 1, [30] = 10 } do
      local warnings = json.array {}
      for i = 1, count do
        warnings[i] = { code = "LOW_MATCH", message = "few matched in part " .. i }
      end
      server:play { task = { json.encode { task = { taskId = "$ID", status = "completed", warnings = warnings } } } }
      local seen = assert(server:client():task "t1")
      assert.equal(math.min(count, 20) + (more > 0 and 1 or 0), #seen.warnings)
      local last = seen.warnings[#seen.warnings].message
      local words = more == 1 and "%d more warning of this task is not shown"
        or "%d more warnings of this task are not shown"
      assert.equal(more > 0, last == words:format(more), last)
    end
  end)

  it("are shown up to a number of them, and then counted in one more", function()
    local warnings = json.array {}
    for i = 1, 300 do
      warnings[i] = { code = "LOW_MATCH", message = "few matched in part " .. i }
    end
    server:play { task = { json.encode { task = { taskId = "$ID", status = "completed",
      createdAt = "2026-11-01T00:00:00Z", updatedAt = "2026-11-01T00:00:09Z", warnings = warnings } } } }
    local client = server:client()
    local rows = {}
    for i = 1, 4 do
      rows[i] = { id = tostring(i), mail = ("m%d@example.com"):format(i) }
    end
    local res = assert(client:run({ audience = "a", map = { external_id = "id", email = "mail" } }, function()
      return table.remove(rows)
    end, { max_members = 1 }))
    assert(res:wait())
    local counts = {}
    for _, warning in ipairs(res.warnings) do
      counts[warning.code] = (counts[warning.code] or 0) + 1
    end
    assert.equal(1, counts.task_warnings)
    assert.is_true(counts.task_warning > 1 and counts.task_warning < 1200, tostring(counts.task_warning))
  end)
end)
