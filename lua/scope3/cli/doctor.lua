--- `scope3 doctor`: checks the installation, the key and the account, and says what to do about each problem.
local json = require "scope3.util.json"
local listing = require "scope3.api.listing"
local output = require "scope3.cli.output"
local context = require "scope3.cli.context"
local text = require "scope3.cli.text"
local version = require "scope3.version"
local messages = require "scope3.cli.messages"

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

-- The list of checks. `optional` ones do not fail the command; `advice` says what to do where one failed.
local function new_checks()
  local checks = json.array {}
  local function add(name, value, advice, optional)
    local fine = value ~= nil and value ~= false
    checks[#checks + 1] = { name = name, value = fine and tostring(value) or nil, ok = fine,
      optional = optional or false, advice = not fine and advice or nil }
  end
  return checks, add
end

local function check_certificates(check, args, curl)
  local variable = os.getenv("SCOPE3_CA_FILE")
  local given = args.ca_file or variable ~= "" and variable or nil
  local problem = given and ca_problem(given)
  if problem then
    local from = args.ca_file and "--ca-file" or "SCOPE3_CA_FILE"
    check("CA certificates", nil, ("look at %s, %s: %s"):format(from, given, problem))
  else
    local told = given and (given:find("\n", 1, true) and "of SCOPE3_CA_FILE, as text" or given)
    check("CA certificates", told or curl.ca_bundle or "the TLS library's own")
  end
end

-- C modules that are built only where their library is installed.
local C_MODULES = {
  { name = "zlib", module = "scope3.gzip", version = "zlib_version",
    advice = "this build reads no gzip: install zlib's headers, and build again" },
  { name = "libcrypto", module = "scope3.crypto", version = "openssl_version",
    advice = "this build verifies no RFC 9421 signatures of callbacks, and a state takes longer: install OpenSSL's "
      .. "headers, and build again" },
}

local LUA_MODULES = {
  { name = "argparse", needed_for = "the command needs it" },
  { name = "cqueues", needed_for = "only the sandbox needs it" },
}

local function check_libcurl(check, curl)
  local value = ("%s · %s · HTTP/2 %s"):format(curl.version, curl.ssl or "no TLS", curl.http2 and "yes" or "no")
  check("libcurl", value, not curl.ssl and "this libcurl has no TLS: install one that has")
end

local function check_installation(check, args)
  local jit = rawget(_G, "jit") -- a host may forbid to read a global that does not exist
  check("scope3", version)
  check("Lua", jit and jit.version .. " (" .. _VERSION .. ")" or _VERSION)
  local curl = require("scope3.engine").curl_version()
  check_libcurl(check, curl)
  check_certificates(check, args, curl)
  for _, item in ipairs(C_MODULES) do
    local found, module = pcall(require, item.module)
    check(item.name, found and module[item.version] or nil, not found and item.advice, true)
  end
  for _, item in ipairs(LUA_MODULES) do
    local found, advice = module_version(item.name, item.needed_for)
    check(item.name, found and tostring(found == true and "found" or found), advice, true)
  end
end

local function check_key(check, key)
  check("API key", key and "given, " .. text.plural(#key, "character"),
    not key and "set SCOPE3_API_KEY, or give --api-key-file")
  if key and not key:find("^scope3_") then
    check("API key's form", nil, "keys begin with scope3_: is this one whole?", true)
  end
end

-- Whether the service answers.
local function check_health(check, client)
  local ok, err, about = client:health()
  check("service", ok and client.base, err and messages.plain(err.message))
  if about and (about.version or about.commit_sha) then
    local commit = about.commit_sha and " · commit " .. about.commit_sha or ""
    check("service's version", text.visible((about.version or "not told") .. commit))
  end
  return ok
end

local function check_service(check, args)
  local client, why, close = context.client(args)
  if not client then
    why = messages.of(why, args)
    check("client", nil, type(why) == "table" and why.message or why)
    close()
    return
  end
  local key, account = client.secret(), client.account_id
  check_key(check, key)
  check("account", account, not account and "set SCOPE3_ACCOUNT_ID, or give --account")
  local ok = check_health(check, client)
  if key and account and ok then
    local _, failure = listing.rows(client, nil, 1)()
    check("key and account", not failure and "answer", failure and messages.plain(failure.message))
  end
  close()
end

-- The rows to print, and the names of the checks that fail the command.
local function summarize(checks, quiet)
  local rows, failed = {}, {}
  for _, item in ipairs(checks) do
    if not item.ok and not item.optional then
      failed[#failed + 1] = item.name
    end
    if not (quiet and item.ok) then
      rows[#rows + 1] = { item.ok and "ok" or "--", item.name, item.value or item.advice or "missing" }
    end
  end
  return rows, failed
end

---@param args table
---@param exit table
---@return integer
function doctor.main(args, exit)
  local checks, check = new_checks()
  check_installation(check, args)
  check_service(check, args)
  local rows, failed = summarize(checks, args.quiet)
  for _, item in ipairs(checks) do
    item.optional = nil -- the object of --json does not have it
  end
  output.object { ok = #failed == 0, checks = checks }
  if args.quiet and #rows > 0 then
    io.stderr:write(text.columns(rows))
  elseif #rows > 0 then
    output.say(text.columns(rows))
  end
  if #failed > 0 then
    output.fail("not as it should be: " .. table.concat(failed, ", "), "failed")
  end
  return #failed == 0 and exit.OK or exit.FAILED
end

return doctor
