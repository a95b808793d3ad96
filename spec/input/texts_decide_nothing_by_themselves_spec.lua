-- A text such as "false" or "no" decides nothing by being a text, though Lua calls every text true.
-- A person whose consent cannot be read is not sent.
local scope3 = require "scope3"
local world = require "spec.support.world"

describe("the text of a consent", function()
  teardown(world.clean)
  local client = assert(scope3.client {})
  local CSV = "id,mail,optin\n1,a@b.co,True\n2,b@b.co,False\n3,c@b.co,TRUE\n4,d@b.co,true\n5,e@b.co,no\n6,f@b.co,0\n"
    .. "7,g@b.co,\n8,h@b.co,perhaps\n"
  local JSON = '{"id":"1","mail":"a@b.co","optin":true}\n{"id":"2","mail":"b@b.co","optin":"false"}\n{"id":"3",'
    .. '"mail":"c@b.co","optin":0}\n'
    .. '{"id":"4","mail":"d@b.co","optin":false}\n{"id":"5","mail":"e@b.co","optin":null}\n{"id":"6","mail":"f@b.co"}\n'
    .. '{"id":"7","mail":"g@b.co","optin":"true"}\n'
    .. '{"id":"8","mail":"h@b.co","optin":1}\n{"id":"9","mail":"i@b.co","optin":{"a":1}}\n'

  local function attempt(script, source)
    script.audience = "a"
    script.map = not script.member and { external_id = "id", email = "mail" } or nil
    return client:run(script, source, { dry_run = true })
  end

  local function where(condition, text, suffix)
    local res = assert(attempt({ where = condition }, world.file(text, suffix)))
    world.assert_sums(res)
    return res
  end

  it("stops a job whose where() gives it, at its first row", function()
    local res, err = attempt({ where = function(row)
      return row.optin
    end }, world.file(CSV, ".csv"))
    assert.is_nil(res)
    assert.equal("script", err.kind)
    local words = "row 1 (line 2): where() must give true, false or nil, not a string"
    assert.truthy(err.message:find(words, 1, true), err.message)
    assert.equal(0, err.result.members)
    local _
    for value, name in pairs { [0] = "number", [{}] = "table", [print] = "function", ["no"] = "string" } do
      _, err = attempt({ where = function()
        return value
      end }, world.file(CSV, ".csv"))
      assert.truthy(err.message:find("not a " .. name, 1, true), err.message)
    end
    _, err = attempt({ where = function(row)
      return row.optin
    end }, world.file(JSON, ".jsonl"))
    assert.truthy(err.message:find("row 2 (line 2): where() must give", 1, true), err.message)
    for _, nothing in ipairs { scope3.null, false } do
      res = assert(attempt({ where = function()
        return nothing
      end }, world.file(CSV, ".csv")))
      assert.equal(8, res.skipped)
    end
    res = assert(attempt({ where = function() end }, world.file(CSV, ".csv")))
    assert.equal(8, res.skipped)
  end)

  it("is no true and no false to a condition: over CSV such a condition is refused, with the ways out", function()
    for _, condition in ipairs { { optin = true }, { optin = { eq = false } }, { optin = { ne = true } },
      { optin = { "x", true } } } do
      local res, err = attempt({ where = condition }, world.file(CSV, ".csv"))
      assert.is_nil(res)
      assert.equal("invalid", err.kind)
      assert.truthy(err.message:find("where['optin']", 1, true) and err.message:find("{ yes = true }", 1, true),
        err.message)
    end
    local _, err = attempt({ where = { optin = true } }, assert(scope3.csv(world.file(CSV))))
    assert.equal("invalid", err.kind)
  end)

  it("counts for neither in JSON Lines and tables: who cannot be read is not sent", function()
    for _, case in ipairs { { { optin = true }, 1, 5 }, { { optin = false }, 1, 5 }, { { optin = { ne = true } }, 3,
      5 }, { { optin = { ne = false } }, 3, 5 } } do
      local res = where(case[1], JSON, ".jsonl")
      assert.same({ case[2], case[3] }, { res.members, res.conditions[1].not_yes_or_no })
      assert.equal("not_yes_or_no", res.warnings[1].code)
    end
    local rows, i = { { id = 1, mail = "a@b.co", ok = true }, { id = 2, mail = "a@b.co", ok = "true" }, { id = 3,
      mail = "a@b.co", ok = "false" } }, 0
    local res = assert(attempt({ where = { ok = true } }, function()
      i = i + 1
      return rows[i]
    end))
    assert.same({ 1, 2 }, { res.members, res.conditions[1].not_yes_or_no })
  end)

  it("is read by yes: the usual words, and what is neither is counted and skipped", function()
    for _, case in ipairs {
      { { optin = { yes = true } }, CSV, ".csv", 3, 1, 1 }, { { optin = { yes = false } }, CSV, ".csv", 3, 1, 1 },
      { { optin = { yes = false, blank = "no" } }, CSV, ".csv", 4, 1, 0 }, { { optin = { yes = true, blank = "yes" } },
        CSV, ".csv", 4, 1, 0 },
      { { optin = { yes = true, blank = "no" } }, CSV, ".csv", 3, 1, 1 },
      { { optin = { yes = true } }, JSON, ".jsonl", 3, 1, 2 }, { { optin = { yes = false } }, JSON, ".jsonl", 3, 1, 2 },
    } do
      local res = where(case[1], case[2], case[3])
      local condition = res.conditions[1]
      assert.same({ case[4], case[5], case[6] }, { res.members, condition.not_yes_or_no, condition.absent })
      assert.equal("not_yes_or_no", res.warnings[1].code)
    end
    assert.equal(3, where(function(row)
      return scope3.yes(row.optin)
    end, CSV, ".csv").members)
  end)

  it("decides nothing in a member either", function()
    for _, wrong in ipairs { "false", 0, "no" } do
      local _, err = attempt({ member = function(row)
        return { external_id = row.id, remove = wrong }
      end }, world.file(CSV, ".csv"))
      assert.truthy(err.message:find("remove must be true or false", 1, true), err.message)
      _, err = attempt({ member = function()
        return wrong
      end }, world.file(CSV, ".csv"))
      assert.truthy(err.message:find("member() must give a table or nil", 1, true), err.message)
    end
  end)

  it("is no option: header, repair and dry_run take true and false alone", function()
    local path = world.file(CSV, ".csv")
    for _, key in ipairs { "header", "repair", "dry_run" } do
      assert.has_error(function()
        client:run({ map = { external_id = "id", email = "mail" }, audience = "a" }, path, { [key] = "false" })
      end, ("client:run: %s must be a boolean, not a string"):format(key))
    end
    assert.has_error(function()
      scope3.csv(path, { header = "false" })
    end, "scope3.csv: header must be a boolean, not a string")
  end)
end)
