--- `scope3 doctor`: what is installed, whether the key and the account answer, and what to do about each problem.
local core = require "scope3.core"
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local output = require "scope3.cli.output"
local context = require "scope3.cli.context"
local text = require "scope3.cli.text"
local version = require "scope3.version"
local wording = require "scope3.cli.wording"

local doctor = {}

-- The version of a module, or what to do where it is missing.
local function module_version(name, needed_for)
  local ok, loaded = pcall(require, name)
  if not ok then
    return nil, ("install %s for this Lua (luarocks install %s); %s"):format(name, name, needed_for)
  end
  return type(loaded) == "table" and (loaded._VERSION or loaded.VERSION or loaded.version) or true
end

-- What is wrong with a file of certificates, or nil.
local function ca_problem(path)
  if path:find("-----BEGIN CERTIFICATE-----", 1, true) then
    return nil -- the certificates themselves
  end
  local file, why = io.open(path, "rb")
  local pem
  if file then
    pem, why = file:read("*a")
    file:close()
  end
  if not pem then
    return ("it cannot be read (%s)"):format(tostring(why):gsub("^.*: ", ""))
  elseif not pem:find("-----BEGIN [%w ]*CERTIFICATE-----") then -- pattern: a file of the user's own
    return "it holds no certificate in PEM form"
  end
end

local function certificates(check, args, curl)
  local variable = os.getenv("SCOPE3_CA_FILE")
  local given = args.ca_file or variable ~= "" and variable or nil
  local problem = given and ca_problem(given)
  if problem then
    check("CA certificates", nil, ("look at %s, %s: %s"):format(args.ca_file and "--ca-file" or "SCOPE3_CA_FILE", given, problem))
  else
    local told = given and (given:find("\n", 1, true) and "of SCOPE3_CA_FILE, as text" or given)
    check("CA certificates", told or curl.ca_bundle or "the TLS library's own")
  end
end

local function installation(check, args)
  local jit = rawget(_G, "jit") -- a host may let no global be read that is not there
  check("scope3", version)
  check("Lua", jit and jit.version .. " (" .. _VERSION .. ")" or _VERSION)
  local curl = core.curl_version()
  check("libcurl", ("%s · %s · HTTP/2 %s"):format(curl.version, curl.ssl or "no TLS", curl.http2 and "yes" or "no"),
    not curl.ssl and "this libcurl has no TLS: install one that has")
  certificates(check, args, curl)
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
  local client, why, close = context.client(args)
  if not client then
    why = wording.of(why, args)
    check("client", nil, type(why) == "table" and why.message or why)
    close()
    return
  end
  local key = client.secret()
  check("API key", key and "given, " .. text.plural(#key, "character"), not key and "set SCOPE3_API_KEY")
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
    found[#found + 1] = { name = name, value = fine and tostring(value) or nil, ok = fine, optional = optional or false,
      advice = not fine and advice or nil }
  end
  installation(check, args)
  service(check, args)
  output.object { ok = healthy, checks = found }
  local rows, wrong = {}, {}
  for _, item in ipairs(found) do
    if item.ok == false and not item.optional then
      wrong[#wrong + 1] = item.name
    end
    item.optional = nil
    if not (args.quiet and item.ok) then
      rows[#rows + 1] = { item.ok and "ok" or "--", item.name, item.value or item.advice or "missing" }
    end
  end
  if args.quiet and #rows > 0 then
    io.stderr:write(text.columns(rows))
  elseif #rows > 0 then
    output.say(text.columns(rows))
  end
  if not healthy then
    output.fail("not as it should be: " .. table.concat(wrong, ", "), "failed")
  end
  return healthy and exit.OK or exit.FAILED
end

return doctor
