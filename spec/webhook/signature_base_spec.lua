-- What signatures are over:
-- structured fields (RFC 8941), canonical URLs (AdCP), signature bases (RFC 9421, appendix B).
local base = require "scope3.webhook.signature_base"
local headers = require "scope3.webhook.headers"
local structured = require "scope3.webhook.structured_fields"
local target = require "scope3.webhook.target_uri"

describe("a structured field", function()
  local function plain(item)
    local value = item.value
    if item.type == "list" then
      value = {}
      for i, inner in ipairs(item.value) do
        value[i] = plain(inner)
      end
    end
    local params
    for name, param in pairs(item.params or {}) do
      params = params or {}
      params[name] = { param.type, param.value }
    end
    return { item.type, value, params }
  end

  it("is read with its items, lists and parameters", function()
    for text, expected in pairs {
      ['a=1'] = { "integer", 1 }, ['a=-999999999999999'] = { "integer", -999999999999999 }, ['a=0'] = { "integer", 0 },
      ['a=1.5'] = { "decimal", 1.5 }, ['a=-123456789012.125'] = { "decimal", -123456789012.125 },
      ['a=""'] = { "string", "" }, ['a="x \\"y\\\\ z]["'] = { "string", 'x "y\\ z][' },
      ['a=token'] = { "token", "token" }, ['a=*t/o:k'] = { "token", "*t/o:k" },
      ['a=::'] = { "bytes", "" }, ['a=:Zm9v:'] = { "bytes", "foo" }, ['a=:Zm8=:'] = { "bytes", "fo" },
      ['a=:Zm8:'] = { "bytes", "fo" }, ['a=:-_-_:'] = { "bytes", "\251\255\191" },
      ['a=:+/+/:'] = { "bytes", "\251\255\191" }, ['a=?1'] = { "boolean", true },
      ['a=?0'] = { "boolean", false }, ['a'] = { "boolean", true }, ['  a=1  '] = { "integer", 1 },
      ['a;b'] = { "boolean", true, { b = { "boolean", true } } },
      ['a=1;b=2; c="d";  e'] = {
        "integer", 1, { b = { "integer", 2 }, c = { "string", "d" }, e = { "boolean", true } },
      },
      ['a=()'] = { "list", {} }, ['a=(  )'] = { "list", {} },
      ['a=("x"  y);z=1'] = { "list", { { "string", "x" }, { "token", "y" } }, { z = { "integer", 1 } } },
      ['a=( "x";p=1 "y" )'] = { "list", { { "string", "x", { p = { "integer", 1 } } }, { "string", "y" } } },
    } do
      local members = structured.dictionary(text)
      assert.same(expected, members and plain(members.a), text)
    end
    local members, labels = structured.dictionary("b=1,a=2 ,\tc-1.x_y*=3")
    assert.same({ "b", "a", "c-1.x_y*" }, labels)
    assert.equal(2, members.a.value)
    assert.same({ {}, {} }, { structured.dictionary("") })
    assert.equal('("x";p=1  "y"); q', structured.dictionary('k=1, a=("x";p=1  "y"); q , z').a.text)
  end)

  it("is refused where it is none, or says something twice", function()
    for _, text in ipairs {
      ",", "a,", "a,,b", ",a", "a b", "a=", "a= 1", "a =1", "A=1", "1=a",
      "-a=1", "a=1;", "a=1;B", "a=1;b=", "a=1;;b", "a;b;b", "a=1,a=2", "a=(",
      "a=)", 'a=("x"', 'a=("x""y")',
      'a=("x",y)', "a=(x)y", "a=((x))", 'a="x', 'a="\\x"', 'a="\\', 'a="x\9"', 'a="é"', "a=x\0", "a=1234567890123456",
      "a=1.", "a=1.1234", "a=1234567890123.1", "a=--1", "a=-", "a=1.-1", "a=.5", "a=1e3", "a=?", "a=?2", "a=?true",
      "a=:Zm9v", "a=:Z:", "a=:Zg=:", "a=:Zm 9v:", "a=:-_+/:", "a=:Zh:", "a=@1", "a=%x", "\9a=1", "a=1\n", "a=\"x\"y",
      ("a"):rep(16385),
    } do
      assert.is_nil((structured.dictionary(text)), text)
    end
    assert.is_table(structured.dictionary(("a"):rep(16384)))
  end)
end)

describe("a URL in canonical form", function()
  it("is what AdCP publishes for it", function()
    for url, expected in pairs {
      ["HTTPS://seller.example.com/adcp/create_media_buy"] = "https://seller.example.com/adcp/create_media_buy",
      ["https://Seller.Example.COM/p"] = "https://seller.example.com/p",
      ["https://[2001:DB8::1]/p"] = "https://[2001:db8::1]/p",
      ["https://[::1]:8443/p"] = "https://[::1]:8443/p", ["https://[::1]:443/p"] = "https://[::1]/p",
      ["https://user:pass@seller.example.com/p"] = "https://seller.example.com/p",
      ["https://seller.example.com:443/p"] = "https://seller.example.com/p",
      ["http://seller.example.com:80/p"] = "http://seller.example.com/p",
      ["https://seller.example.com:8443/p"] = "https://seller.example.com:8443/p",
      ["https://seller.example.com/adcp/./x"] = "https://seller.example.com/adcp/x",
      ["https://seller.example.com/a/b/../c"] = "https://seller.example.com/a/c",
      ["https://seller.example.com/a//b"] = "https://seller.example.com/a//b",
      ["https://seller.example.com/a/.//b"] = "https://seller.example.com/a//b",
      ["https://seller.example.com/a//../b"] = "https://seller.example.com/a/b",
      ["https://seller.example.com?x=1"] = "https://seller.example.com/?x=1",
      ["https://seller.example.com/path%2fhere"] = "https://seller.example.com/path%2Fhere",
      ["https://seller.example.com/a%3Ab%3Fc"] = "https://seller.example.com/a%3Ab%3Fc",
      ["https://seller.example.com/%7Efoo"] = "https://seller.example.com/~foo",
      ["https://seller.example.com/%41%42C"] = "https://seller.example.com/ABC",
      ["https://seller.example.com/p?b=2&a=1&c=3"] = "https://seller.example.com/p?b=2&a=1&c=3",
      ["https://seller.example.com/p?x=a+b"] = "https://seller.example.com/p?x=a+b",
      ["https://seller.example.com/p?"] = "https://seller.example.com/p?",
      ["https://seller.example.com/p#frag"] = "https://seller.example.com/p",
    } do
      assert.equal(expected, (target.parse(url) or {}).uri, url)
    end
    for _, url in ipairs {
      "https://:443/p", "https://user@/p", "https:///p",
      "https://[::1/p", "https://fe80::1/p", "https://[fe80::1%25eth0]/p",
    } do
      assert.is_nil(target.parse(url), url)
    end
  end)

  it("has its dots removed as RFC 3986 does", function()
    for path, expected in pairs {
      ["/a/b/c/./../../g"] = "/a/g", ["/mid/content=5/../6"] = "/mid/6", ["/.."] = "/", ["/."] = "/",
      ["/../x"] = "/x", ["/a/.."] = "/", ["/a/../"] = "/", ["/a/b/.."] = "/a/", ["/a/b/."] = "/a/b/",
      ["/..a/b.."] = "/..a/b..", ["/%2e%2E/x/%2e/y"] = "/x/y", ["/a/..//b"] = "//b", ["/"] = "/", ["//"] = "//",
    } do
      assert.equal("https://a.example" .. expected, target.parse("https://a.example" .. path).uri, path)
    end
  end)

  it("drops one dot after the host, and keeps the query's bytes", function()
    assert.equal("https://a.example/", target.parse("https://A.example./").uri)
    assert.equal("a.example:8443", target.parse("https://a.example.:8443/").authority)
    assert.equal("https://a.example/?%7e=%zz&%", target.parse("https://a.example:/?%7e=%zz&%#%41").uri)
    assert.equal("http://a.example:443/", target.parse("http://a.example:0443/").uri)
  end)

  it("is none for what is no absolute http URL of a host", function()
    for _, url in ipairs { "", "/", "a.example/", "//a.example/", "https:/a.example", "ftp://a.example/",
      "https://a.example..", "https://a..b/", "https://.a/", "https://./", "https://a b/",
      "https://a\0b/", "https://a.example/\n", "https://a.example/ ", "https://a.example:x/",
      "https://a.example:70000/", "https://a.example:000443/", "https://[::1]443/", "https://[]/",
      "https://[::g]/", "https://bücher.example/", "https://a%41.example/", "https://a_b@/",
      "https://a.example\127/", "https://a.example/%zz", "https://a.example/%", "https://a.example/%2%45" } do
      assert.is_nil(target.parse(url), url)
    end
  end)
end)

describe("the signature base", function()
  -- RFC 9421, appendix B.2: test-request
  local REQUEST = { method = "POST", url = "https://example.com/foo?param=Value&Pet=dog" }
  local HEADERS = {
    Host = "example.com", Date = "Tue, 20 Apr 2021 02:07:55 GMT",
    ["Content-Type"] = "application/json", ["Content-Length"] = "18",
    ["Content-Digest"] = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm"
      .. "+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:",
  }
  local DIGEST = '"content-digest": ' .. HEADERS["Content-Digest"]

  local function build(input, given, request)
    request = request or REQUEST
    local member = structured.dictionary("s=" .. input).s
    return base.build(request, assert(headers.collect(given or HEADERS)), target.parse(request.url), member)
  end
  local function lines(...)
    return table.concat({ ... }, "\n")
  end

  it("is the one of B.2.1: nothing but the parameters", function()
    local input = '();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"'
    assert.equal('"@signature-params": ' .. input, build(input))
  end)

  it("is the one of B.2.2: some components, one of them a parameter of the query", function()
    local input = '("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;'
      .. 'keyid="test-key-rsa-pss";tag="header-example"'
    assert.equal(lines('"@authority": example.com', DIGEST, '"@query-param";name="Pet": dog',
      '"@signature-params": ' .. input), build(input))
  end)

  it("is the one of B.2.3: everything", function()
    local input = '("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");'
      .. 'created=1618884473;keyid="test-key-rsa-pss"'
    assert.equal(lines('"date": Tue, 20 Apr 2021 02:07:55 GMT', '"@method": POST', '"@path": /foo',
      '"@query": ?param=Value&Pet=dog', '"@authority": example.com',
      '"content-type": application/json', DIGEST, '"content-length": 18',
      '"@signature-params": ' .. input), build(input))
  end)

  it("is the one of B.2.5: for a shared secret", function()
    local input = '("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    assert.equal(lines('"date": Tue, 20 Apr 2021 02:07:55 GMT', '"@authority": example.com',
      '"content-type": application/json', '"@signature-params": ' .. input), build(input))
  end)

  it("is the one of B.2.6: for Ed25519", function()
    local input = '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;'
      .. 'keyid="test-key-ed25519"'
    assert.equal(lines('"date": Tue, 20 Apr 2021 02:07:55 GMT', '"@method": POST', '"@path": /foo',
      '"@authority": example.com', '"content-type": application/json',
      '"content-length": 18', '"@signature-params": ' .. input), build(input))
  end)

  it("is the one of B.3: behind a proxy that ends TLS", function()
    local input = '("@path" "@query" "@method" "@authority" "client-cert");created=1618884473;keyid="test-key-ecc-p256"'
    -- its beginning: the RFC's is one line of 600 bytes
    local cert = ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBB=:"
    assert.equal(lines('"@path": /foo', '"@query": ?param=Value&Pet=dog', '"@method": POST',
      '"@authority": service.internal.example', '"client-cert": ' .. cert,
      '"@signature-params": ' .. input), build(input, { ["Client-Cert"] = cert },
        { method = "POST", url = "https://service.internal.example/foo?param=Value&Pet=dog" }))
  end)

  it("stays and changes as B.4 says, with the signature of B.4", function()
    local input = '("@method" "@path" "@authority" "accept");created=1618884473;keyid="test-key-ed25519"'
    local key = require("scope3.crypto").ed25519(require("scope3.core").base64_decode("JrQLj5P_89iXES9-vFgrIy29clF9CC_o"
      .. "PPsw3c5D0bs"))
    local signature = require("scope3.core").base64_decode("ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9"
      .. "t/LXlh5QMFFQ6cpLt2m0pmj3NDA==")
    local function holds(method, url, accept)
      return key:verify(build(input, { Accept = accept }, { method = method, url = url }), signature)
    end
    local url = "https://example.org/demo?name1=Value1&Name2=value2"
    assert.is_true(holds("GET", url, { "application/json", "*/*" }))
    assert.is_true(holds("GET", url .. "&param=added", { "application/json", "*/*" }))
    assert.is_true(holds("GET", url, "application/json, */*"))
    assert.is_false(holds("POST", "https://example.com/demo?name1=Value1&Name2=value2", { "application/json", "*/*" }))
    assert.is_false(holds("GET", url, { "*/*", "application/json" }))
  end)

  it("has what RFC 9421 section 2.2 says of each derived component", function()
    local request = { method = "POST", url = "https://www.EXAMPLE.com:443/path/%7e?param=value" }
    local input = '("@method" "@target-uri" "@authority" "@scheme" "@request-target" "@path" "@query")'
    assert.equal(lines('"@method": POST', '"@target-uri": https://www.example.com/path/~?param=value',
      '"@authority": www.example.com', '"@scheme": https',
      '"@request-target": /path/%7e?param=value', '"@path": /path/~', '"@query": ?param=value',
      '"@signature-params": ' .. input), build(input, {}, request))
    input = '("@query" "@path" "@request-target")'
    assert.equal(lines('"@query": ?', '"@path": /', '"@request-target": /', '"@signature-params": ' .. input),
      build(input, {}, { method = "POST", url = "https://a.example" }))
  end)

  it("encodes parameters of the query as RFC 9421 section 2.2.8 does, and refuses what is there twice", function()
    local url = "https://www.example.com/parameters?var=this%20is%20a%20big%0Amultiline%20value&"
      .. "bar=with+plus+whitespace&fa%C3%A7ade%22%3A%20=something"
    local function value(name, more)
      local text = build('("@query-param";name="' .. name .. '")', {}, { method = "GET", url = url .. (more or "") })
      return text and text:match('^"@query%-param";name="[^"]*": ([^\n]*)')
    end
    assert.equal("this%20is%20a%20big%0Amultiline%20value", value "var")
    assert.equal("with%20plus%20whitespace", value "bar")
    assert.equal("something", value "fa%C3%A7ade%22%3A%20")
    assert.equal("1", value("a%20b", "&a+b=1"))
    assert.is_nil(value "nothing")
    assert.is_nil(value("var", "&var=2"))
    assert.equal("", value("empty", "&empty"))
  end)

  it("joins the lines of a field without the blanks round them, as RFC 9421 section 2.1 does", function()
    local input = '("cache-control" "x-empty-header" "example-dict")'
    assert.equal(lines('"cache-control": max-age=60, must-revalidate', '"x-empty-header": ',
      '"example-dict": a=1,    b=2;x=1;y=2,   c=(a   b   c)', '"@signature-params": ' .. input),
      build(input, { ["Cache-Control"] = { "max-age=60 ", "   must-revalidate" }, ["X-Empty-Header"] = "",
        ["Example-Dict"] = "  a=1,    b=2;x=1;y=2,   c=(a   b   c)" }))
  end)

  it("is none where a component cannot be had", function()
    for _, input in ipairs {
      '("missing")', '("@status")', '("@nothing")', '("date";sf)', '("date";key="a")',
      '("date";bs)', '("date";tr)', '("date";req)', '("@method";req)', '("@query-param")',
      '("@query-param";name=Pet)', '("@query-param";name="Pet";x)', '("@method";x=1)',
    } do
      assert.is_nil(build(input), input)
    end
    assert.is_nil(build('("x")', { X = "a\r\n b" }))
    assert.is_nil(build('("x")', { X = "a\0" }))
    assert.is_nil(build('("@method")', {}, { method = "GET\n", url = "https://a.example/" }))
  end)
end)
