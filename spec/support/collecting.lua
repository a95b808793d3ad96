-- A collector in a real nginx: its configuration, and what specs ask of it.
local nginx = require "spec.support.nginx"
local world = require "spec.support.world"

local collecting = {}

--- What a collector itself writes into the log begins so: its specs look at that where it matters.
collecting.SAYS = "scope3: "

local HTTP = [[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    %s
    collector = require("scope3.nginx").collector {
      account_id = "25", api_key = "scope3_test_key", base_url = "%s", audience = "visitors", rate = 100000, shared = "scope3",
      %s
    }
    function visit(id)
      return collector:add { external_id = id, email = id .. "@example.com", phone = "+1 206 555 1234" }
    end
  }
  init_worker_by_lua_block { collector:start() }
  exit_worker_by_lua_block { require("scope3.nginx").exit() }
  server {
    listen 127.0.0.1:PORT;
    location = /ping { return 200 "pong"; }
    location = /visit {
      return 200 "seen";
      log_by_lua_block {
        for i = tonumber(ngx.var.arg_from), tonumber(ngx.var.arg_to or ngx.var.arg_from) do
          local ok, err = visit("v" .. i)
          if not ok then
            ngx.shared.scope3:set("rejection", err.kind .. ": " .. tostring(err))
          end
        end
      }
    }
    location = /take { content_by_lua_block {
      local ok, err = visit(ngx.var.arg_id)
      ngx.print(ok and "taken" or tostring(err))
    } }
    location = /try { content_by_lua_block { ngx.print(ngx.shared.scope3:get("try" .. ngx.var.arg_n)) } }
    location = /rejection { content_by_lua_block { ngx.print(ngx.shared.scope3:get "rejection") } }
    location = /id { content_by_lua_block {
      local ok, err = collector:add { external_id = ngx.unescape_uri(ngx.var.arg_id), email = "a@example.com" }
      ngx.print(ok and "taken" or err.code)
    } }
    location = /odd { content_by_lua_block {
      local ok, err = collector:add { external_id = "x", email = "nobody" }
      ngx.print(tostring(ok), " ", err.kind, " ", err.code)
    } }
    location = /flush { lua_check_client_abort on; content_by_lua_block {
      ngx.on_abort(function()
        ngx.log(ngx.NOTICE, "flush dropped")
        ngx.exit(499)
      end)
      local ok, err = collector:flush()
      ngx.print(ok and "flushed" or tostring(err))
    } }
    location = /pid { content_by_lua_block { ngx.print(ngx.worker.pid()) } }
    location = /status { content_by_lua_block { ngx.print(require("cjson").encode(collector:status())) } }
    %s
  }
]]

--- What stands in the http block.
---@param init string  Lua that runs before the collector is made
---@param url string
---@param options string?  further ones of the collector
---@param locations string?
function collecting.http(init, url, options, locations)
  return HTTP:format(init, url, options or "", locations or "")
end

--- Functions for the server that `current()` gives.
---@param sandbox table
---@param current fun(): table
function collecting.of(sandbox, current)
  local of = {}

  --- Starts one, with further options of the collector. `more`:
  --- workers, main, connections and before as nginx.start() takes them, http (directives), init and locations.
  function of.start(options, more)
    more = more or {}
    local server = nginx.start {
      http = (more.http or "") .. collecting.http(more.init or "", sandbox.url, options, more.locations),
      workers = more.workers, main = more.main, connections = more.connections, before = more.before,
    }
    return server:expect(collecting.SAYS)
  end

  function of.get(path, options)
    local reply = world.http("GET", current().url .. path, nil, options)
    assert(reply.status == 200, path .. ": " .. tostring(reply.status or reply.message) .. " " .. tostring(reply.body))
    return reply.body
  end

  function of.status()
    return world.json.decode(of.get "/status")
  end

  --- Has members v<from> to v<to> added, in the log phase.
  function of.visit(from, to)
    of.get(("/visit?from=%d&to=%d"):format(from, to or from))
  end

  --- How many the service has.
  function of.members()
    local n = 0
    for _ in pairs(sandbox:members "visitors") do
      n = n + 1
    end
    return n
  end

  function of.until_members(n)
    local ok, found
    local fine, why = pcall(nginx.until_true, n .. " members", function()
      ok, found = pcall(of.members)
      return ok and found == n
    end)
    if not fine then
      local _, status = pcall(of.get, "/status")
      local _, seen = pcall(function()
        return world.json.encode { ids = sandbox:ids "visitors", requests = sandbox:requests "sync" }
      end)
      error(("%s\nthere: %s; status: %s\nthe service has %s"):format(tostring(why), tostring(found), tostring(status),
        tostring(seen)))
    end
  end

  return of
end

--- A folder for spools in each spec of a describe; `stop` ends the server that uses it.
---@return {path: string?, options: (fun(more: string): string), files: (fun(pattern: string): string[])}
function collecting.folder(before_each, after_each, stop)
  local folder = {}
  before_each(function()
    folder.path = world.path()
    os.execute("mkdir -m 700 " .. folder.path)
  end)
  after_each(function()
    stop()
    os.execute("rm -rf " .. folder.path)
  end)

  --- Options of a collector that keeps its spools here.
  function folder.options(more)
    return ("spool = '%s', %s"):format(folder.path, more)
  end

  --- Names of its files that match.
  function folder.files(pattern)
    local names = {}
    for name in nginx.sh("ls " .. folder.path):gmatch("%S+") do
      names[#names + 1] = name:find(pattern) and name or nil
    end
    return names
  end

  return folder
end

return collecting
