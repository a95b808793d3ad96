-- The URL of a Redis, read without a library. No error and no dump shows its password.
local limiters = require "scope3.client.limiters"
local redis = require "scope3.redis"
local url = require "scope3.redis.url"

describe("the URL of a Redis", function()
  local function parts(text)
    local found = assert(url.parse(text))
    local user, password = found.credentials()
    return { found.address, found.db, user or "-", password or "-" }
  end

  it("has a host, and may have port, database, user and password", function()
    assert.same({ "http://localhost:6379", 0, "-", "-" }, parts "redis://localhost")
    assert.same({ "http://localhost:6379", 0, "-", "-" }, parts "redis://localhost/")
    assert.same({ "https://r.example.com:6380", 3, "-", "pw" }, parts "rediss://:pw@r.example.com:6380/3")
    assert.same({ "http://10.0.0.1:1", 15, "u", "p" }, parts "REDIS://u:p@10.0.0.1:1/15")
    assert.same({ "http://[::1]:7000", 0, "u", "p" }, parts "redis://u:p@[::1]:7000")
  end)

  it("may have any byte in its password, written as an escape or, but for a few, as it is", function()
    assert.same({ "http://h:6379", 0, "a b", "p@s:s/?#%" }, parts "redis://a%20b:p@s:s%2F%3f%23%25@h")
    assert.same({ "http://h:6379", 0, "-", "\0\255" }, parts "redis://:%00%ff@h")
  end)

  for what, text in pairs {
    ["another scheme"] = "https://secret9@h", ["no scheme"] = "h:6379", ["no host"] = "redis://",
    ["a port that is none"] = "redis://:secret9@h:99999", ["a port with letters"] = "redis://:secret9@h:80a",
    ["a slash in the password"] = "redis://:secret9/x@h", ["a query"] = "redis://:secret9@h/0?x=secret9",
    ["a database that is none"] = "redis://:secret9@h/first", ["a user without a password"] = "redis://secret9@h",
    ["an escape that is none"] = "redis://:secret9%zz@h", ["a space in the host"] = "redis://:secret9@h h",
    ["a line end in the host"] = "redis://:secret9@h\r\nx", ["nothing"] = "",
  } do
    it("is refused for " .. what .. ", without showing it", function()
      local found, err = redis.open { url = text }
      assert.is_nil(found)
      assert.equal("invalid", err.kind)
      assert.is_nil((tostring(err):find("secret9", 1, true)))
      assert.equal("url", err.issues[1].path)
    end)
  end

  it("of a limiter is no path of a file where it is mistyped, because a path is shown", function()
    for _, text in ipairs { "redis:/:secret9@h", "http://:secret9@h", "valkey://h", "redis:secret9@h", ":secret9@h:1",
      "a:b:secret9@h" } do
      assert.truthy(limiters.problem(text):find("must be redis://", 1, true), text)
      local none, err = limiters.new(text)
      assert.same({ nil, "invalid" }, { none, err.kind }, text)
      assert.is_nil((tostring(err):find("secret9", 1, true)))
    end
    for _, path in ipairs { "/run/a:b@c", "./redis:/:x@h", "limits", "a@b", "a:b", "C:/limits", "~/a:/b" } do
      assert.is_false(limiters.is_url(path), path)
    end
  end)

  it("keeps its password where no dump of fields finds it", function()
    local function search(value, seen)
      if type(value) == "string" then
        assert.is_nil((value:find("secret9", 1, true)))
      elseif type(value) == "table" and not seen[value] then
        seen[value] = true
        for key, inner in pairs(value) do
          search(key, seen)
          search(inner, seen)
        end
      end
    end
    search(assert(url.parse "redis://user:secret9@h"), {})
  end)

  it("and other options are checked at the caller's line", function()
    for what, opts in pairs {
      ["url must be a string, not a nil"] = {}, ["unknown option 'uri' (did you mean 'url'?"] = { uri = "x" },
      ["call_seconds must be"] = { url = "redis://h", call_seconds = -1 },
      ["name must be a text of visible characters"] = { url = "redis://h", name = "a b" },
    } do
      local ok, message = pcall(redis.open, opts)
      assert.is_false(ok)
      assert.truthy(message:find(what, 1, true), message)
    end
    local ok, message = pcall(function()
      redis.open { url = 5 } -- LINE
    end)
    assert.is_false(ok)
    assert.truthy(message:find("urls_spec.lua:%d+: redis.open: url must be a string, not a number"), message)
  end)
end)
