-- A value inside nested JSON is found by its path, however the JSON is laid out, and nothing else is found.
local cjson = require "cjson"
local scope3 = require "scope3"

local function lines(text)
  local given
  return function()
    if not given then
      given = true
      return text
    end
  end
end

local function value_of(text, path)
  local row = assert(assert(scope3.jsonl(lines(text))):next())
  return row[path]
end

-- What becomes of an id that stands there: "member", the reason of its rejection, or why no id can be looked for.
local function becomes(text, path)
  local res, err = scope3.client({}):run({ audience = "a", map = { external_id = path, email = "mail" } },
    assert(scope3.jsonl(lines(text))), { dry_run = true })
  if not res then
    return err.message:match "no row has" or err.message:match "may be one of two keys" or err.message
  end
  return res.members == 1 and "member" or next(res.rejected)
end

-- A row gives the value to scripts, and a map takes the same for an id.
local function check(text, path, value)
  assert.equal(value, value_of(text, path), path .. " of " .. text)
  local is_id = type(value) == "string" or type(value) == "number" and value % 1 == 0
  local outcome = is_id and "member" or value == nil and "no row has" or value == cjson.null and "no_external_id"
    or "external_id_type"
  assert.equal(outcome, becomes(text, path), path .. " of " .. text)
end

describe("a nested value", function()
  it("is found between any white space", function()
    for _, space in ipairs { "", " ", "\t", "\r", "\t \r " } do
      local function spaced(text)
        return (text:gsub("_", space)):gsub("}$", ',"mail":"a@x.example"}\n')
      end
      check(spaced '{"a":_{_"b"_:_"x"_}_}', "a.b", "x")
      check(spaced '{"a":{"b":"x"_,_"c":"y"_}}', "a.c", "y")
      check(spaced '{"a":[1_,_2_]_}', "a.2", 2)
      check(spaced '{"a":[1_,_2_]_}', "a.3", nil)
      check(spaced '{"a":[_]_,_"b":{_}_}', "a.1", nil)
      check(spaced '{"a":[_]_,_"b":{_}_}', "b.c", nil)
    end
  end)

  it("is found behind a carriage return in the middle of a line", function()
    local rows = assert(scope3.jsonl(lines('{"a":{"b":"x"},"mail":"a@x.example"}\n'
      .. '{"a":\r{\r"b"\r:\r4711\r,\r"c":[1\r,\r2\r]\r}\r,"mail":"b@x.example"}\n')))
    local res = assert(scope3.client({}):run({ audience = "a", map = { external_id = "a.b", email = "mail" } }, rows,
      { dry_run = true }))
    assert.same({ 2, 2 }, { res.rows, res.members })
  end)

  it("is of the type that JSON gives it", function()
    local text = '{"a":[true ,false ,null ,"x" ,-1.5 ,[3,4] ,{"b":{"c":"x\\"}"} ,"d":[{"e":"]x"}]}],'
      .. '"mail":"a@x.example"}\n'
    for path, value in pairs { ["a.1"] = true, ["a.2"] = false, ["a.3"] = cjson.null, ["a.4"] = "x", ["a.5"] = -1.5,
      ["a.6.2"] = 4, ["a.7.d.1.e"] = "]x", ["a.7.b.c"] = 'x"}' } do
      check(text, path, value)
    end
  end)

  it("is not found by a path that leads nowhere", function()
    for path, text in pairs { ["a.0"] = '{"a":[1,2]}', ["a.12345678"] = '{"a":[1,2]}', ["a.1x"] = '{"a":[1,2]}',
      ["a.1."] = '{"a":[{"b":"x"}]}', ["a."] = '{"a":{"b":"x"}}', ["a.b"] = '{"a":"x"}', ["."] = '{"":{"":"x"}}',
      ["a.b.c"] = '{"a":{"b":null}}' } do
      check(text:gsub("}$", ',"mail":"a@x.example"}\n'), path, nil)
    end
  end)

  it("is found by a key that is written with escapes or in another case, unless two are alike", function()
    check('{"a":{"\\u0062":"x"},"mail":"a@x.example"}\n', "a.b", "x")
    check('{"a":{"B":"x","b":"y"},"mail":"a@x.example"}\n', "a.b", "y")
    check(('{"a":{"b\\u0062%s":"x","d":"y"},"mail":"a@x.example"}\n'):format(("c"):rep(300)), "a.d", "y")
    for _, keys in ipairs { '"B ":1,"b_":2,"-b":3', '"\\u0042":1,"\\u0042 ":2,"\\u0042_":3,"\\u0042-":4' } do
      local fine, why = pcall(value_of, ('{"a":{%s}}\n'):format(keys), "a.b")
      assert.is_false(fine)
      assert.truthy(tostring(why):find("may be one of two keys", 1, true), why)
      assert.equal("may be one of two keys", becomes(('{"a":{%s},"mail":"a@x.example"}\n'):format(keys), "a.b"))
    end
  end)

  it("in a wrapper of MongoDB counts as what is wrapped, where that is a number or a text", function()
    for id, outcome in pairs {
      ['{"$numberLong":"4711"}'] = "member", ['{"$numberInt" : "4711" }'] = "member", ['{"$oid":"abc"}'] = "member",
      ['{"$oid":{"x":1}}'] = "external_id_type", ['{"numbers":"1"}'] = "external_id_type",
      ['{"$numberInt":"1x"}'] = "member", ['{"$numberInt":"\\u0031"}'] = "member",
      ['{"$date":1700000000}'] = "member", ['{"$numberInt":true}'] = "external_id_type",
      ['{"$symbol":"abc"}'] = "member",
      ['{"$unknown":"4711"}'] = "external_id_type", ["{}"] = "external_id_type",
    } do
      assert.equal(outcome, becomes(('{"id":%s,"mail":"a@x.example"}\n'):format(id), "id"), id)
    end
  end)
end)
