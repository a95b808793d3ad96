-- Match diagnostics, the newer error codes and the service's version are shown, and nothing that may be a value.
-- A match rate says which counts it is a share of.
local answering = require "spec.support.answering"
local scope3 = require "scope3"
local world = require "spec.support.world"

local json = world.json

describe("what else a reply reports", function()
  local server = answering.around(setup, teardown)

  local function row(more)
    return ('{"audienceId":"a","name":"N","status":"READY","updatedAt":"2026-11-01T00:00:10Z"%s}'):format(more)
  end

  local function list(...)
    return { '{"audiences":[' .. table.concat({ ... }, ",") .. '],"total":' .. select("#", ...) .. "}" }
  end

  local function run(...)
    local code, out, said = world.command({ ... }, { env = "SCOPE3_API_KEY=scope3_k SCOPE3_ACCOUNT_ID=25" })
    return out, said, code
  end

  local FULL = ',"uploadedCount":50,"total_uploaded_count":2000000,"matchedCount":1200000,"effective_match_rate":0.6,'
    .. '"minimum_size":1000,"last_synced_at":"2026-11-01T02:00:00Z","match_breakdown":[{"id_type":"hashed_email",'
    .. '"submitted":1500000,"matched":1200000,"match_rate":0.8},{"idType":"uid2","matchRate":0.305}]'

  it("of an audience's matching is shown in the list, and has no columns where nothing is reported", function()
    server:play { audiences = list(row(FULL)) }
    local out = run("audiences", "--base-url", server.url)
    local lines = {}
    for line in out:gmatch "[^\n]+" do
      lines[#lines + 1] = (line:gsub("  +", "|"))
    end
    assert.equal("AUDIENCE|STATUS|UPLOADED|IN ALL|MATCHED|RATE|NEEDED|BY TYPE|SYNCED|UPDATED|NAME", lines[1])
    assert.equal("a|READY|50|2,000,000|1,200,000|60 %|1,000|hashed_email 1,200,000 of 1,500,000 (80 %), uid2 30 %|"
      .. "2026-11-01T02:00:00Z|2026-11-01T00:00:10Z|N", (lines[2]:gsub("3[01] %%|", "30 %%|")))
    server:play { audiences = list(row ',"uploadedCount":2,"matchedCount":1') }
    out = run("audiences", "--base-url", server.url)
    assert.equal("AUDIENCE|STATUS|UPLOADED|MATCHED|UPDATED|NAME", (out:match "[^\n]+":gsub("  +", "|")))
  end)

  it("of an audience's matching is there for programs, with its numbers whole", function()
    server:play { audiences = list(row(FULL)) }
    local shown = json.decode((run("audiences", "--json", "--base-url", server.url))).audiences[1]
    assert.same({ 50, 2000000, 1200000, 0.6, 1000 }, { shown.uploaded_count, shown.total_uploaded_count,
      shown.matched_count,
      shown.effective_match_rate, shown.minimum_size })
    assert.same({ id_type = "hashed_email", uploaded = 1500000, matched = 1200000, rate = 0.8 },
      shown.match_breakdown[1])
    assert.same({ id_type = "uid2", rate = 0.305 }, shown.match_breakdown[2])
  end)

  it("of the matching that a task reports is there too, and nothing else that is a number", function()
    server:play { task = { '{"task":{"taskId":"$ID","status":"completed","response":{"audiences":[{"audience_id":"a",'
      .. '"action":"updated","total_uploaded_count":5000000,"phone":12065551234,"match_breakdown":[{"id_type":"uid2",'
      .. '"submitted":3000000,"matched":2000000,"match_rate":0.66}]}]}}}' } }
    local told = assert(server:client():task("t1")).response.audiences[1]
    assert.same({ id_type = "uid2", submitted = 3000000, matched = 2000000, match_rate = 0.66 },
      told.match_breakdown[1])
    assert.same({ 5000000, "[redacted]" }, { told.total_uploaded_count, told.phone })
  end)

  it("of its matching that has another type is not shown, nor anything that may be a value", function()
    for _, more in ipairs {
      ',"total_uploaded_count":"many","effective_match_rate":"high","minimum_size":-1,'
        .. '"last_synced_at":"jane@example.com"',
      ',"match_breakdown":{"jane@example.com":1}', ',"match_breakdown":[{"id_type":"jane@example.com","matched":5}]',
      ',"match_breakdown":["jane@example.com",null,7,{"matched":5},{"id_type":7}]',
      ',"effective_match_rate":250,"match_breakdown":null',
    } do
      server:play { audiences = list(row(more)) }
      for _, form in ipairs { "--json", false } do
        local out, said, code = run("audiences", "--base-url", server.url, form or nil)
        assert.equal(0, code, said)
        assert.is_nil(out:find("jane", 1, true), out)
        assert.is_nil(out:find("250 %", 1, true))
      end
    end
  end)

  it("is a share that says of what it is one, in the report", function()
    local rows = world.file("id,mail\n1,a@example.com\n", ".csv")
    for more, want in pairs {
      [',"uploadedCount":4,"matchedCount":3'] = "4 uploaded · 3 matched (75 % of those uploaded)",
      [',"uploadedCount":4,"matchedCount":300'] = "4 uploaded · 300 matched",
      [',"uploadedCount":0,"matchedCount":300'] = "0 uploaded · 300 matched",
      [',"matchedCount":300'] = "READY · 300 matched",
      [',"uploadedCount":4,"total_uploaded_count":1000,"matchedCount":300'] =
        "4 in the last upload · 1,000 uploaded in all · 300 matched (30 % of all uploaded)",
      [FULL] = "match rate 60 % by the service · by type: hashed_email 1,200,000 of 1,500,000 (80 %), uid2",
    } do
      server:play { audiences = list(row(more)) }
      local out = run("sync", rows, "--base-url", server.url, "--audience", "a", "--map", "external_id=id",
        "--map", "email=mail",
        "--wait")
      local line = out:match "\n  audience[^\n]*" or out
      assert.truthy(line:find(want, 1, true), line)
      if not want:find "%%" then
        assert.is_nil(line:find("%", 1, true), line)
      end
    end
  end)

  it("says how many members an audience needs that is too small, and knows that none was matched of all", function()
    local made = assert(scope3.audience { id = "a" })
    assert(made:add { external_id = "1", email = "a@example.com" })
    local function warnings(more)
      server:play { audiences = list((row(more))) }
      local res = assert(server:client():sync(made))
      assert(res:wait { timeout = 60 })
      return res.warnings
    end
    local said = warnings(',"status":"Too-Small","minimum_size":1000,"matchedCount":5')
    assert.same({ "audience_too_small" }, { said[1].code })
    assert.truthy(said[1].message:find("at least 1000 are needed", 1, true), said[1].message)
    said = warnings ',"uploadedCount":0,"total_uploaded_count":9,"matchedCount":0'
    assert.same({ "audience_unmatched" }, { said[1].code })
    for _, word in ipairs { "suspended", "SUSPENDED", "Suspended" } do
      assert.equal("audience_suspended", warnings((',"status":"%s"'):format(word))[1].code)
    end
  end)

  local CODES = {
    CAPABILITY_NOT_SUPPORTED = { 422, "takes no customer audiences" }, PRICING_NOT_CONFIGURED = { 409, "no pricing" },
    INSUFFICIENT_MEDIA_BUDGET = { 409, "budget" }, CURRENCY_MISMATCH = { 400, "currency" },
    FEATURE_NOT_ENABLED = { 400, "enable it" },
  }

  it("has advice for each code that its status alone does not explain, and none is tried again", function()
    local made = assert(scope3.audience { id = "a" })
    assert(made:add { external_id = "1", email = "a@example.com" })
    for code, want in pairs(CODES) do
      local body = ('{"data":null,"error":{"code":"%s","message":"It cannot be done"}}'):format(code)
      server:answer(("return function() return %d, %q end"):format(want[1], body))
      local _, err = server:client():sync(made)
      assert.same({ code, want[1] }, { err.code, err.status })
      assert.truthy(err.message:find(want[2], 1, true), err.message)
      assert.is_nil(err.retryable)
      assert.equal(1, #server:requests())
      local records, why = server:client():syndicate { audience_id = "a", adcp_agent_ids = { "x" } }
      assert.same({ nil, code }, { records, why.code })
      assert.truthy(why.message:find(want[2], 1, true), why.message)
    end
  end)

  it("has advice for such a code of a task too, where the service suggests nothing itself", function()
    local function said(error)
      server:play { task = { '{"task":{"taskId":"$ID","status":"failed","error":' .. error .. "}}" } }
      local made = assert(scope3.audience { id = "a" })
      assert(made:add { external_id = "1", email = "a@example.com" })
      local _, err = assert(server:client():sync(made)):wait { timeout = 60 }
      return err.message
    end
    for code, want in pairs(CODES) do
      assert.truthy(said(('{"code":"%s","message":"no"}'):format(code)):find(want[2], 1, true), code)
    end
    local message = said '{"code":"CURRENCY_MISMATCH","message":"no","suggestion":"Send the request again"}'
    assert.truthy(message:find("the service suggests: Send the request again", 1, true), message)
    assert.is_nil(message:find("the account's", 1, true))
  end)

  it("of the service's version is shown by doctor, and nothing that is no version", function()
    local function doctor(about)
      server:answer(([[local json = ... return function(request)
        if request.path == "/health" then return 200, %q end
        return 200, '{"audiences":[],"total":0}' end]]):format(about))
      local out, _, code = run("doctor", "--base-url", server.url)
      assert.equal(0, code, out)
      return out:match("service's version +([^\n]*)"), out
    end
    assert.equal("2.14.0-rc.1 · commit 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
      (doctor '{"status":"ok","version":"2.14.0-rc.1","commitSha":"0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"}'))
    assert.equal("2.14.0", (doctor '{"data":{"status":"ok","version":"2.14.0"},"error":null}'))
    assert.equal("not told · commit 0a1b2c3", (doctor '{"status":"ok","commit_sha":"0a1b2c3"}'))
    for _, about in ipairs { "{}", '{"version":7,"commitSha":{}}', '{"version":"","commitSha":""}',
      '{"version":"jane@example.com"}',
      '{"version":"\\u001b[2J"}', '{"version":"1.0\\n2.0"}', '{"version":"' .. ("1"):rep(100) .. '"}',
      '{"commitSha":"not a commit"}',
      '{"version":null,"commitSha":null}' } do
      local found, out = doctor(about)
      assert.is_nil(found)
      assert.is_nil(out:find("[\27]") or out:find("jane", 1, true))
    end
    local sandbox = world.sandbox()
    local fine, err, about = sandbox:client():health()
    assert.same({ true, nil, "table" }, { fine, err, type(about) })
    assert.truthy(about.version:find "^sandbox%-")
    sandbox:close()
  end)

  it("of a syndication is typed, and its error is no value of anybody", function()
    server:answer [=[return function() return 200, [[{"items":[{"id":"s","customerId":7,"advertiserId":"25",
      "resourceType":"AUDIENCE","resourceId":"a","audienceId":"a","eventSourceId":null,"catalogId":null,"adcpAgentId":"x",
      "adcpAgentAccountId":8,"enabled":true,"status":"FAILED","lastSyncedAt":"jane",
      "errorMessage":"jane@example.com of member anna is not valid"}],"total":1}]] end]=]
    local record = assert(server:client():syndication_status { audience_id = "a" }())
    assert.same({ "7", "25", "a", "8", "FAILED" }, { record.customer_id, record.advertiser_id, record.audience_id,
      record.adcp_agent_account_id, record.status })
    assert.is_nil(record.last_synced_at)
    assert.is_nil(record.error_message:find("jane", 1, true) or record.error_message:find("anna", 1, true))
    assert.truthy(record.error_message:find("is not valid", 1, true))
  end)
end)
