-- Fields of replies that this version does not know, with values of every kind: what is shown of them, and how deep.
local sanitize = require "scope3.api.sanitize"
local json = require "scope3.util.json"
local redact = require "scope3.util.redact"
local validate = require "scope3.api.validate"
local visible = require "scope3.util.visible"
local arguments = require "scope3.util.arguments"

local GONE = "[redacted]"

describe("an undeclared field", function()
  it("of an audience is shown by the kind of its value, to a depth of six levels", function()
    local deep = { level = true }
    for _ = 1, 9 do
      deep = { inner = deep }
    end
    local row = sanitize.audience { audience_id = "a", fresh = true, stale = false, share = 12.5, phone = 2065550142,
      minus = -2065550142, deep = deep, list = json.array { 1, 2e9 } }
    assert.same({ true, false, 12.5, GONE, GONE }, { row.fresh, row.stale, row.share, row.phone, row.minus })
    assert.same({ 1, GONE }, { row.list[1], row.list[2] })
    local levels, at = 1, row.deep
    while at.inner do
      levels, at = levels + 1, at.inner
    end
    assert.equal(6, levels)
    assert.is_nil(at.level)
  end)

  it("of a task is shown by the kind of its value, and its texts up to a number of them", function()
    local texts = json.array {}
    for i = 1, 1500 do
      texts[i] = "2026-11-01T00:00:00Z"
    end
    local task = sanitize.task { task_id = "t", metadata = { times = texts, done = true, matched = 5, other = 5,
      nothing = json.null } }
    local shown = 0
    for _, text in ipairs(task.metadata.times) do
      shown = shown + (text ~= GONE and 1 or 0)
    end
    assert.equal(1000, shown)
    assert.same({ true, 5, GONE }, { task.metadata.done, task.metadata.matched, task.metadata.other })
    assert.is_nil(task.metadata.nothing)
  end)
end)

describe("a text", function()
  it("that hides an address in the entities of HTML is searched as it is meant", function()
    for _, at in ipairs { "&#64;", "&#x40;", "&#X0040;", "%40", "\\u0040" } do
      assert.is_nil(redact.text("sent to jane" .. at .. "example.com"):find("jane", 1, true), at)
    end
    for _, other in ipairs { "&#x1F600;", "&#128512;", "&#x00e9;" } do -- no character of ASCII
      assert.truthy(redact.text("a " .. other .. " b"):find(other, 1, true), other)
    end
  end)

  it("for a terminal has hidden characters beyond the first 65,536 as a pair of JSON", function()
    local tag = "\243\160\128\129" -- U+E0001
    local shown = visible.json('"a' .. tag .. '"')
    assert.equal('"a\\udb40\\udc01"', shown)
    assert.equal("a" .. tag, json.decode("[" .. shown .. "]")[1])
  end)

  it("that is no UTF-8 has as many characters as bytes", function()
    for text, n in pairs { ["a\195\40"] = 3, ["a\195\164"] = 2, [""] = 0 } do
      assert.equal(n, validate.characters(text))
    end
  end)
end)

describe("an option that is not known", function()
  it("is taken for the one that ends with it", function()
    local known = { "api_key", "account_id", "base_url" }
    assert.equal("api_key", arguments.meant("key", known))
    assert.equal("base_url", arguments.meant("url", known))
    assert.is_nil(arguments.meant("d", known))
  end)
end)
