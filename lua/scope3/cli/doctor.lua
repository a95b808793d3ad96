--- `scope3 doctor`: what is installed, whether the key and the account answer, and what to do about each problem.
local core = require "scope3.core"
local json = require "scope3.json"
local listing = require "scope3.listing"
local setting = require "scope3.cli.setting"
local text = require "scope3.cli.text"
local version = require "scope3.version"

local doctor = {}

-- The version of a module, or what to do where it is missing.
local function module_version(name, needed_for)
  local ok, loaded = pcall(require, name)
  if not ok then
    return nil, ("install %s for this Lua (luarocks install %s); %s"):format(name, name, needed_for)
  end
  return type(loaded) == "table" and (loaded._VERSION or loaded.VERSION or loaded.version) or true
end

local function installation(check, args)
  local jit = rawget(_G, "jit") -- a host may let no global be read that is not there
  check("scope3", version)
  check("Lua", jit and jit.version .. " (" .. _VERSION .. ")" or _VERSION)
  local curl = core.curl_version()
  check("libcurl", ("%s · %s · HTTP/2 %s"):format(curl.version, curl.ssl or "no TLS", curl.http2 and "yes" or "no"),
    not curl.ssl and "this libcurl has no TLS: install one that has")
  check("CA certificates", args.ca_file or os.getenv("SCOPE3_CA_FILE") or curl.ca_bundle or "the TLS library's own")
  local found_gzip, gzip = pcall(require, "scope3.gzip")
  check("zlib", found_gzip and gzip.zlib_version or nil, not found_gzip and "this build reads no gzip: install zlib's headers, and build again", true)
  local found_crypto, crypto = pcall(require, "scope3.crypto")
  check("libcrypto", found_crypto and crypto.openssl_version or nil,
    not found_crypto and "this build verifies no RFC 9421 signatures of callbacks: install OpenSSL's headers, and build again", true)
  for _, name in ipairs { "argparse", "cqueues" } do
    local found, advice = module_version(name, name == "cqueues" and "only the sandbox needs it" or "the command needs it")
    check(name, found and tostring(found == true and "found" or found), advice, true)
  end
end

local function service(check, args)
  local client, why, close = setting.client(args)
  if not client then
    check("client", nil, type(why) == "table" and why.message or why)
    close()
    return
  end
  local key = client.secret()
  check("API key", key and ("given, %d characters"):format(#key), not key and "set SCOPE3_API_KEY")
  if key and not key:find("^scope3_") then
    check("API key's form", nil, "keys begin with scope3_: is this one whole?", true)
  end
  check("account", client.account_id, not client.account_id and "set SCOPE3_ACCOUNT_ID, or give --account")
  local ok, err, about = client:health()
  check("service", ok and client.base, err and err.message)
  if about and (about.version or about.commit_sha) then
    local commit = about.commit_sha and " · commit " .. about.commit_sha or ""
    check("service's version", text.visible((about.version or "not told") .. commit))
  end
  if key and client.account_id and ok then
    local _, failure = listing.rows(client, nil, 1)()
    check("key and account", not failure and "answer", failure and failure.message)
  end
  close()
end

---@param args table
---@param exit table
---@return integer
function doctor.main(args, exit)
  local found, healthy = json.array {}, true
  local function check(name, value, advice, optional)
    local fine = value ~= nil and value ~= false
    healthy = healthy and (fine or optional or false)
    found[#found + 1] = { name = name, value = fine and tostring(value) or nil, ok = fine, advice = not fine and advice or nil }
  end
  installation(check, args)
  service(check, args)
  if args.json then
    print(json.pretty { ok = healthy, checks = found })
  else
    local rows = {}
    for i, item in ipairs(found) do
      rows[i] = { item.ok and "ok" or "--", item.name, item.value or item.advice or "missing" }
    end
    io.stdout:write(text.columns(rows))
  end
  return healthy and exit.OK or exit.FAILED
end

return doctor
