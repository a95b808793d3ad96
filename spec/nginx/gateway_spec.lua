-- The gateway in a real nginx: raw rows in, hashes out.
if not require("spec.support.nginx").here() then
  return
end

local core = require "scope3.core"
local cqueues_socket = require "cqueues.socket"
local nginx = require "spec.support.nginx"
local ports = require "spec.support.ports"
local world = require "spec.support.world"

local json = world.json

local HTTP = [[
  client_max_body_size 0;
  lua_shared_dict scope3 1m;
  init_by_lua_block {
    local function gateway(more)
      local opts = { account_id = "25", api_key = "scope3_test_key", base_url = "%s", audience = "crm", rate = 100000, shared = "scope3",
        map = { external_id = "id", email = "mail", phone = { "mobile", "phone" } }, region = "US", max_members = 20000 }
      for key, value in pairs(more or {}) do
        opts[key] = value or nil
      end
      return require("scope3.nginx").gateway(opts)
    end
    upload = gateway()
    chosen = gateway { audience = function() return ngx.var.arg_audience end }
    impatient = gateway { read_timeout = 0.2 }
    small = gateway { max_members = 100 }
    hashing = gateway { ids = "hash" }
    hasty = gateway { deadline = 0.5 }
    nobody = select(2, pcall(gateway, { audience = false }))
    narrow = gateway { max_rows = 1000, max_unpacked_bytes = 3000000 }
    wrong = select(2, pcall(gateway, { api_key = false, account_id = false, region = "Atlantis", max_members = 1e7, audience = { id = "" } }))
  }
  server {
    listen 127.0.0.1:PORT;
    listen 127.0.0.1:HTWO http2;
    location = /ping { return 200 "pong"; }
    location = /upload { content_by_lua_block { upload() } }
    location = /chosen { content_by_lua_block { chosen() } }
    location = /hashing { content_by_lua_block { hashing() } }
    location = /narrow { content_by_lua_block { narrow() } }
    location = /hasty { content_by_lua_block { hasty() } }
    location = /nobody { content_by_lua_block { ngx.print(tostring(nobody)) } }
    location = /read_before { content_by_lua_block { ngx.req.read_body() upload() } }
    location = /small { content_by_lua_block { small() } }
    location = /wrong { content_by_lua_block { ngx.print(tostring(wrong)) } }
    location = /hidden { content_by_lua_block { ngx.log(ngx.ERR, "the hidden request ran") } }
    location = /impatient { content_by_lua_block { impatient() } }
  }
]]

local function csv(n)
  local lines = { "id,mail,mobile,phone" }
  for i = 1, n do
    lines[#lines + 1] = ("r%d,Jane.%d@Example.com,none,+1 206 555 %04d"):format(i, i, i % 10000)
  end
  return table.concat(lines, "\n") .. "\n"
end

describe("a gateway", function()
  local sandbox = world.around(setup, teardown, before_each, { task_seconds = 0 })
  local server, second_port

  setup(function()
    second_port = ports.free()
    server = nginx.start { http = (HTTP:format(sandbox.url):gsub("HTWO", tostring(second_port))) }
  end)
  teardown(function()
    server:close()
  end)

  -- Uploads with the curl command: the answer, decoded, and its status.
  local function upload(text, options, path, port)
    local file = world.file(text, ".csv")
    local out = nginx.sh(("curl -sS -w '\\n%%{http_code}' -X POST "
      .. "--data-binary @%s %s http://127.0.0.1:%d%s"):format(nginx.quote(file),
      options or "-H 'Content-Type: text/csv'", port or server.port, path or "/upload"))
    local body, status = out:match("^(.*)\n(%d+)%s*$")
    assert(body and tonumber(status) > 0, out)
    return json.decode(body), tonumber(status), body
  end

  it("answers an upload that it refuses to the end of the answer, however large the upload is", function()
    local lines = { "id,mail" }
    for n = 1, 5000 do
      lines[#lines + 1] = ("%s%d,r%d@example.com"):format(("x"):rep(4000), n, n)
    end
    local said, status = upload(table.concat(lines, "\n"))
    assert.same({ 400, "invalid" }, { status, said.error.kind })
    assert.equal("", server:trouble())
  end)

  it("holds requests of 8 MiB at most, however large an upload is", function()
    local lines = { "id,mail,mobile,phone" }
    for n = 1, 5000 do
      lines[#lines + 1] = ("%s%d,r%d@example.com,,"):format(("x"):rep(4000), n, n)
    end
    local reply = upload(table.concat(lines, "\n"))
    assert.equal(5000, reply.result.accepted)
    assert.is_true(#reply.result.requests >= 3)
    for _, request in ipairs(reply.result.requests) do
      assert.is_true(request.bytes <= 8388608, request.bytes)
    end
  end)

  it("takes a CSV file, sends its hashes on, and answers with the report", function()
    local said, status = upload(csv(500))
    assert.same({ 200, 500, 500, 500 },
      { status, said.result.rows, said.result.accepted, said.result.identifiers.hashed_phone })
    world.assert_sums(said.result)
    assert.same({ hashedEmail = core.sha256 "jane.7@example.com", hashedPhone = core.sha256 "+12065550007" },
      sandbox:members("crm").r7)
    assert.equal("", server:trouble())
  end)

  it("takes JSON Lines and gzip, and an audience that the request names", function()
    local said, status = upload('{"id":"1","mail":"a@example.com"}\n{"id":"2","mail":"nobody"}\n',
      "-H 'Content-Type: application/x-ndjson; charset=utf-8'",
      "/chosen?audience=vips")
    assert.same({ 200, 1, 1 }, { status, said.result.accepted, said.result.rejected.no_identifier })
    assert.same({ "1" }, sandbox:ids "vips")
    local packed = nginx.sh("printf 'id,mail,mobile,phone\\n1,a@example.com,,\\n2,b@example.com,,\\n' | gzip -c")
    said, status = upload(packed)
    assert.same({ 200, 2 }, { status, said.result.accepted })
  end)

  it("reads the encoding that a charset or a byte order mark names, and refuses an unknown charset", function()
    local text = "id;mail;mobile;phone\n1;m\252ller@example.com;;\n"
    local hash = core.sha256 "m\195\188ller@example.com"
    local wide = nginx.sh("printf 'id;mail;mobile;phone\\n1;m\\303\\274ller@example.com;;\\n' "
      .. "| iconv -f UTF-8 -t UTF-16")
    for charset, body in pairs {
      ["; charset=windows-1252"] = text, ['; header=present; Charset="ISO-8859-1"'] = text, [""] = wide,
    } do
      local said, status = upload(body, ("-H 'Content-Type: text/csv%s'"):format(charset))
      assert.same({ 200, 1 }, { status, said.result.accepted }, charset)
      assert.equal(hash, sandbox:members("crm")["1"].hashedEmail)
    end
    local said, status = upload(text)
    assert.same({ 200, "not_utf8", 1 }, { status, said.result.warnings[1].code, said.result.rejected.no_identifier })
    said, status = upload(text, "-H 'Content-Type: text/csv; charset=klingon'")
    assert.same({ 415, true }, { status, said.error.message:find("charset", 1, true) ~= nil })
    said, status = upload(wide, "-H 'Content-Type: text/csv; charset=windows-1252'")
    assert.same({ 400, "encoding" }, { status, said.error.code })
  end)

  it("says what an upload is that holds no rows", function()
    local said, status = upload("PAR1\21\4\21\16\n\n\n\0\0\0")
    assert.same({ 400, "parquet" }, { status, said.error.code })
    assert.truthy(said.error.message:find("FORMAT csv", 1, true))
  end)

  it("leaves nothing raw on the disk or in a log, whatever the size", function()
    local said, status = upload(csv(60000)) -- 3 MB, far over nginx's buffers
    assert.same({ 200, 60000, 3 }, { status, said.result.accepted, #said.result.requests })
    assert.equal("",
      nginx.sh(("grep -rliE 'jane|example.com|206 555' %s/body %s/error.log"):format(nginx.quote(server.folder),
        nginx.quote(server.folder))))
    assert.is_nil(server:log():find("buffered to a temporary file", 1, true))
  end)

  it("sends no email as an id: refuses it with both ways out, or hashes it where that is said", function()
    local text = "id,mail,mobile,phone\njane@x.example,jane@x.example,,\n7,a@x.example,,\n"
    local said, status = upload(text)
    assert.same({ 200, 1, 1, "ids_are_contacts" },
      { status, said.result.accepted, said.result.rejected.id_email, said.result.warnings[1].code })
    said, status = upload(text, nil, "/hashing")
    assert.same({ 200, 2, 1 }, { status, said.result.accepted, said.result.repaired.id_hashed })
    assert.truthy(sandbox:members("crm")[core.sha256 "jane@x.example"])
  end)

  it("answers others while it reads and hashes", function()
    local file = world.file(csv(200000), ".csv")
    local out, done = world.path(".out"), world.path(".done")
    os.execute(("(curl -sS -X POST -H 'Content-Type: text/csv' -T %s %s/upload >%s 2>&1; "
      .. "echo done >%s) &"):format(nginx.quote(file), server.url, out, done))
    local pings = 0
    nginx.until_true("the upload ends", function()
      if world.http("GET", server.url .. "/ping").status == 200 then
        pings = pings + 1
      end
      return world.exists(done)
    end, 120)
    assert.equal(200000, json.decode(world.read(out)).result.accepted)
    assert.is_true(pings >= 3, pings .. " pings")
  end)

  it("says 411 to a body in chunks, 505 to HTTP/2, 405 to GET and 415 to other types, and what to do", function()
    local said, status = upload(csv(3), "-H 'Content-Type: text/csv' -H 'Transfer-Encoding: chunked'")
    assert.equal(411, status)
    assert.truthy(said.error.message:find("Content-Length", 1, true))
    -- Without a body: some versions of curl take an answer that comes before its end for a broken stream.
    said, status = upload("", "--http2-prior-knowledge -H 'Content-Type: text/csv'", nil, second_port)
    assert.equal(505, status, said)
    assert.truthy(said.error.message:find("HTTP/1.1", 1, true))
    assert.equal(405, world.http("GET", server.url .. "/upload").status)
    said, status = upload("x", "-H 'Content-Type: image/png'")
    assert.same({ 415, "the Content-Type must be text/csv or application/x-ndjson" }, { status, said.error.message })
    assert.equal(0, #sandbox:requests "sync")
  end)

  it("blames the rows with 400, the service with 502, and shows no value", function()
    local said, status, raw = upload("who,mail\n1,jane@example.com\n")
    assert.same({ 400, "invalid" }, { status, said.error.kind })
    assert.is_nil(raw:find("jane", 1, true))
    sandbox:fault { on = "sync", act = "status", status = 403 }
    said, status = upload(csv(10))
    assert.same({ 502, 403, 10 }, { status, said.error.status, said.result.failed })
    world.assert_sums(said.result)
  end)

  it("blames itself with 500 where it can send nothing, and the service with 504 where that takes too long", function()
    local said, status = upload(csv(1), nil, "/read_before") -- another handler has taken the body
    assert.same({ 500, true }, { status, said.error.message:find("the body cannot be read: ", 1, true) ~= nil })
    said, status = upload("", nil, "/read_before")
    assert.same({ 400, "empty" }, { status, said.error.code })
    assert.same({}, sandbox:requests "sync")
    sandbox:fault { on = "sync", act = "hang", times = -1 }
    said, status = upload(csv(1), nil, "/hasty")
    assert.same({ 504, "timeout" }, { status, said.error.kind })
    assert.truthy(world.http("GET", server.url .. "/nobody").body:find("audience is missing", 1, true))
  end)

  it("bounds what an upload may cost: its rows, its empty lines, and what it unpacks to", function()
    local said, status = upload(csv(1000), nil, "/narrow")
    assert.same({ 200, 1000 }, { status, said.result.accepted })
    -- A file of 30 kB that unpacks to 30 million empty lines, and one of 60 kB that unpacks to long rows.
    for body, code in pairs {
      ["yes '' | head -c 30000000"] = "too_many_rows",
      ["echo id,mail,mobile,phone; yes $(head -c 9000 /dev/zero | tr '\\0' x) | head -c 30000000"] = "too_many_bytes",
    } do
      local packed = nginx.sh(("{ %s; } 2>/dev/null | gzip -c"):format(body))
      assert.is_true(#packed < 400000)
      said, status = upload(packed, nil, "/narrow")
      assert.same({ 413, code }, { status, said.error.code })
      assert.truthy(said.error.message:find(code == "too_many_rows" and "1000 rows" or "3000000 bytes", 1, true),
        said.error.message)
    end
    -- What was read before counts as what it is.
    said, status = upload(csv(20000), nil, "/narrow")
    assert.same({ 413, "too_many_rows" }, { status, said.error.code })
    world.assert_sums(said.result)
  end)

  it("refuses an upload over HTTP/2 with an answer that curl reads, however large it is", function()
    for _ = 1, 2 do
      local said, status = upload(csv(60000), "--http2-prior-knowledge -H 'Content-Type: text/csv'", nil, second_port)
      assert.equal(505, status)
      assert.truthy(said.error.message:find("--http1.1", 1, true))
    end
    assert.equal("", server:trouble())
  end)

  it("takes nothing of a body that it did not want for the next request of the connection", function()
    local hidden = "\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    for path, body in pairs {
      ["/upload"] = "no such,columns\n" .. ("x,y\n"):rep(100000) .. hidden, ["/small"] = csv(20000) .. hidden,
    } do
      sandbox:fault { on = "sync", act = "status", status = 401, times = -1 }
      local socket = cqueues_socket.connect("127.0.0.1", server.port)
      socket:setmode("b", "bf")
      socket:settimeout(30)
      assert(socket:write(("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"
        .. "Content-Length: %d\r\n\r\n"):format(path, #body), body))
      assert(socket:write "GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
      assert(socket:flush())
      local said = socket:read "*a"
      socket:close()
      local answers = {}
      for status in said:gmatch "HTTP/1%.1 (%d+)" do
        answers[#answers + 1] = status
      end
      assert.same({ path == "/upload" and "400" or "502", "200" }, answers)
      assert.truthy(said:find "pong$")
    end
    assert.is_nil(server:log():find("the hidden request ran", 1, true))
  end)

  it("is refused as a whole where its configuration is wrong, every problem at once", function()
    local said = world.http("GET", server.url .. "/wrong").body
    for _, expected in ipairs {
      "api_key: is missing", "account_id: is missing", "region", "max_members", "audience.id",
    } do
      assert.truthy(said:find(expected, 1, true), said)
    end
  end)

  it("gives up an upload that stands still, and one that is cut short", function()
    for _, path in ipairs { "/impatient", "/upload" } do
      local socket = cqueues_socket.connect("127.0.0.1", server.port)
      socket:setmode("b", "bf")
      socket:onerror(function(_, _, code)
        return code
      end)
      socket:write(("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nContent-Length: 1000\r\n\r\n"
        .. "id,mail,mobile,phone\n1,a@example.com,,\n"):format(path))
      socket:flush()
      if path == "/impatient" then
        server:expect "lua tcp socket read timed out" -- nginx says so itself, unless lua_socket_log_errors is off
        local line = socket:read "*l"
        assert.truthy(line:find("408", 1, true), line)
      end
      socket:close()
    end
    assert.equal(200, world.http("GET", server.url .. "/ping").status)
    assert.is_true(upload(csv(2)).result.accepted == 2)
  end)
end)
