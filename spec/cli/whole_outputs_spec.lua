-- What a look and a report say, to the byte: each text stands in spec/cli/whole, and was read by a person. A change of
-- one number, share, bar or word shows as a difference. RENEW=1 writes them anew, to be read again.
local core = require "scope3.core"
local report_html = require "scope3.cli.report_html"
local report_text = require "scope3.cli.report_text"
local result = require "scope3.result"
local version = require "scope3.version"
local world = require "spec.support.world"

local UID2 = "ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U="

local function is_as_before(name, text)
  local path = "spec/cli/whole/" .. name
  if os.getenv "RENEW" == "1" then
    world.write(path, text)
  end
  assert.equal(world.read(path), text)
end

-- Looks at a text on standard input, which has the same name everywhere.
local function look(text, ...)
  local code, out, err = world.command({ "look", "-", ... }, { stdin = world.file(text) })
  assert.same({ 0, "" }, { code, err })
  return out
end

-- Columns of each kind, behind a line of a title. Two rows have too many and too few fields.
local function of_all_kinds()
  local lines = { "Export", "", "Customer,Email,Phone,Mobile,Country,Opt In,Joined,Score,Empty,UID2,Note,Twice,"
    .. "Hash,Few mails,Some dates" }
  for i = 1, 20 do
    local email = i <= 17 and ("a%d@example.org"):format(i) or i <= 19 and core.sha256("e" .. i) or "none"
    local phone = i <= 6 and ("+4930123450%02d"):format(i) or i <= 16 and ("0301234%03d"):format(i) or ""
    lines[#lines + 1] = table.concat({ "C" .. 1000 + i, email, phone, ("0171 23456%02d"):format(i),
      i % 4 == 0 and "AT" or "DE", i % 5 == 0 and "no" or "yes", ("2024-01-%02d"):format(i), i % 3 .. ".5", "", UID2,
      i % 2 == 0 and "x" or "y", i <= 15 and "v" .. i or "v1", core.sha256("h" .. i),
      i == 1 and "b@example.org" or i <= 12 and "x" or "", i <= 10 and "2024-01-01" or "x" }, ",")
  end
  lines[8] = lines[8] .. ",one,too,many"
  lines[9] = "too,few"
  return table.concat(lines, "\n") .. "\n"
end

-- A byte order mark, ids that repeat or are missing, phones of three forms, who refused, and half a row.
local MARKED = "\239\187\191user_id;unsubscribed;e-mail;tel\n1;0;a@example.org;(206) 555-0142\n"
  .. "2;1;b@example.org;206-555-0143\n3;0;c@example.org;+12065550144\n4;0;d@example.org;99\n2;0;e@example.org;\n"
  .. ";0;f@example.org;\n7;0;g@example.org"

local ONE = "id,email,consent,phone\n1,a@example.org,yes,+493012345678\n"

local LINES = '{"id":1,"a":{"b":"x@example.org"},"h":1.5}\n{"id":2,"a":{"b":"y@example.org"},"h":true}\n{"id":\n'

-- No header, windows-1252, and more columns than are shown.
local function without_header()
  local lines = {}
  for i = 1, 12 do
    local cells = { ("K%03d"):format(i), "J\246rg", ("j%d@beispiel.de"):format(i),
      i % 3 == 0 and "" or ("030 12345%02d"):format(i), "NULL" }
    for n = 6, 64 do
      cells[n] = i % 2 == 0 and "x" or "y" .. n
    end
    lines[i] = table.concat(cells, ";")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function with(made, fields)
  for key, value in pairs(fields) do
    made[key] = value
  end
  return made
end

local function request(state, first, last, adds, removes, send_end)
  return { state = state, members = adds + removes, adds = adds, removes = removes, rows = { first = first,
    last = last }, send_end = send_end }
end

-- A job of every fate: how it ended, and what is known of it.
local function ended_job()
  local res = with(result.new(nil, { { id = "a", name = "A" } }), {
    rows = 20, skipped = 5, child_rows = 1, rejected = { no_identifier = 3, no_external_id = 1 }, members = 13,
    accepted = 6, removed = 2, replaced = 2, rejected_by_service = 1, failed = 1, unknown = 3,
    identifiers = { hashed_email = 8, hashed_phone = 3, uids = 1 }, dropped = { email_no_at = 4 },
    repaired = { phone_plus = 1 },
    requests = { request("accepted", 2, 9, 4, 2, 0.5), request("accepted", 10, 12, 2, 0, 2),
      request("failed", 13, 13, 1, 0), request("accepted", 14, 14, 1, 0, 1.2) },
  })
  with(res.audiences[1], { uploaded_count = 50, total_uploaded_count = 200, matched_count = 120, minimum_size = 100,
    status = "READY" })
  return { code = 1, fields = res, error = { kind = "failed", message = "it <broke>  \nfor good" } },
    { command = "sync", audience = "a", files = { "rows <1>.csv", "-", ("deep/"):rep(30) .. "x.csv" },
      title = "scope3 sync", started = 1795950000, ended = 1795950090 }
end

-- A dry run of several audiences, with more reasons than have a bar.
local function dry_run()
  local dropped, n = {}, 30
  for reason in ("ambiguous_key bad_json email_character email_domain email_empty_side email_escaped "
    .. "email_invisible email_lost email_no_at email_nowhere email_placeholder email_several email_space "
    .. "email_too_long email_two_ats"):gmatch "%S+" do
    dropped[reason], n = n, n - 1
  end
  local res = with(result.new(nil, { { id = "a", name = "A" }, { id = "b" } }), {
    rows = 60, members = 60, would_send = 60, would_remove = 10, dropped = dropped,
    identifiers = { hashed_email = 60, hashed_phone = 0, uids = 0 },
  })
  for i = 1, 30 do
    res.requests[i] = request("not sent", 2 * i, 2 * i + 1, 2, 0, i < 30 and i * 0.5 or 30)
  end
  with(res.audiences[1], { name = "\227\129\130" .. ("a "):rep(30), uploaded_count = 50, matched_count = 1 })
  return { code = 0, fields = res }, { command = "run", dry_run = true, files = {}, title = "scope3 run",
    started = 1795950000, ended = 1795990000 }
end

local function night(n, day, counts)
  return { night = n, began = ("2026-11-%02dT02:00:05Z"):format(day), ended = ("2026-11-%02dT02:01:05Z"):format(day),
    seconds = 60, interrupted = false, counts = counts or {} }
end

local function counted(before, added, changed, removed, more)
  return with({ before = before, added = added, changed = changed, removed = removed, accepted = added + changed
    + removed, deferred = 0 }, more or {})
end

-- A night that a guard refused, after nights of every kind: one that added all, one that was interrupted, one that
-- failed before it had sent anything, one that is of an older version, and one that has not ended.
local function refused_night()
  local list = {
    night(1, 17, counted(0, 1000, 0, 0)), night(2, 18, counted(1000, 10, 2, 0, { uploaded = 1000, matched = 600 })),
    night(3, 19), night(4, 20, counted(1010, 7, 5, 0, { failed = 1, accepted = 0 })),
    night(5, 21, counted(1010, 0, 20, 12, { uploaded = 1010, matched = 707, deferred = 3 })), night(6, 22),
    night(7, 23, counted(998, 0, 0, 0)), night(8, 24, counted(998, 3, 0, 500, { forgotten = 1 })), night(9, 25, {}),
  }
  list[3].interrupted, list[9].ended = true, nil
  local res = with(result.new(nil, { { id = "a" } }), {
    rows = 101, mirror = { mode = "mirror", night = 10, rows = 101, replaced = 1, before = 501, added = 0, changed = 9,
      unchanged = 92, noted = 4, removed = 0, held_back = 400, to_remove = 400, rejected_before = 0, deferred = 0,
      under_way = 0, sent_again = 0, excluded = 0, kept = 0, not_there = 0 },
  })
  with(res.audiences[1], { uploaded_count = 501, matched_count = 250, status = "READY" })
  return { code = 1, fields = res, error = { kind = "guard", message = "400 of 501 members would be removed" } },
    { command = "sync", audience = "a", files = { "rows.csv" }, title = "scope3 sync", started = 1795950000,
      ended = 1795950001, nights = { list = list, people = 501 } }
end

local function that_did_not_begin()
  return { code = 3, fields = {}, error = { kind = "nothing", message = "the file is empty\nand more" } },
    { command = "sync", files = { ("w"):rep(62), "a " .. ("x"):rep(80), "3", "4", "5", "6", "7" },
      title = "scope3 sync", started = 1795950000, ended = 1795950001 }
end

local function page_of(...)
  local page = report_html.of(...)
  return (page:gsub("<style>.-</style>", "<style></style>"):gsub("><", ">\n<")
    :gsub("scope3 " .. version:gsub("%p", "%%%0"), "scope3 VERSION"))
end

describe("the whole of", function()
  teardown(world.clean)

  it("a look at columns of each kind", function()
    is_as_before("kinds.txt", look(of_all_kinds()))
  end)

  it("a look at a marked file whose ids are not good", function()
    is_as_before("marked.txt", look(MARKED))
    is_as_before("marked.json", look(MARKED, "--json"))
  end)

  it("a script that was begun", function()
    for name, text in pairs { ["script_of_kinds.txt"] = of_all_kinds(), ["script_of_marked.txt"] = MARKED } do
      local path = world.path ".lua"
      local code, _, err = world.command({ "init", "-", "-o", path }, { stdin = world.file(text) })
      assert.same({ 0, "" }, { code, err })
      is_as_before(name, world.read(path))
    end
  end)

  it("a look at one row", function()
    is_as_before("one.txt", look(ONE))
  end)

  it("a look at JSON Lines", function()
    is_as_before("lines.txt", look(LINES))
  end)

  it("a look at a wide file without a header", function()
    is_as_before("wide.txt", look(without_header()))
  end)

  it("a report as a page, but for its style", function()
    is_as_before("report.html", page_of(ended_job()))
    is_as_before("dry.html", page_of(dry_run()))
    is_as_before("none.html", page_of(that_did_not_begin()))
    is_as_before("night.html", page_of(refused_night()))
  end)

  it("a report as a text, no line of which is over 72 columns", function()
    is_as_before("report.txt", report_text.of(ended_job()))
    is_as_before("dry.txt", report_text.of(dry_run()))
    is_as_before("none.txt", report_text.of(that_did_not_begin()))
    is_as_before("night.txt", report_text.of(refused_night()))
  end)
end)
