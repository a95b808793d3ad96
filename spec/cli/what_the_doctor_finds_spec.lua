-- What the doctor says of the installation, the key, the account and the service, with what to do about each.
local world = require "spec.support.world"

local json = world.json

describe("the doctor", function()
  local sandbox = world.around(setup, teardown, before_each)

  local function doctor(env, ...)
    return world.command({ "doctor", ... }, { env = env })
  end

  local function checks(env, ...)
    local code, out = doctor(env, "--json", ...)
    local by_name, list = {}, json.decode(out).checks
    for _, check in ipairs(list) do
      by_name[check.name] = check
    end
    return code, by_name
  end

  local function good()
    return "SCOPE3_API_KEY=scope3_x SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url
  end

  it("finds all as it should be", function()
    local code, found = checks(good())
    assert.equal(0, code)
    for name, value in pairs {
      scope3 = require "scope3.version", ["API key"] = "given, 8 characters", account = "25",
      ["key and account"] = "answer", service = sandbox.url .. "/api/v2/buyer",
    } do
      assert.same({ true, value }, { found[name].ok, found[name].value }, name)
    end
    assert.is_nil(found["API key's form"])
    assert.is_nil(found.scope3.optional)
    for _, name in ipairs { "Lua", "libcurl", "zlib", "libcrypto", "argparse", "cqueues", "CA certificates" } do
      assert.is_true(found[name].ok, name)
    end
    local cqueues = require "cqueues"
    assert.equal(tostring(cqueues._VERSION or cqueues.VERSION or cqueues.version), found.cqueues.value)
    assert.truthy(found["service's version"].value:find "^sandbox%-[%d.]+ · commit 0+$")
    assert.same({ 0, "", "" }, { doctor(good(), "--quiet") })
  end)

  it("finds what is missing, and says what to do", function()
    local code, found = checks("SCOPE3_BASE_URL=" .. sandbox.url)
    assert.same({ 1, false, "set SCOPE3_API_KEY, or give --api-key-file", false,
      "set SCOPE3_ACCOUNT_ID, or give --account" }, { code,
      found["API key"].ok, found["API key"].advice, found.account.ok, found.account.advice })
    assert.is_nil(found["key and account"])
    local _, out = doctor("SCOPE3_BASE_URL=" .. sandbox.url)
    assert.truthy(out:find "\n%-%-  API key +set SCOPE3_API_KEY, or give %-%-api%-key%-file\n", out)
    code, found = checks("SCOPE3_API_KEY=other SCOPE3_ACCOUNT_ID=25 SCOPE3_BASE_URL=" .. sandbox.url)
    assert.same({ 0, "keys begin with scope3_: is this one whole?" }, { code, found["API key's form"].advice })
    sandbox:configure { keys = json.array { "another" } }
    code, found = checks(good())
    assert.same({ 1, false }, { code, found["key and account"].ok })
    local failed, printed, err = doctor(good(), "--quiet")
    assert.same({ 1, "" }, { failed, printed })
    assert.truthy(err:find "^%-%-  key and account  [^\n]+\n", err)
  end)

  it("looks at the certificates that it was told of", function()
    local pem = world.file "-----BEGIN TRUSTED CERTIFICATE-----\n"
    for given, said in pairs {
      [world.file "x"] = "it holds no certificate in PEM form",
      ["/no/such"] = "it cannot be read (No such file or directory)",
    } do
      local _, found = checks(good(), "--ca-file", given)
      assert.equal(("look at --ca-file, %s: %s"):format(given, said), found["CA certificates"].advice)
      _, found = checks(good() .. " SCOPE3_CA_FILE=" .. given)
      assert.equal(("look at SCOPE3_CA_FILE, %s: %s"):format(given, said), found["CA certificates"].advice)
    end
    local _, found = checks(good(), "--ca-file", pem)
    assert.equal(pem, found["CA certificates"].value)
    _, found = checks(good() .. " SCOPE3_CA_FILE=")
    assert.is_true(found["CA certificates"].ok)
    assert.is_true(#found["CA certificates"].value > 0)
    _, found = checks(good() .. " SCOPE3_CA_FILE='-----BEGIN CERTIFICATE-----\n'")
    assert.equal("of SCOPE3_CA_FILE, as text", found["CA certificates"].value)
  end)
end)
