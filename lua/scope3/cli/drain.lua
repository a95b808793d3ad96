--- `scope3 drain`: sends what machines put into a queue of Redis, until it is stopped.
local context = require "scope3.cli.context"
local drain_args = require "scope3.cli.drain_args"
local json = require "scope3.util.json"
local monitor = require "scope3.cli.monitor"
local output = require "scope3.cli.output"
local progress = require "scope3.cli.progress"
local report_body = require "scope3.cli.report_body"
local text = require "scope3.cli.text"

local drain = {}

-- Sentences about the lease, for people and logs.
local STATES = {
  standby = "another drainer has the queue: standing by",
  quiet = "waiting %s before anything is sent, lest the last requests of before take effect later",
  active = "draining",
  released = "handed the queue over",
  left = "left the queue without handing it over: the next drainer waits for the lease to end",
}

local WORDS = {}

function WORDS.lease(event)
  local words = STATES[event.status]
  return words and words:find("%%s") and words:format(text.seconds(event.seconds or 0)) or words
end

function WORDS.put_off(event)
  return ("%s; trying again in %s"):format(event.message, text.seconds(event.seconds))
end

function WORDS.given_up(event)
  return "members not sent, and not in the queue any more: " .. event.message
end

function WORDS.warning(event)
  return event.message
end

WORDS.limiter = progress.words_of_limiter

local INFORMS = { lease = true, limiter = true } -- are no problems by themselves: said each time, but not with --quiet

-- Whether an event is told with --quiet. A failure is, as in other commands, once the patience is over.
local function is_loud(event, patience)
  return not INFORMS[event.event] and (event.event ~= "put_off" or event.out >= patience)
end

-- Says what happens. What repeats is said once until something goes well.
local function teller(args, watch, patience)
  local last
  return function(event)
    watch:on(event)
    local words = WORDS[event.event]
    local said = words and words(event)
    if event.event == "drained" or event.event == "put_off" and event.out == 0 then
      last = nil
    end
    if not said or args.quiet and not is_loud(event, patience) then
      return
    elseif INFORMS[event.event] then
      watch:clear()
      io.stderr:write("scope3: ", said, "\n")
    elseif event.message ~= last then
      last = event.message
      watch:clear()
      context.complain(said)
    end
  end
end

local function row(rows, label, n, words)
  if n > 0 then
    rows[#rows + 1] = { label, words }
  end
end

local function body_of(res)
  local rows = {
    { "removed", ("%s · %s"):format(text.plural(res.entries, "entry", "entries"), text.plural(res.members, "member")) },
    { "accepted", text.plural(res.accepted, "member") .. (" · %s"):format(text.plural(res.requests, "request")) },
  }
  row(rows, "repeated", res.repeated, text.plural(res.repeated, "member") .. " that may have gone before")
  row(rows, "failed", res.failed, text.plural(res.failed, "member") .. " of requests that were refused for good")
  row(rows, "rejected", res.rejected_by_service, text.plural(res.rejected_by_service, "member") .. " by the service")
  row(rows, "unreadable", res.unreadable, text.plural(res.unreadable, "line"))
  row(rows, "too large", res.too_large, text.plural(res.too_large, "member"))
  row(rows, "lease", res.lost, ("lost %s"):format(text.plural(res.lost, "time")))
  row(rows, "waiting", res.waiting or 0, text.plural(res.waiting or 0, "entry", "entries"))
  return { rows = rows, tables = {}, sentences = {} }
end

local function show(args, client, res)
  output.object(res)
  if not args.quiet then
    output.say(("scope3 drain · account %s · %s\n\n%s"):format(client.account_id,
      client.base:match "^%a+://([^/]+)", report_body.text(body_of(res))))
  end
end

local function has_failed(res)
  return res.failed + res.rejected_by_service + res.unreadable + res.too_large > 0
end

-- Writes the metrics at each look. What keeps it from that is said at once, as the drain may go on for months, and not
-- again until it worked.
local function refresher(args, watch, metrics)
  local last
  return function(event)
    local why = metrics.refresh(args.metrics, event.result)
    if why and why ~= last then
      watch:clear()
      context.complain(why)
    end
    last = why
  end
end

local function run(args, exit, client, log)
  local watch = monitor.new(args.quiet or false, log)
  local patience = args.patience or context.PATIENCE
  local on_event = teller(args, watch, patience)
  local metrics = args.metrics and require "scope3.cli.metrics_file"
  local refresh = metrics and refresher(args, watch, metrics)
  local res, err = client:drain {
    redis = drain_args.url(args), redis_ca_file = args.redis_ca_file, queue = args.queue, once = args.once,
    lease = args.lease, every = args.every, max_members = args.max_members, max_bytes = args.max_bytes,
    timeout = args.timeout, patience = patience, cancel = watch.stopped,
    on_event = function(event)
      if refresh and event.event == "queue" then
        refresh(event)
      end
      on_event(event)
    end,
  }
  watch:clear()
  res = res or err.result
  if res then
    res.warnings = json.array(res.warnings)
    show(args, client, res)
    if metrics then
      metrics.note_drained(res)
    end
  end
  if err then
    return context.refuse(err, args, exit)
  elseif has_failed(res) then
    context.fail("members did not reach the service, and are not in the queue any more", "failed")
    return exit.FAILED
  end
  return exit.OK
end

---@param args table
---@param exit table
---@return integer
function drain.main(args, exit)
  if args.events == "-" then
    output.keep()
  end
  local log, why
  if args.events then
    log, why = require("scope3.cli.event_log").open(args.events, context.complain)
    if not log then
      context.fail(why, "failed")
      return exit.FAILED
    end
  end
  local client, problem, close = context.client(args)
  if not client then
    close()
    return context.refuse(problem, args, exit)
  end
  local code = run(args, exit, client, log)
  close()
  local untold = log and log.close()
  if untold then
    context.fail(untold, "failed")
    code = code == exit.OK and exit.FAILED or code
  end
  return code
end

return drain
