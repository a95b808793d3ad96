-- The location for callbacks in a real nginx, called by the sandbox itself.
if not require("spec.support.nginx").here() then
  return
end

local core = require "scope3.core"
local curl = require "scope3.engine"
local nginx = require "spec.support.nginx"
local scope3 = require "scope3"
local world = require "spec.support.world"

local json = world.json
local SECRET = ("s3cret-"):rep(6)

local HTTP = ([[
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local function location(proof)
      local opts = { shared = "scope3", on_payload = function(payload)
        ngx.shared.scope3:incr("taken:" .. payload.status, 1, 0)
        while payload.status == "slow" and not ngx.shared.scope3:get "go" do
          ngx.sleep(0.01)
        end
        return payload.message ~= "not now"
      end }
      for key, value in pairs(proof) do
        opts[key] = value
      end
      return require("scope3.nginx").webhook(opts)
    end
    hook = location { mode = "hmac", secrets = { "SECRET" } }
    bearer = location { mode = "bearer", credentials = "SECRET" }
    client = assert(require("scope3").client { api_key = "scope3_test_key", account_id = "25", base_url = "URL", rate = 100000 })
  }
  server {
    listen 127.0.0.1:PORT;
    client_max_body_size 4m;
    client_body_buffer_size 16k;
    location = /ping { return 200 "pong"; }
    location = /hook { content_by_lua_block { hook() } }
    location = /unreadable {
      rewrite_by_lua_block { ngx.req.read_body() ngx.req.set_body_file("/proc/self/mem") } # its first page cannot be read
      content_by_lua_block { hook() }
    }
    location = /bearer { content_by_lua_block { bearer() } }
    location = /go { content_by_lua_block { ngx.shared.scope3:set("go", true) } }
    location = /taken { content_by_lua_block { ngx.print(ngx.shared.scope3:get("taken:" .. ngx.var.arg_status) or 0) } }
    location = /wait { content_by_lua_block {
      local asked = 0
      local task, err = client:wait(ngx.var.arg_task, { timeout = 50, interval = 40, notified = require("scope3.nginx").notified "scope3" })
      ngx.print(task and task.status or tostring(err))
    } }
  }
]]):gsub("SECRET", SECRET)

describe("a location for callbacks", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0.5 })
  local server

  setup(function()
    server = nginx.start { http = (HTTP:gsub("URL", sandbox.url)) }
    server:expect("scope3: a callback was refused", "is buffered to a temporary file")
  end)
  teardown(function()
    server:close()
  end)

  local function audience(id)
    local made = assert(scope3.audience { id = id })
    assert(made:add { external_id = "1", email = "a@example.com" })
    return made
  end

  local function taken(status)
    return tonumber(world.http("GET", server.url .. "/taken?status=" .. status).body)
  end

  local number = 0
  local function post(fields, more)
    number = number + 1
    local body = {
      idempotency_key = "key-0000000000-" .. number, task_id = "t" .. number,
      status = "working", task_type = "audience_sync", timestamp = "2026-01-01T00:00:00Z",
    }
    for key, value in pairs(fields or {}) do
      body[key] = value
    end
    more = more or {}
    local text = more.body or json.encode(body)
    local now = ("%d"):format(os.time())
    local signature = more.signature or core.hmac_sha256(SECRET, now .. "." .. text)
    return world.http("POST", server.url .. (more.path or "/hook"), text, {
      headers = more.headers or {
        "X-ADCP-Timestamp: " .. now, "X-ADCP-Signature: sha256=" .. signature, "Content-Type: application/json",
      } }), text
  end

  it("takes what the service sends when a task has ended, and a wait in another request ends by it", function()
    local before = taken "completed"
    local client = sandbox:client()
    local res = assert(client:sync(audience "a", {
      push_notification_config = { url = server.url .. "/hook", operation_id = "o-1",
        authentication = { scheme = "HMAC-SHA256", credentials = SECRET } },
    }))
    -- Its own interval is 40 s: without the callback it would be that long.
    local started = core.now()
    local reply = world.http("GET", server.url .. "/wait?task=" .. res.tasks[1].task_id, nil, { timeout = 60 })
    assert.equal("completed", reply.body)
    assert.is_true(core.now() - started < 30)
    assert.equal(before + 1, taken "completed")
    assert.equal("", server:trouble())
  end)

  it("hands a delivery on once, and answers 204 to it again", function()
    local before = taken "working"
    local fields = { idempotency_key = "the-same-key-twice" }
    assert.equal(204, post(fields, { body = nil }).status)
    local body = json.encode { idempotency_key = "another-key-0001", task_id = "t", status = "working" }
    assert.equal(204, post(nil, { body = body }).status)
    assert.equal(204, post(nil, { body = body }).status)
    assert.equal(before + 2, taken "working")
    local other = post(nil, { body = (body:gsub("working", "failed")) })
    assert.same({ 409, "webhook_delivery_conflict" }, { other.status, json.decode(other.body).error.code })
  end)

  it("hands on once what is written in another order, and one end of a task that comes under two keys", function()
    local before = taken "failed"
    local function ended(key, rest)
      return post(nil, { body = ('{"idempotency_key":"%s",%s}'):format(key, rest) }).status
    end
    assert.equal(204, ended("ended-key-0000001", '"task_id":"ended-1","status":"failed"'))
    assert.equal(204, ended("ended-key-0000001", '"status": "failed", "task_id": "ended-1"'))
    assert.equal(204, ended("ended-key-0000002", '"task_id":"ended-1","status":"failed","message":"again"'))
    assert.equal(before + 1, taken "failed")
    assert.equal(204, ended("ended-key-0000003", '"task_id":"ended-2","status":"failed"'))
    assert.equal(before + 2, taken "failed")
  end)

  it("has what could not be acted upon sent again", function()
    local body = json.encode {
      idempotency_key = "for-the-second-time", task_id = "t", status = "odd", message = "not now",
    }
    assert.equal(500, post(nil, { body = body }).status)
    assert.equal(500, post(nil, { body = body }).status)
    assert.equal(2, taken "odd")
  end)

  it("says 503 to a delivery that comes again while it is being handled, which may still fail", function()
    local engine = assert(curl.engine {})
    local body = json.encode {
      idempotency_key = "slowly-handled-01", task_id = "t", status = "slow", message = "not now",
    }
    local now = ("%d"):format(os.time())
    assert(engine:submit { method = "POST", url = server.url .. "/hook", body = body, timeout = 60, headers = {
      "X-ADCP-Timestamp: " .. now, "X-ADCP-Signature: sha256=" .. core.hmac_sha256(SECRET, now .. "." .. body),
      "Content-Type: application/json" } })
    nginx.until_true("it is being handled", function()
      engine:step()
      return taken "slow" == 1
    end)
    local reply = post(nil, { body = body })
    assert.same({ 503, "webhook_unavailable" }, { reply.status, json.decode(reply.body).error.code })
    world.http("GET", server.url .. "/go")
    assert.equal(500, world.next_result(engine).status)
    engine:close()
    assert.equal(500, post(nil, { body = body }).status)
    assert.equal(2, taken "slow")
  end)

  it("refuses a wrong signature with 401 and its code, other methods, and what is too large", function()
    local reply = post(nil, { signature = ("0"):rep(64) })
    assert.equal(401, reply.status)
    local code = json.decode(reply.body).error.code
    assert.equal(('Signature error="%s"'):format(code), reply.headers["www-authenticate"])
    assert.equal(405, world.http("GET", server.url .. "/hook").status)
    assert.equal(413, post(nil, { body = ("x"):rep(1048577) }).status)
    assert.equal(413, post(nil, { body = ("x"):rep(2000000) }).status)
  end)

  it("fails where a body that nginx put aside cannot be read, so that it comes again", function()
    server:expect "Input/output error"
    assert.equal(500, (post(nil, { path = "/unreadable" })).status)
  end)

  it("reads a body that nginx put aside, and knows Bearer", function()
    local long = json.encode {
      idempotency_key = "a-long-body-0001", task_id = "t", status = "long", result = ("y"):rep(300000),
    }
    assert.equal(204, post(nil, { body = long }).status)
    assert.equal(1, taken "long")
    assert.equal(204, post({ status = "borne" },
      { path = "/bearer", headers = { "Authorization: Bearer " .. SECRET, "Content-Type: application/json" } }).status)
    assert.equal(401,
      post({ status = "borne" }, { path = "/bearer", headers = { "Authorization: Bearer " .. SECRET .. "x" } }).status)
    assert.equal(1, taken "borne")
  end)
end)
