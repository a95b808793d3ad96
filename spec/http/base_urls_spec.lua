-- Which URLs of the service a client takes: https to anywhere, http to this machine only, and nothing that holds a
-- user, a query or a fragment. The reason says which of these it is.
local scope3 = require "scope3"
local world = require "spec.support.world"

local function client_of(url)
  return scope3.client { account_id = "25", api_key = "scope3_key", base_url = url }
end

describe("a base URL", function()
  local sandbox = world.around(setup, teardown, before_each)

  it("is https, or http to this machine, however that is written", function()
    for _, url in ipairs {
      "https://api.example.com", "HTTPS://api.example.com/x/", "https://localhost", "https://10.0.0.1:8443",
      "http://localhost", "http://LocalHost:8080", "http://[::1]:80", "http://127.0.0.1", "http://127.1",
      "http://127.255.255.255", "http://2130706433",
    } do
      assert(client_of(url), url)
    end
  end)

  it("is one URL, however its scheme and its slashes are written", function()
    for _, url in ipairs { "HTTPS://api.example.com", "https:/api.example.com", "https:///api.example.com//" } do
      assert.equal(tostring(client_of "https://api.example.com"), tostring(client_of(url)))
    end
    local url = sandbox.url:gsub("^http://", "HTTP:///")
    assert.equal("not_found", select(2, sandbox:client { base_url = url }:audience "none").kind)
  end)

  it("is refused where it leads elsewhere without TLS, with the reason", function()
    local HTTPS = "must be https: plain http is allowed to this machine only"
    local SCHEME, USER, MORE = "must begin with https://", "must not hold a user name or password",
      "must not have a query or fragment"
    for url, reason in pairs {
      ["http://api.example.com"] = HTTPS, ["http://localhost.example.com"] = HTTPS, ["http://128.0.0.1"] = HTTPS,
      ["http://127.0.0.256"] = HTTPS, ["http://127.0.256.1"] = HTTPS, ["http://127.256.0.1"] = HTTPS,
      ["http://127.0.0.1.example.com"] = HTTPS, ["http://[::2]"] = HTTPS, ["http://2130706434x"] = HTTPS,
      ["ftp://localhost"] = SCHEME, ["file:///etc/passwd"] = SCHEME,
      ["https://a:b@api.example.com"] = USER, ["http://localhost@api.example.com"] = USER,
      ["https://api.example.com?a=b"] = MORE, ["https://api.example.com#a"] = MORE,
    } do
      local client, err = client_of(url)
      assert.same({ nil, "invalid", "base_url", reason },
        { client, err.kind, err.issues[1].path, err.issues[1].message }, url)
    end
    local _, err = client_of "https://"
    assert.truthy(err.issues[1].message:find "^is not a URL: No host p", err.issues[1].message) -- in libcurl's words
  end)

  it("leads to the same paths with slashes at its end, and with the path of the API", function()
    for _, tail in ipairs { "", "/", "//", "/api/v2/buyer", "/api/v2/buyer/" } do
      local client = sandbox:client { base_url = sandbox.url .. tail }
      local _, err = client:audience "none"
      assert.equal("not_found", err.kind, tail)
    end
    for _, request in ipairs(sandbox:requests()) do
      assert.truthy(request.path:find "^/api/v2/buyer/[^/]", request.path)
    end
  end)
end)
