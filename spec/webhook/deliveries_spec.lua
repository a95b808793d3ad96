-- Deliveries are compared by content, not by spelling (RFC 8785), and the end of a task is handled once.
local canonical = require "scope3.webhook.canonical_json"
local core = require "scope3.core"
local json = require "scope3.util.json"
local store = require "scope3.webhook.expiring_store"
local webhook = require("scope3").webhook

local clock = 0
local function now()
  return clock
end

-- The double of these bits, as 16 hex digits.
local function double(bits)
  local high, low = tonumber(bits:sub(1, 8), 16), tonumber(bits:sub(9), 16)
  local negative = high >= 2 ^ 31
  high = negative and high - 2 ^ 31 or high
  local exponent, m = math.floor(high / 2 ^ 20), high % 2 ^ 20 * 2 ^ 32 + low
  local value = exponent == 0 and m * 2 ^ -1074 or (m + 2 ^ 52) * 2 ^ (exponent - 1075)
  return negative and -value or value
end

describe("the canonical form of a payload", function()
  it("writes each number of RFC 8785's appendix B as it is written there", function()
    for bits, text in pairs {
      ["0000000000000000"] = "0", ["8000000000000000"] = "0", ["0000000000000001"] = "5e-324",
      ["8000000000000001"] = "-5e-324", ["7fefffffffffffff"] = "1.7976931348623157e+308",
      ["ffefffffffffffff"] = "-1.7976931348623157e+308", ["4340000000000000"] = "9007199254740992",
      ["c340000000000000"] = "-9007199254740992", ["4430000000000000"] = "295147905179352830000",
      ["44b52d02c7e14af5"] = "9.999999999999997e+22", ["44b52d02c7e14af6"] = "1e+23",
      ["44b52d02c7e14af7"] = "1.0000000000000001e+23", ["444b1ae4d6e2ef4e"] = "999999999999999700000",
      ["444b1ae4d6e2ef4f"] = "999999999999999900000", ["444b1ae4d6e2ef50"] = "1e+21",
      ["3eb0c6f7a0b5ed8c"] = "9.999999999999997e-7", ["3eb0c6f7a0b5ed8d"] = "0.000001",
      ["41b3de4355555553"] = "333333333.3333332", ["41b3de4355555554"] = "333333333.33333325",
      ["41b3de4355555555"] = "333333333.3333333", ["41b3de4355555556"] = "333333333.3333334",
      ["41b3de4355555557"] = "333333333.33333343", ["becbf647612f3696"] = "-0.0000033333333333333333",
      ["43143ff3c1cb0959"] = "1424953923781206.2",
      -- powers of two, below which doubles lie closer together
      ["3d30000000000000"] = "5.684341886080802e-14", ["0010000000000000"] = "2.2250738585072014e-308",
      ["000fffffffffffff"] = "2.225073858507201e-308", ["4350000000000000"] = "18014398509481984",
    } do
      -- json.encode() writes whole numbers of Lua 5.3 as integers, so the text is read anew, too
      local written = json.encode(double(bits)):gsub("^%-0$", "0")
      assert.equal(text, written, bits)
      assert.equal('{"n":' .. text .. "}", canonical.of('{"n":' .. written .. "}"))
    end
    assert.equal('{"n":9007199254740992}', canonical.of '{"n":9007199254740993}')
    assert.equal('{"a":0,"b":0,"c":100}', canonical.of '{"c":1E2,"b":-0.0,"a":-0}')
    assert.is_nil(canonical.of '{"n":1e400}')
  end)

  it("writes the texts of RFC 8785 as it does, and sorts names by their UTF-16 code units", function()
    assert.equal([[{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],]]
      .. [["string":"€$\u000f\nA'B\"\\\\\"/"}]], canonical.of([[{ "numbers": [333333333.33333329, 1E30, 4.50,
      2e-3, 0.000000000000000000000000001], "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false] }]]))
    assert.equal('{"\\r":1,"1":2,"\194\128":3,"ö":4,"€":5,"😀":6,"\239\172\179":7}', canonical.of(
      [[{"\u20ac":5,"\r":1,"\ufb33":7,"1":2,"\ud83d\ude00":6,"\u0080":3,"\u00f6":4}]]))
    assert.equal('{"":0,"\\b\\t\\f\127":{"a":[],"b":{}},"aa":[{},[]]}', canonical.of(
      [=[{"aa":[{ },[ ]],"\u0008\t\f\u007f":{"b":{},"a":[]},"":0}]=]))
  end)

  it("is of texts alone that mean one thing", function()
    for _, text in ipairs { "", "[]", "1", '{"a":1,"a":1}', '{"a":1} x', '{"a":"\\ud800"}', '{"a":"\255"}',
        "{'a':1}" } do
      assert.is_nil(canonical.of(text))
    end
  end)
end)

describe("a memory of deliveries", function()
  local KEY, OTHER, THIRD = "whk_0123456789abcdef", "whk_0123456789abcdeg", "whk_0123456789abcdeh"

  local function body(key, task, status, more)
    return ('{"idempotency_key":"%s","task_id":"%s","status":"%s"%s}'):format(key, task, status, more or "")
  end

  it("knows the same payload in another order, with other blanks, escapes and forms of numbers", function()
    local d = webhook.deliveries { now = now }
    local first = '{"task_id":"t","status":"working","result":{"n":100,"ids":["a","b"],"note":"é/"}}'
    assert.is_true(d:add(KEY, first))
    assert.is_true(d:keep(KEY, first))
    for _, same in ipairs {
      '{"status":"working","result":{"ids":["a","b"],"note":"é/","n":100},"task_id":"t"}',
      '{ "task_id" : "t",\r\n\t"status":"working", "result":{"n":1e2,"ids":[ "a", "b" ],"note":"\\u00e9\\/"} }',
      '{"task_id":"\\u0074","status":"working","result":{"n":100.0,"ids":["a","b"],"note":"\\u00E9/"}}',
    } do
      assert.is_false(d:add(KEY, same), same)
    end
    for _, other in ipairs {
      '{"task_id":"t","status":"working","result":{"n":100,"ids":["b","a"],"note":"é/"}}',
      '{"task_id":"t","status":"working","result":{"n":101,"ids":["a","b"],"note":"é/"}}',
      '{"task_id":"t","status":"working","result":{"n":"100","ids":["a","b"],"note":"é/"}}',
      '{"task_id":"t","status":"working","result":{"n":100,"ids":["a","b"],"note":"e\204\129/"}}',
      '{"task_id":"t","status":"working","result":{"n":100,"ids":["a","b"],"note":"é/"},"token":null}',
      '{"task_id":"t","status":"working","result":{"n":100,"ids":{},"note":"é/"}}',
    } do
      local new, err = d:add(KEY, other)
      assert.same({ nil, "webhook_delivery_conflict" }, { new, err and err.code }, other)
    end
    assert.is_true(d:add(OTHER, '{"task_id":"t","a":[]}'))
    assert.equal("webhook_delivery_conflict", select(2, d:add(OTHER, '{"task_id":"t","a":{}}')).code)
  end)

  it("remembers a delivery for the sender's horizon, of a day to a week", function()
    for _, horizon in ipairs { 86400, 3 * 86400, 7 * 86400 } do
      local d = webhook.deliveries { now = now, horizon = horizon }
      local text = body(KEY, "t", "completed")
      assert.is_true(d:add(KEY, text))
      assert.is_true(d:keep(KEY, text))
      clock = clock + horizon - 1
      assert.is_false(d:add(KEY, text))
      assert.is_false(d:add(OTHER, body(OTHER, "t", "completed")))
      clock = clock + 1
      assert.is_true(d:add(KEY, text))
    end
    for _, horizon in ipairs { 0, 86399, 7 * 86400 + 1, math.huge, "86400" } do
      local _, message = pcall(function()
        local _ = webhook.deliveries { horizon = horizon }
      end)
      assert.truthy(tostring(message):find("horizon", 1, true))
      assert.truthy(tostring(message):find("deliveries_spec", 1, true), tostring(message))
    end
  end)

  it("has one end of a task handled once, under however many keys it comes", function()
    for _, status in ipairs { "completed", "failed", "canceled", "rejected", "COMPLETED" } do
      local d = webhook.deliveries { now = now }
      local text = body(KEY, "t", status)
      assert.is_true(d:add(KEY, text))
      local new, err = d:add(OTHER, body(OTHER, "t", status))
      assert.same({ nil, "webhook_unavailable", true }, { new, err.code, err.retryable })
      assert.is_true(d:keep(KEY, text))
      assert.is_false(d:add(OTHER, body(OTHER, "t", status, ',"timestamp":"later"')))
      assert.is_false(d:add(THIRD, body(THIRD, "t", status:lower())))
      assert.is_false(d:add(THIRD, body(THIRD, "t", status:lower())))
      assert.equal("webhook_delivery_conflict", select(2, d:add(THIRD, body(THIRD, "u", status))).code)
    end
  end)

  it("takes neither another task, nor another status, nor one that is no end for the same", function()
    local d = webhook.deliveries { now = now }
    local n = 0
    local function deliver(task, status)
      n = n + 1
      local key = ("whk_%016d"):format(n)
      local text = body(key, task, status)
      local new = d:add(key, text)
      if new then
        assert.is_true(d:keep(key, text))
      end
      return new
    end
    assert.is_true(deliver("t", "working"))
    assert.is_true(deliver("t", "working"))
    assert.is_true(deliver("t", "input-required"))
    assert.is_true(deliver("t", "input-required"))
    assert.is_true(deliver("t", "failed"))
    assert.is_true(deliver("t", "completed"))
    assert.is_true(deliver("u", "completed"))
    assert.is_false(deliver("t", "completed"))
    assert.is_false(deliver("u", "completed"))
  end)

  it("lets another key of the end be new, when the first could not be acted upon", function()
    local d = webhook.deliveries { now = now }
    assert.is_true(d:add(KEY, body(KEY, "t", "completed")))
    d:forget(KEY)
    assert.is_true(d:add(OTHER, body(OTHER, "t", "completed")))
    d:forget(KEY) -- it holds nothing any more
    assert.is_nil((d:add(KEY, body(KEY, "t", "completed"))))
    clock = clock + 60 -- whoever handled it has died without a word
    assert.is_true(d:add(KEY, body(KEY, "t", "completed")))
  end)

  it("names what it keeps in a store as it will tomorrow, because stores outlive programs", function()
    local shared, names = store.new(100, now), {}
    local noted = setmetatable({}, { __index = function(_, name)
      return function(_, key, ...)
        names[key:match "^(.*:)%x+$"] = true
        return shared[name](shared, key, ...)
      end
    end })
    local d = webhook.deliveries { store = noted }
    assert(d:add(KEY, body(KEY, "t", "completed")))
    assert(d:keep(KEY, body(KEY, "t", "completed")))
    assert.same({ ["scope3:handling:"] = true, ["scope3:delivery:"] = true, ["scope3:handling:end:"] = true,
      ["scope3:ended:"] = true }, names)
  end)

  it("holds in a store that several share, and says where that is full", function()
    local shared = store.new(100, now)
    local one, two = webhook.deliveries { store = shared }, webhook.deliveries { store = shared }
    assert.is_true(one:add(KEY, body(KEY, "t", "completed")))
    assert.is_nil((two:add(OTHER, body(OTHER, "t", "completed"))))
    assert.is_true(one:keep(KEY, body(KEY, "t", "completed")))
    assert.is_false(two:add(OTHER, body(OTHER, "t", "completed")))
    assert.is_false(two:add(KEY, '{"status":"completed","task_id":"t","idempotency_key":"' .. KEY .. '"}'))
    local tight = webhook.deliveries { store = store.new(1, now) }
    local new, err = tight:add(KEY, body(KEY, "t", "completed"))
    assert.same({ nil, "webhook_unavailable" }, { new, err.code })
    assert.is_true(tight:add(KEY, body(KEY, "t", "working"))) -- nothing was left behind
  end)

  it("is kept under a second key of the same end, and not where the end itself finds no room", function()
    local d = webhook.deliveries { now = now }
    assert.is_true(d:keep(KEY, body(KEY, "t", "completed")))
    assert.is_true(d:keep(OTHER, body(OTHER, "t", "completed")))
    local shared, added = store.new(100, now), 0
    local room_for_one = setmetatable({
      safe_add = function(_, ...)
        added = added + 1
        if added > 1 then
          return false, "no memory"
        end
        return shared:safe_add(...)
      end,
    }, { __index = shared })
    local kept, err = webhook.deliveries({ store = room_for_one }):keep(KEY, body(KEY, "t", "completed"))
    assert.same({ nil, "webhook_unavailable", 2 }, { kept, err.code, added })
  end)

  it("is as quick with a payload of the largest size", function()
    local parts = {}
    for i = 1, 20000 do
      parts[i] = ('"k%d":{"n":%d.5,"s":"%s"}'):format(i, i, ("x"):rep(10))
    end
    local d, text = webhook.deliveries(), "{" .. table.concat(parts, ",") .. "}"
    local start = core.now()
    assert.is_true(d:add(KEY, text))
    assert.is_true(core.now() - start < 20)
  end)
end)
