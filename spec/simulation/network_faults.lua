-- What goes wrong on the way. Each fault says what arrives at the service, and what the engine tells the client.
local faults = {}

-- A result without a reply, after a time.
local function ends_with(result, least, most)
  return function(net, transfer)
    transfer.unsent = result.body_sent == false
    net:after(net.dice:time(least or 0.001, most or 5), function()
      local made = {}
      for key, value in pairs(result) do
        made[key] = value
      end
      net:finish(transfer, made)
    end)
  end
end

-- The request arrives, and then the client gets this instead of the reply. The result may depend on the decision.
local function arrives_but(make)
  return function(net, transfer)
    net:after(net.dice:time(0.001, 2), function()
      net:deliver(transfer, function(decision)
        local result = make(net, decision)
        if result then
          net:after(net.dice:time(0.001, 2), function()
            net:finish(transfer, result)
          end)
        end
      end)
    end)
  end
end

local kinds = {}

-- --- nothing arrives ---

kinds.refused = ends_with({ code = "COULDNT_CONNECT", message = "refused", cause = "refused", begun = false })
kinds.unreachable = ends_with({ code = "COULDNT_CONNECT", message = "unreachable", cause = "unreachable",
  begun = false })
kinds.no_connection = ends_with({ code = "OPERATION_TIMEDOUT", message = "no connection", cause = "timeout",
  begun = false }, 10, 10)
kinds.lost_before = ends_with({ code = "SEND_ERROR", message = "broken pipe", body_sent = false })
kinds.cut_inside = ends_with({ code = "RECV_ERROR", message = "reset", body_sent = false })
kinds.refused_stream = ends_with({ code = "REFUSED_STREAM", message = "the stream was refused", body_sent = false })
kinds.lost_in_buffers = ends_with { code = "GOT_NOTHING", message = "empty reply" }
kinds.rewind_lost = ends_with { code = "SEND_FAIL_REWIND", message = "a kept connection had died" }

function kinds.swallowed(_, transfer) -- whole, and nobody answers until the time is over
  transfer.unsent = false
end

function kinds.slow_upload(_, transfer)
  transfer.unsent = true
end

local EARLY = { { 413, "" }, { 503, "" }, { 202, '{"taskId":"early"}' } }

-- A reply before the whole request had left. One without a body leaves whole.
function kinds.early(net, transfer)
  if not transfer.text then
    return net:round_trip(transfer)
  end
  local reply = net.dice:one_of(EARLY)
  net:after(net.dice:time(0.001, 2), function()
    net:finish(transfer, { status = reply[1], body = reply[2], early = true, body_sent = false })
  end)
end

-- --- it arrives ---

kinds.lost_reply = arrives_but(function(net)
  return { code = net.dice:one_of { "GOT_NOTHING", "RECV_ERROR", "HTTP2_STREAM", "SEND_FAIL_REWIND" },
    message = "the connection broke" }
end)

kinds.half_reply = arrives_but(function(_, decision)
  if decision.act ~= "reply" then
    return { code = "RECV_ERROR", message = "reset" }
  end
  local body = decision.reply.body
  return { code = "PARTIAL_FILE", message = "cut short", status = decision.reply.status,
    headers = { ["content-length"] = tostring(#body) }, body = body:sub(1, math.floor(#body / 2)) }
end)

kinds.silent = arrives_but(function()
  return nil
end)

kinds.garbage = arrives_but(function()
  return { code = "UNSUPPORTED_PROTOCOL", message = "Received HTTP/0.9 when not allowed" }
end)

local GATEWAY = {
  bounded = { { 502, "<html>bad gateway</html>" }, { 504, "" } },
  unlimited = { { 500, '{"error":"oops"}' }, { 502, "<html>bad gateway</html>" }, { 504, "" } },
}

kinds.gateway = arrives_but(function(net)
  local reply = net.dice:one_of(GATEWAY[net.world.profile.kind] or GATEWAY.bounded)
  return { status = reply[1], body = reply[2] }
end)

kinds.mangled = arrives_but(function(_, decision)
  if decision.act ~= "reply" then
    return { code = "RECV_ERROR", message = "reset" }
  end
  return { status = decision.reply.status, body = "not { json" }
end)

-- Arrives when the client has long given up.
function kinds.late(net, transfer)
  net:after(transfer.timeout + net.dice:time(1, 3600), function()
    net:deliver(transfer, function() end)
  end)
end

--- The names of all faults.
faults.NAMES = {}
for name in pairs(kinds) do
  faults.NAMES[#faults.NAMES + 1] = name
end
table.sort(faults.NAMES)

--- The fault of a transfer, or nil.
function faults.choose(net, transfer)
  local profile = net.world.profile
  -- A host that has never answered is given up early: where all is to arrive it has answered before.
  local is_spared = profile.kind == "bounded" and not transfer.process.has_been_answered
  if is_spared or not net.dice:happens(profile.share) then
    return nil
  end
  local name = net.dice:one_of(profile.network)
  return name and net.world:trouble(name) and kinds[name]
end

-- --- what the client sees of the service's own decisions ---

local seen = {}

function seen.reply(net, decision)
  return net.result_of(decision.reply)
end

function seen.cut(net, decision)
  return { code = "GOT_NOTHING", message = "empty reply", body_sent = not decision.unread or net.dice:happens(0.5) }
end

function seen.raw()
  return { code = "UNSUPPORTED_PROTOCOL", message = "Received HTTP/0.9 when not allowed" }
end

function seen.half(_, decision)
  local reply = decision.reply
  return { code = "PARTIAL_FILE", message = "cut short", status = reply.status,
    headers = { ["content-type"] = "application/json" }, body = reply.body:sub(1, math.floor(#reply.body / 2)) }
end

--- A decision of the service as a result of the engine.
function faults.seen(net, decision)
  return seen[decision.act](net, decision)
end

return faults
