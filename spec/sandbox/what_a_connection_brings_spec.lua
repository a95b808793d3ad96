-- How the sandbox reads requests byte by byte, and where it sends its callbacks.
local callback = require "scope3.sandbox.callback"
local child = require "scope3.sandbox.child"
local http = require "scope3.sandbox.http"
local json = require "scope3.util.json"
local state = require "scope3.sandbox.state"

-- A socket that brings a text, and then its end.
local function socket_of(text)
  local at, sent = 1, {}
  return {
    read = function(_, what)
      if at > #text then
        return nil
      elseif what == "*l" then
        local line, after = text:match("^([^\n]*)\n?()", at)
        at = after
        return line
      end
      local bytes = text:sub(at, at + what - 1)
      at = at + #bytes
      return bytes
    end,
    write = function(self, ...)
      for i = 1, select("#", ...) do
        sent[#sent + 1] = (select(i, ...))
      end
      return self
    end,
    flush = function()
      return true
    end,
    sent = sent,
  }
end

describe("the head of a request", function()
  it("may stand behind empty lines", function()
    local request = http.read_head(socket_of "\r\n\r\nGET /a%20b+c?x=1+2&y=%41 HTTP/1.1\r\nHost: h \r\n\r\n")
    assert.same({ "GET", "/a b+c", { x = "1 2", y = "A" }, { host = "h" } }, { request.method, request.path,
      request.query, request.headers })
  end)

  it("is refused where it is none, or longer than 64 KiB", function()
    assert.is_nil(http.read_head(socket_of ""))
    assert.is_nil(http.read_head(socket_of "get / HTTP/1.1\r\n\r\n"))
    assert.is_nil(http.read_head(socket_of "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"))
    assert.is_nil(http.read_head(socket_of "GET / HTTP/1.1\r\nHost: cut"))
    local function with(n)
      return http.read_head(socket_of("GET / HTTP/1.1\r\nA: " .. ("x"):rep(n - 3) .. "\r\n\r\n"))
    end
    assert.is_table(with(65536))
    assert.is_nil(with(65537))
  end)
end)

describe("the body of a request", function()
  local function body(text, request, limit, upto)
    request.headers = request.headers or {}
    return http.read_body(socket_of(text), request, limit or 100, upto)
  end

  it("is as long as was told, up to a limit", function()
    assert.equal("abc", body("abcd", { length = 3 }))
    assert.equal("", body("abcd", {}))
    assert.equal("ab", body("abcd", { length = 4 }, 100, 2))
    assert.same({ nil, "cut" }, { body("ab", { length = 3 }) })
    assert.equal("abc", body("abc", { length = 3 }, 3))
    assert.same({ nil, "too large" }, { body("abcd", { length = 4 }, 3) })
  end)

  it("may come in chunks", function()
    local chunked = { chunked = true }
    assert.equal("abcde", body("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", chunked))
    assert.equal("abcde", body("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", chunked, 5))
    assert.same({ nil, "too large" }, { body("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", chunked, 4) })
    assert.same({ nil, "cut" }, { body("3\r\nabc\r\n2\r\nd", chunked) })
    assert.same({ nil, "cut" }, { body("x\r\n", chunked) })
  end)
end)

describe("a callback", function()
  local function built(url, more)
    local push = { url = url, authentication = { schemes = { "Bearer" }, credentials = "secret" } }
    for key, value in pairs(more or {}) do
      push[key] = value
    end
    return callback.build({ id = "t", status = "completed", push = push }, state, 0)
  end

  it("goes to this machine alone", function()
    for url, place in pairs {
      ["http://localhost:5/x?y"] = "localhost 5 /x?y", ["http://127.0.0.1:5"] = "127.0.0.1 5 /",
      ["http://127.9.9.9:5/"] = "127.9.9.9 5 /",
      ["http://example.com:5/"] = false, ["https://localhost:5/"] = false, ["http://localhost/"] = false,
      ["http://localhost:5/#x"] = false, ["http://localhost.example.com:5/"] = false,
    } do
      local made = built(url)
      assert.equal(place or nil, made and ("%s %d %s"):format(made.host, made.port, made.path), url)
    end
  end)

  it("has what it reports, and the credentials that it was given", function()
    local made = built("http://localhost:5/", { operation_id = "o", token = "k" })
    local body = json.decode(made.body)
    assert.same({ "t", "o", "completed", "k", "1970-01-01T00:00:00.000Z" }, { body.task_id, body.operation_id,
      body.status, body.token, body.timestamp })
    local headers = {}
    for _, pair in ipairs(made.headers) do
      headers[pair[1]] = pair[2]
    end
    assert.same({ "localhost:5", #made.body, "Bearer secret" }, { headers.Host, headers["Content-Length"],
      headers.Authorization })
    assert.equal("t", json.decode(built("http://localhost:5/").body).operation_id)
  end)
end)

describe("a sandbox that cannot be meant", function()
  it("is refused at its caller's line", function()
    for what, opts in pairs {
      ["interpreter must be a string"] = { interpreter = 5 }, ["log must be a string"] = { log = 5 },
      ["opts must be a table"] = 5,
    } do
      local fine, why = pcall(function()
        local made = child.start(opts)
        return made
      end)
      assert.is_false(fine)
      assert.truthy(why:find("^spec/sandbox/what_a_connection_brings_spec.lua:%d+: sandbox.child.start: " .. what), why)
    end
  end)
end)
