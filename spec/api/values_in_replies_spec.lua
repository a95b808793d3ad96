-- Errors made from replies hold no id, uid, hash or key, not even a piece of one.
-- Names of strangers reach the terminal without control characters.
local answering = require "spec.support.answering"
local core = require "scope3.core"
local redact = require "scope3.util.redact"
local scope3 = require "scope3"
local world = require "spec.support.world"

local HASH = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514"

local function hides(text, secrets, keeps, known)
  for _, way in ipairs { "text", "strict" } do
    local told = redact[way](text, known)
    for _, secret in ipairs(secrets) do
      assert.is_nil(told:lower():find(secret:lower(), 1, true), ("%s: '%s' in: %s"):format(way, secret, told))
    end
    if way == "text" then
      for _, word in ipairs(keeps or {}) do
        assert.truthy(told:find(word, 1, true), ("'%s' not in: %s"):format(word, told))
      end
    end
  end
end

describe("the redactor", function()
  it("is not led astray by a quote too many", function()
    hides("it can't be 'Jane', we're sorry", { "Jane" }, { "it can't be", "we're sorry" })
    hides("the 5\" id \"Jane\" is taken", { "Jane" }, { "the 5" })
    hides("don't use 'Jane or 'Bob'", { "Jane", "Bob" })
    hides("customers' list: 'Jane' is no name", { "Jane" }, { "customers" })
    hides("value 'O'Brien' is odd", { "Brien" }, { "value", "is odd" })
    hides("name'Jane'next'Bob'", { "Jane", "Bob" })
    hides("got \"Jane", { "Jane" }, { "got" })
    hides("Jane's is \"a \\\"Bob\\\" b\" here", { "Bob" }, { "here" })
    hides("“Jane” and ‘Bob’ and «Ann» and &quot;Tom&quot; and &#39;Kim&#39;", { "Jane", "Bob", "Ann", "Tom", "Kim" })
    hides("`Jane` is `Bob", { "Jane", "Bob" })
    hides(("x"):rep(1990) .. " 'Janet is here and Bob too'", { "Janet", "Bob" })
  end)

  it("hides pieces of hashes, and values in escapes", function()
    hides("hash b4c9a289 is short", { "b4c9a289" }, { "is short" })
    hides("hash B4C9A289323B", { "B4C9A289" })
    hides("starts b4c9a2… and ends ...475514, b4c9..5514", { "b4c9", "475514", "5514" }, { "starts", "and ends" })
    hides("mail jane%40example.com or jane&#64;example.com or jane\\u0040example.com", { "jane" })
    hides("tel %2B12065551234", { "2065551" })
  end)

  it("hides the key in use, whole, in pieces and encoded, whatever it looks like", function()
    local known = { key = "s3cr3t-ABC-key/value" }
    hides("the key s3cr3t-ABC-key/value is wrong", { "s3cr3t", "ABC-key" }, { "the key", "is wrong" }, known)
    hides("key s3cr3t-A... and ...ey/value", { "s3cr3t", "y/value" }, nil, known)
    hides("key S3CR3T-abc-KEY", { "s3cr3t" }, nil, known)
    hides("Basic czNjcjN0LUFCQy1rZXkvdmFsdWU=", { "czNjcj" }, nil, known)
    hides("key s3cr3t%2DABC%2Dkey%2Fvalue", { "s3cr3t" }, nil, known)
    hides("key abcd is wrong", { "abcd" }, { "is wrong" }, { key = "abcd" })
    assert.equal("the scope3 service and its sandbox",
      redact.text("the scope3 service and its sandbox", { key = "scope3_sandbox" }))
  end)

  it("keeps what a person needs: words, names of fields, counts, places", function()
    for _, text in ipairs {
      "The matching service is busy. Try again later!", "12 of 100 members had no hashedEmail",
      "Send the request again later", "at most 100 members are taken",
      "match_rate is under 45%", "VALIDATION_ERROR in a re-upload (see external_id)",
    } do
      assert.equal(text, redact.strict(text))
    end
    assert.equal("at audiences[0].add[17].hashedEmail", redact.text "at audiences[0].add[17].hashedEmail")
    assert.is_true(redact.is_path "audiences[0].add[17].hashedEmail" and redact.is_path "audiences.0.remove.3")
    assert.is_false(redact.is_path "4711" or redact.is_path "[17]" or redact.is_path "audiences.anna"
      or redact.is_path "add[1234567]" or redact.is_path "")
    local texts = redact.texts({ "one 'x'", "", "three" }, nil)
    assert.same({ "one [redacted]", "", "three" }, texts)
  end)

  it("shows nothing that a terminal would obey, and cuts no character in two", function()
    for _, text in ipairs {
      "a\27[31mb", "a\194\155b", "a\155b", "a\226\128\174b", "a\226\129\166b",
      "a\0b\127c\rd\ne", ("é"):rep(400), ("x"):rep(499) .. "é",
    } do
      local told = redact.text(text)
      assert.is_true(core.utf8_valid(told), told)
      assert.is_nil(told:find("[%z\1-\31\127]"))
      assert.is_nil(told:find("\226\128\174", 1, true) or told:find("\226\129\166", 1, true)
        or told:find("\194\155", 1, true))
    end
  end)

  it("needs time in proportion to a text, however it is made", function()
    for _, text in ipairs {
      ("'"):rep(2e6), ("a'"):rep(1e6), ("a@"):rep(1e6), ("+1-"):rep(7e5),
      ("&#"):rep(1e6), ("%"):rep(2e6), ("."):rep(2e6), ("ab"):rep(1e6),
    } do
      local before = os.clock()
      redact.strict(text)
      assert.is_true(os.clock() - before < 20, "too long on " .. text:sub(1, 4)) -- a square of a million would be hours
    end
  end)
end)

describe("payload:hide()", function()
  -- Members whose ids are refused are told to `refused`, where there is one.
  local function payload(members, refused)
    local builder, made = core.builder { max_member = 100000 },
      core.payload { max_members = 100000, max_bytes = 8 * 2 ^ 20 }
    for i, member in ipairs(members) do
      local added = builder:add(made, {
        external_id = member[1], hashed_email = member.remove ~= true and HASH or nil, uids = member.uids,
      }, member.remove or false)
      if not added then
        assert(refused, i)[member] = true
      end
    end
    return made
  end

  it("finds external ids and values of uids as words, in any case, also those that JSON escapes", function()
    local made = payload {
      { "cust-17" }, { "7" }, { "Anna K" }, { 'q"uo\\te' },
      { "tab  id" }, { "müller" }, { "in" }, { "gone", remove = true },
      {
        "u",
        uids = { { type = "maid", value = "6D92078A-8246-4BA4-AE5B-76104861E7DC" }, { type = "own", value = "kix" } },
      },
    }
    local function hidden(text, first, last)
      return made:hide(text, first or 1, last or 9)
    end
    assert.equal("member [redacted] and [redacted].", hidden "member cust-17 and CUST-17.")
    assert.equal("x[redacted]y", hidden "xcust-17y")
    assert.equal("[redacted], 17, 77, [[redacted]] id_[redacted]", hidden "7, 17, 77, [7] id_7")
    assert.equal("by [redacted]! annaka", hidden "by anna k! annaka")
    assert.equal("<[redacted]> [redacted] [redacted]", hidden '<q"uo\\te> tab  id müller')
    assert.equal("[redacted] inside, into, begin", hidden "in inside, into, begin")
    assert.equal("[redacted] [redacted] kixx", hidden "6d92078a-8246-4ba4-ae5b-76104861e7dc kix kixx")
    assert.equal("[redacted]", hidden "gone")
    assert.equal("cust-17 [redacted]", hidden("cust-17 7", 2, 3))
    assert.equal("value externalId hashedEmail uids type own", hidden "value externalId hashedEmail uids type own")
    assert.equal("", hidden "")
    local long = ("ab1"):rep(200)
    assert.equal("is [redacted]!", payload({ { long } }):hide("is " .. long .. "!", 1, 1))
    assert.equal("is " .. long:sub(1, -2) .. "!", payload({ { long } }):hide("is " .. long:sub(1, -2) .. "!", 1, 1))
    assert.equal("a\0b", hidden "a\0b")
    assert.equal("x[redacted]y xab123y", payload({ { "ab1234" }, { "ab123" } }):hide("xab1234y xab123y", 1, 2))
    assert.equal("cust-17", made:hide("cust-17", 100, 200))
    made:drop(1)
    assert.equal("cust-17", hidden "cust-17")
    assert.has_error(function() made:hide(("x"):rep(2 ^ 20 + 1), 1, 9) end)
    made:close()
    assert.has_error(function() made:hide("x", 1, 9) end)
  end)

  it("hides everything where it cannot look", function()
    local made = payload { { "anna" } }
    local known = { body = { "{", { made, "add", 1, 1 }, "}" } }
    assert.equal("no [redacted]", redact.text("no anna", known))
    made:close()
    assert.same({ "(not shown)", "(not shown)" }, redact.texts({ "no anna", "anna" }, known))
  end)

  it("finds whatever it is given, as often as it stands there", function()
    local seed = require "spec.support.seed"
    local random = require("scope3.sandbox.faults").random(seed)
    local function pick(n)
      return math.floor(random() * n) + 1
    end
    local letters = { "a", "B", "7", "-", "_", ".", " ", "é", '"', "\\", "0", "z" }
    for round = 1, 300 do
      local members, text = {}, {}
      for i = 1, pick(20) do
        local id = {}
        for j = 1, pick(12) do
          id[j] = letters[pick(#letters)]
        end
        id = table.concat(id)
        if id:find("[^ ]") then
          members[#members + 1] = { id }
        end
        text[i] = pick(2) == 1 and (";" .. id .. ";") or "| word"
      end
      if #members > 0 then
        local said = table.concat(text)
        local refused = {}
        local told = payload(members, refused):hide(said, 1, #members)
        for _, member in ipairs(members) do
          assert(refused[member] or not told:lower():find(";" .. member[1]:lower() .. ";", 1, true),
            ("seed %d, round %d: %q in %q"):format(seed, round, member[1], told))
        end
      end
    end
  end)

  it("takes no longer for members that begin like the text", function()
    local many = {}
    for i = 1, 60000 do
      many[i] = { ("cust%07d"):format(i) }
    end
    local made = payload(many)
    local before = os.clock()
    made:hide(("cust"):rep(500), 1, #many)
    made:hide(("cust0000017 is odd; "):rep(1000), 1, #many)
    assert.is_true(os.clock() - before < 10)
  end)
end)

describe("an error of a reply", function()
  local server = answering.around(setup, teardown)

  local function audience()
    local made = assert(scope3.audience { id = "a" })
    assert(made:add { external_id = "anna", email = "anna@example.com", uids = { { type = "own", value = "kix" } } })
    assert(made:add { external_id = "C/17", email = "c@example.com" })
    return made
  end

  local function clean(said, secrets)
    for _, secret in ipairs(secrets) do
      assert.is_nil(said:find(secret, 1, true), secret .. " in " .. said)
    end
  end

  it("says nothing of the members of its request, in its message, its issues and its pages", function()
    local client = server:client()
    local secrets = { "anna", "kix", "C/17", "b4c9a289", "jane" }
    for _, reply in ipairs {
      { 400, '{"error":{"code":"anna","message":"member anna (kix, C/17) b4c9a289","field":"members.anna"}}' },
      {
        400,
        '{"error":{"code":"BAD","message":"see","details":{"issues":[{"path":"audiences[0].add[0].externalId",'
          .. '"message":"anna is odd"},'
          .. '{"path":"audiences.0.add.anna.uids","message":"kix"},{"path":["audiences","C/17"],'
          .. '"message":"C/17"},"anna"]}}}',
      },
      { 409, '{"message":"anna"}' }, { 403, '{"error":"anna and kix"}' },
      { 404, "<html><title>no anna and kix</title>" }, { 402, "anna kix C/17" },
      { 202, '{"success":false,"message":"anna is odd"}' }, { 403, ("x "):rep(98) .. "anna" },
      { 403, ("x "):rep(249) .. "anna" },
      { 403, "<html><title>" .. ("'x' "):rep(499) .. " anna</title>" },
      { 400, '{"error":{"details":{"issues":["a","' .. ("b "):rep(249) .. 'anna"]}}}' },
      { 202, '{"data":{"taskId":"t1"},"error":{"code":"kix","message":"anna"}}' },
    } do
      server:play { sync = { reply, '{"taskId":"t2"}' } }
      local res, err = client:sync(audience())
      res = res or err.result -- without the members that the service refuses, the rest is accepted
      assert.is_true(res.failed + res.unknown + res.rejected_by_service > 0)
      clean(res:json(), secrets)
      err = err or {}
      clean(tostring(err.message) .. tostring(err.code) .. tostring(err.field), secrets)
      for _, issue in ipairs(err.issues or {}) do
        clean(tostring(issue.path) .. issue.message, secrets)
      end
    end
  end)

  it("says nothing of the key, with or without the prefix of keys", function()
    local client = server:client { api_key = "hush-hush-2026" }
    server:answer('return function(r) return 401, {error={code="UNAUTHORIZED",message="the key '
      .. '"..r.headers.authorization:match("Bearer (.*)").." is not known"}} end')
    for _, call in ipairs {
      function() return client:sync(audience()) end,
      function() return client:task "t1" end, function() return client:audience "a" end,
    } do
      local none, err = call()
      assert.same({ nil, 401 }, { none, err.status })
      clean(tostring(err), { "hush" })
    end
  end)

  it("says nothing of the members of a failed task, of which the service alone knows who they are", function()
    local client = server:client()
    server:play {
      task = {
        '{"task":{"taskId":"$ID","status":"failed","error":{"code":"VALIDATION_ERROR","field":"audiences[0].add[1]",'
          .. '"message":"customer 4711 (anna@example.com, cust-9, b4c9a289) id: bob could not be read",'
          .. '"suggestion":"Remove \'anna\' and cust-9"}}}',
      },
    }
    local res = assert(client:sync(audience()))
    local _, err = res:wait { timeout = 60 }
    assert.same({ "VALIDATION_ERROR", "audiences[0].add[1]" }, { err.code, err.field })
    assert.truthy(err.message:find("could not be read", 1, true)
      and err.message:find("the service suggests: Remove", 1, true), err.message)
    clean(tostring(err) .. res:json(), { "4711", "anna", "cust-9", "b4c9", "bob" })
    server:play { task = {
      '{"task":{"taskId":"$ID","status":"completed","response":{"errors":[{"code":"BAD",'
        .. '"message":"anna and kix are odd"}]}}}',
    } }
    res = assert(client:sync(audience()))
    _, err = res:wait { timeout = 60 }
    assert.truthy(err.message:find("are odd", 1, true))
    clean(tostring(err) .. res:json(), { "anna", "kix" })
  end)
end)

describe("names and ids of strangers", function()
  it("are shown with nothing that a terminal would obey, as text and as JSON", function()
    local server = answering.start()
    local evil = '\\u001b]0;x\\u0007\\u009b2J\\u202e\\u2066\\u200f\\ufeff\\n\\r\\u007f'
    server:play {
      audiences = {
        '{"audiences":[{"audienceId":"id' .. evil .. 'a\155b","name":"n' .. evil .. 'é","status":"s' .. evil
          .. '","updatedAt":"' .. evil
          .. '"},{"audienceId":"plain","name":"Zoë ✓","status":"READY"}],"total":2}',
      },
      task = {
        '{"task":{"taskId":"$ID","taskType":"' .. evil .. '","status":"x' .. evil .. '","createdAt":"' .. evil
          .. '","error":{"message":"' .. evil
          .. '"},"response":{"a' .. evil .. '":"b' .. evil .. '"}}}',
      },
    }
    local env = { env = ("SCOPE3_API_KEY=scope3_test_key SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=%s"):format(server.url) }
    local csv = world.file "id,mail\n1,a@b.co\n2,c@d.co\n"
    local sync = { "sync", csv, "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }
    local function more(...)
      local args = {}
      for _, words in ipairs { sync, { ... } } do
        for _, word in ipairs(words) do
          args[#args + 1] = word
        end
      end
      return args
    end
    for _, args in ipairs {
      { "audiences" }, { "audiences", "--json" }, { "task", "t1" }, { "task", "t1", "--json" },
      more "--delete-missing=b", more("--delete-missing", "all", "--dry-run"),
      more("--delete-missing", "all", "--dry-run", "--json"), more("--wait", "1"), { "doctor" },
    } do
      local _, out, err = world.command(args, env)
      local said = out .. err
      assert.is_true(core.utf8_valid(said), said)
      for _, bad in ipairs {
        "[%z\1-\9\11-\31\127]", "\194[\128-\159]", "\226\128[\142\143\170-\174]", "\226\129[\160-\175]", "\239\187\191",
      } do
        assert.is_nil(said:find(bad), table.concat(args, " ") .. ": " .. said)
      end
      if args[1] == "audiences" then
        assert.truthy(out:find("Zoë ✓", 1, true))
        assert.truthy(out:find(args[2] and "\\u202e" or "\\u{202e}", 1, true), out)
      end
    end
    server:close()
    world.clean()
  end)
end)
