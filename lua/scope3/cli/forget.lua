--- `scope3 forget`: removes people from every audience of the account. No word of it names an id.
local context = require "scope3.cli.context"
local core = require "scope3.core"
local id_list = require "scope3.cli.id_list"
local job_args = require "scope3.cli.job_args"
local monitor = require "scope3.cli.monitor"
local output = require "scope3.cli.output"
local report_body = require "scope3.cli.report_body"
local result = require "scope3.result"
local text = require "scope3.cli.text"

local forget = {}

local SHOWN = 20 -- refused ids that a report names by their lines

local STATES = { "removed", "accepted", "would remove", "gone", "partly failed", "failed", "unknown", "partly sent",
  "not sent" }

-- "3 removed, 1 failed"
local function by_state(res)
  local counts, parts = {}, {}
  for _, entry in ipairs(res.audiences) do
    counts[entry.state] = (counts[entry.state] or 0) + 1
  end
  for _, state in ipairs(STATES) do
    parts[#parts + 1] = counts[state] and text.count(counts[state]) .. " " .. state or nil
  end
  return table.concat(parts, ", ")
end

local function audiences_of(args, res)
  local rows = {}
  for i, entry in ipairs(res.audiences) do
    rows[i] = { entry.audience_id, entry.state, not args.dry_run and text.count(entry.accepted) or nil, entry.error }
  end
  return { title = args.dry_run and "Audiences:" or "Audiences, and how many removals each accepted:", rows = rows,
    right = { [3] = true } }
end

-- Ids that were refused, by their places.
local function refused_of(res, place_of)
  local rows = {}
  for i = 1, math.min(#res.refused, SHOWN) do
    rows[i] = { place_of(res.refused[i].number), core.reasons[res.refused[i].reason] }
  end
  local all = result.total(res.rejected)
  if all > SHOWN then
    rows[#rows + 1] = { ("and %s more"):format(text.count(all - SHOWN)) }
  end
  return { title = "Ids that were refused, so that nobody was forgotten for them:", rows = rows }
end

local UNDONE = { ["partly failed"] = true, failed = true, unknown = true, ["partly sent"] = true, ["not sent"] = true }

local function sentences_of(args, res)
  local sentences, processing, undone = {}, 0, false
  for _, entry in ipairs(res.audiences) do
    processing = processing + (entry.processing and 1 or 0)
    undone = undone or UNDONE[entry.state] or entry.error ~= nil
  end
  if processing > 0 then
    sentences[1] = ("An earlier task was still under way in %s, and may put people back. Run the same command again "
      .. "when it has ended."):format(text.plural(processing, "audience"))
  end
  local held = res.state
  if held and held.people > held.erased and not args.wait and not args.dry_run then
    sentences[#sentences + 1] = "The state keeps them until their removal has completed: run the same command with "
      .. "--wait."
  end
  if undone and not args.dry_run then
    sentences[#sentences + 1] = "To go on, run the same command again. Removing somebody twice comes to the same."
  end
  return sentences
end

local function count_of(res, args)
  if args.dry_run and res.listed then
    return "would remove", ("%s from %s"):format(text.plural(res.ids, "id"), text.plural(#res.audiences, "audience"))
  end
  local also = (res.failed > 0 and " · " .. text.count(res.failed) .. " failed" or "")
    .. (res.unknown > 0 and " · " .. text.count(res.unknown) .. " sent, but never answered" or "")
    .. (res.not_sent > 0 and " · " .. text.count(res.not_sent) .. " not sent" or "")
  return "accepted", text.plural(res.accepted, "removal") .. also
end

local function audience_counts(res)
  if not res.listed then
    return "not listed"
  end
  return text.count(#res.audiences) .. (#res.audiences > 0 and " · " .. by_state(res) or "")
    .. (res.deleted > 0 and " · " .. text.count(res.deleted) .. " deleted before" or "")
end

-- What a report says.
local function body_of(args, res, place_of)
  local label, words = count_of(res, args)
  local rows = {
    { "ids", text.count(res.ids) .. (res.repeated > 0 and " · " .. text.count(res.repeated) .. " given again" or "") },
    { "audiences", audience_counts(res) },
    { label, words },
  }
  if res.state then
    rows[4] = { "state", args.dry_run and text.count(res.state.people) .. " of the ids are in it"
      or ("%s of %s left it"):format(text.count(res.state.erased), text.plural(res.state.people, "person", "people")) }
  end
  local refused = result.total(res.rejected)
  if refused > 0 then
    table.insert(rows, 2, { "refused", text.plural(refused, "id") })
  end
  return { subject = label .. " " .. words:gsub(" · ", ", "), rows = rows,
    tables = { audiences_of(args, res), refused_of(res, place_of) }, sentences = sentences_of(args, res) }
end

-- The ids of the arguments, and what says where each stood. Nil and a message where there is no list.
local function ids_of(args)
  if not args.file then
    return args.id, function(number)
      return ("id %.0f"):format(number)
    end
  end
  local ids, lines = id_list.read(args.file)
  if not ids then
    return nil, lines
  end
  return ids, function(number)
    return ("line %.0f"):format(lines[number])
  end
end

local function options_of(args, watch)
  local wait = not args.dry_run and job_args.wait_seconds(args) or nil
  return {
    ids = args.ids, region = args.region, phone_repairs = text.names(args.phone_repairs),
    repair = not args.no_repair and nil, dry_run = args.dry_run, wait = wait, timeout = args.timeout,
    deadline = args.deadline, patience = args.patience or context.PATIENCE, state = args.state, cancel = watch.stopped,
    on_event = function(event)
      watch:on(event)
    end,
  }
end

local function show(args, client, res, place_of)
  local body = body_of(args, res, place_of)
  local title = ("scope3 %sforget · account %s · %s"):format(args.dry_run and "dry run of " or "", client.account_id,
    client.base:match "^%a+://([^/]+)")
  output.object(res)
  if args.report[1] then
    require("scope3.cli.report_files").note { title = title, body = body }
  end
  if not args.quiet then
    output.say(title .. "\n\n" .. report_body.text(body))
  end
end

-- The exit code of a list without ids, or of an account without audiences.
local function nothing(args, exit, why)
  if args.allow_empty then
    return exit.OK
  end
  context.fail(why .. ", so nobody was forgotten (--allow-empty makes that a success)", "nothing")
  return exit.NOTHING
end

-- Runs it: the exit code, and what it came to.
local function run(args, exit, client, ids, place_of, log)
  local watch = monitor.new(args.quiet or false, log)
  local res, err = client:forget(ids, options_of(args, watch))
  watch:clear()
  res = res or err.result
  if res then
    show(args, client, res, place_of)
  end
  if err then
    return context.refuse(err, args, exit), res
  elseif #res.audiences == 0 then
    local which = res.deleted > 0 and " that are not deleted" or ""
    return nothing(args, exit, "the account has no audiences" .. which), res
  end
  return exit.OK, res
end

local function run_with_events(args, exit, client, ids, place_of)
  if not args.events then
    return (run(args, exit, client, ids, place_of))
  end
  local log, why = require("scope3.cli.event_log").open(args.events)
  if not log then
    context.fail(why, "failed")
    return exit.FAILED
  end
  local code, res = run(args, exit, client, ids, place_of, log)
  local untold = log.close()
  if untold then
    local words = res and ("; the command went on without it: %s %s"):format(count_of(res, args)) or ""
    context.fail(untold .. words:gsub(" · ", ", "), "failed")
    code = (code == exit.OK or code == exit.NOTHING) and exit.FAILED or code
  end
  return code
end

---@param args table
---@param exit table
---@return integer
function forget.main(args, exit)
  if args.events == "-" then
    output.keep()
  end
  local unwritable = args.report[1] and require("scope3.cli.report_files").open(args)
  if unwritable then
    context.fail(unwritable, "failed")
    return exit.FAILED
  end
  local ids, place_of = ids_of(args)
  if not ids then
    context.fail(place_of, "failed")
    return exit.FAILED
  elseif #ids == 0 then
    return nothing(args, exit, ("%s has no ids"):format(args.file == "-" and "standard input" or args.file))
  end
  local client, why, close = context.client(args)
  if not client then
    close()
    return context.refuse(why, args, exit)
  end
  local code = run_with_events(args, exit, client, ids, place_of)
  close()
  return code
end

return forget
