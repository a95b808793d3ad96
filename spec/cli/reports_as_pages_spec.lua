-- --report FILE.html is one page: well-formed, without scripts and without anything from elsewhere. Each chart has a
-- title, a description and a table of the same numbers, which are those of the object of --json. No name of a column,
-- a file or an audience is taken for markup. A browser shows it, and a phone does not have to scroll sideways.
local cjson = require("cjson.safe").new()
local core = require "scope3.core"
local world = require "spec.support.world"

local KEY = "SCOPE3_API_KEY=scope3_spec_key SCOPE3_ACCOUNT_ID=25 "
local EVIL = "</title></script><script>alert(1)</script>&\"' \226\128\174"
local VOID = { meta = true, br = true, ["!DOCTYPE"] = true }

describe("a report as a page", function()
  local sandbox = world.around(setup, teardown, before_each)
  local folder, page, object

  -- A script whose audience and column have names of that kind, as Lua writes them.
  local function script(name)
    local path = folder .. "/script.lua"
    world.write(path, ([[
      return { audience = { id = "a", name = %q }, where = { [%q] = { ne = "zz" } },
        map = { external_id = "id", email = "mail", phone = "phone" } }]]):format(name, "col" .. name))
    return path
  end

  local function run(name, options)
    local lines = { ('id,mail,phone,"col%s"'):format((name:gsub('"', '""'))) }
    for i = 1, 60 do
      lines[i + 1] = ("c%d,%s,%s,%s"):format(i, i % 5 == 0 and "none" or "secret" .. i .. "@example.com",
        i % 4 == 0 and "12" or i % 3 == 0 and "+12065550142" or "", i % 6 == 0 and "zz" or "y")
    end
    local input = folder .. "/in<b>&.csv"
    world.write(input, table.concat(lines, "\n") .. "\n")
    local words = { "run", script(name), input, "--base-url", sandbox.url, "--max-members", "10", "--json",
      "--report", page }
    os.remove(page)
    for _, word in ipairs(options or { "--wait" }) do
      words[#words + 1] = word
    end
    local code, out, err = world.command(words, { env = KEY })
    object = assert(cjson.decode(out), err)
    return world.read(page), code, err
  end

  setup(function()
    folder = world.path ""
    os.execute("mkdir " .. folder)
    page = folder .. "/report.html"
  end)
  teardown(function()
    os.execute("rm -rf " .. folder)
  end)

  -- Calls back for each element, and checks that all are closed in order. Between them is no markup.
  local function check_markup(text, on_element)
    local stack, at = {}, 1
    while true do
      local from, to, slash, name, rest = text:find("<(/?)(!?%a[%w]*)([^<>]*)>", at)
      local between = text:sub(at, (from or #text + 1) - 1)
      if stack[#stack] ~= "style" then
        assert.is_nil(between:find "[<>]", between)
        for entity in between:gmatch "&[^;%s]*;?" do
          assert.truthy(entity:find "^&%w+;$" or entity == "&#39;", entity)
        end
      end
      if not from then
        break
      elseif slash == "/" then
        assert.equal(table.remove(stack), name)
      elseif not VOID[name] and rest:sub(-1) ~= "/" then
        stack[#stack + 1] = name
      end
      if slash == "" then
        assert.equal("", (rest:gsub('%s+[%w:-]+="[^"<>]*"', ""):gsub("^ html$", ""):gsub("/$", "")), name .. rest)
        on_element(name, rest)
      end
      at = to + 1
    end
    assert.same({}, stack)
  end

  local function check_page(text)
    local ids, wanted, count = {}, {}, { svg = 0, title = 0, desc = 0, table = 0 }
    assert.is_true(core.utf8_valid(text))
    check_markup(text, function(name, rest)
      count[name] = (count[name] or 0) + 1
      local id, labels = rest:match ' id="([^"]+)"', rest:match ' aria%-labelledby="([^"]+)"'
      assert.is_nil(id and ids[id], id)
      ids[id or ""] = true
      for label in (labels or ""):gmatch "%S+" do
        wanted[label] = true
      end
      assert.truthy(name ~= "svg" or labels and rest:find('role="img"', 1, true), rest)
    end)
    for label in pairs(wanted) do
      assert.is_true(ids[label], label)
    end
    assert.equal(count.svg, count.desc)
    assert.equal(count.svg + 1, count.title)
    assert.is_true(count.table >= count.svg)
    assert.is_nil(count.script)
    for _, word in ipairs { "src=", "href=", "url(", "@import", "javascript:", " on%a+=" } do
      assert.is_nil(text:find(word, 1, word:sub(1, 1) ~= " "), word)
    end
    for _, word in ipairs { "secret", "example.com", "scope3_spec_key", "\226\128\174" } do
      assert.is_nil(text:find(word, 1, true), word)
    end
    return count
  end

  -- chart -> label -> number, of the tables beside the charts
  local function numbers_of(text)
    local numbers = {}
    for title, rows in text:gmatch '<table><caption class="hidden">([^<]*)</caption>.-<tbody>(.-)</tbody>' do
      numbers[title] = {}
      for label, n in rows:gmatch '<th scope="row">([^<]*)</th><td class="n">([%d,]+)</td>' do
        numbers[title][label] = tonumber((n:gsub(",", "")))
      end
    end
    return numbers
  end

  it("is well-formed, and has the numbers of the object", function()
    local text, code, err = run "plain"
    assert.equal(0, code, err)
    assert.is_true(check_page(text).svg >= 7)
    local numbers = numbers_of(text)
    local rows = numbers["Rows, by what became of them"]
    local rejected = 0
    for _, n in pairs(object.rejected) do
      rejected = rejected + n
    end
    assert.is_true(rejected > 0)
    assert.same({ object.skipped, rejected, object.rows - object.skipped - rejected },
      { rows["skipped by the script"], rows.rejected, rows["gave a member"] })
    assert.same({ accepted = object.accepted }, numbers["Members, by what became of them"])
    assert.same({ emails = object.identifiers.hashed_email, phones = object.identifiers.hashed_phone },
      numbers["Identifiers, by kind"])
    for title, field in pairs { ["Rows rejected, by reason"] = "rejected",
      ["Identifiers dropped, by reason"] = "dropped" } do
      local expected = {}
      for reason, n in pairs(object[field]) do
        expected[core.reasons[reason]] = n
      end
      assert.same(expected, numbers[title])
    end
    local sent = 0
    for n in text:match "Requests over time.-<tbody>(.-)</tbody>":gmatch '<td class="n">(%d+)</td></tr>' do
      sent = sent + tonumber(n)
    end
    assert.equal(object.accepted, sent)
    assert.same({ uploaded = object.audience.uploaded_count, matched = object.audience.matched_count },
      numbers["What was matched: plain"])
  end)

  it("takes no name for markup", function()
    local text, code, err = run(EVIL)
    assert.equal(0, code, err)
    check_page(text)
    local shown = "&lt;/title&gt;&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39; \\u{202e}"
    assert.truthy(text:find(shown, 1, true), text)
    assert.truthy(text:find("in&lt;b&gt;&amp;.csv", 1, true))
    check_page((run("\255\27[1m\1 " .. ("w"):rep(120), { "--dry-run" })))
    check_page((run("\230\151\165\230\156\172 \240\159\152\128", { "--dry-run" })))
  end)

  it("takes no reason of a script for markup, in a chart or beside it", function()
    local path = folder .. "/reasons.lua"
    world.write(path, [[local n = 0
      return { audience = "a", member = function(row)
      n = n + 1
      if n == 2 then
        return nil, "</svg><b>&\"reason\" \226\128\174"
      elseif n < 20 then
        return nil, ("reason %02d, which is longer than what there is room for over a bar"):format(n)
      end
      return { external_id = row.id, email = row.mail }
    end }]])
    os.remove(page)
    local code, _, err = world.command({ "run", path, folder .. "/in<b>&.csv", "--dry-run", "--report", page },
      { env = KEY })
    assert.equal(0, code, err)
    local text = world.read(page)
    check_page(text)
    local shown, n = "&lt;/svg&gt;&lt;b&gt;&amp;&quot;reason&quot; \\u{202e}", 0
    for _ in text:gmatch((shown:gsub("%p", "%%%0"))) do
      n = n + 1
    end
    assert.equal(3, n, text) -- the description, the bar, and the table
    local reasons = numbers_of(text)["Rows rejected, by reason"]
    assert.equal(8, reasons["other reasons"], text)
    assert.equal(1, reasons["reason 01, which is longer than what there is room for over a bar"])
    assert.truthy(text:find(">reason 01, which is longer than what there i…</text>", 1, true), text)
  end)

  it("says at the top what failed, and where nothing was begun", function()
    local text, code = run("plain", { "--strict" })
    assert.equal(1, code)
    check_page(text)
    assert.truthy(text:find('<p class="status bad">Failed</p>', 1, true))
    assert.truthy(text:find('<p class="message" role="alert">--strict: ', 1, true))
    assert.is_true(text:find("--strict: ", 1, true) < text:find("<svg", 1, true))
    code = world.command({ "run", folder .. "/script.lua", folder .. "/no<i>.csv", "--base-url", sandbox.url,
      "--report", page }, { env = KEY })
    assert.equal(1, code)
    text = world.read(page)
    assert.same({ 0, 0 }, { check_page(text).svg, check_page(text).table })
    assert.truthy(text:find('role="alert">cannot read ', 1, true), text)
    assert.truthy(text:find("no&lt;i&gt;.csv", 1, true))
    assert.truthy(text:find("there are no numbers", 1, true))
    run("plain", { "--dry-run" })
    assert.truthy(world.read(page):find("would send", 1, true))
  end)

  it("shows the nights of a state, with the numbers of the object", function()
    if not pcall(require, "scope3.state") then
      return pending "this build is without SQLite"
    end
    local state, input = world.path ".state", folder .. "/nights.csv"
    world.write(folder .. "/nights.lua", ([[return { audience = { id = "n", name = %q },
      map = { external_id = "id", email = "mail" } }]]):format(EVIL))
    for night = 1, 4 do
      local lines = { "id,mail" }
      for i = night, 30 + 2 * night do
        lines[#lines + 1] = ("n%d,secret%d@example.com"):format(i, i == 20 and night or i)
      end
      world.write(input, table.concat(lines, "\n") .. "\n")
      local _, out, err = world.command({ "run", folder .. "/nights.lua", input, "--base-url", sandbox.url, "--state",
        state, "--mirror", "--wait", "--json", "--report", page, "--max-removed", night == 4 and "0%" or "50%" },
        { env = KEY })
      object = assert(cjson.decode(out), err)
    end
    local text = world.read(page)
    assert.equal(5, check_page(text).svg) -- rows, matches, size, what came and went, match rate
    assert.equal(4, #object.nights)
    local last = object.nights[4].counts
    assert.same({ 34, 2, 1, 1, 1 }, { last.before, last.added, last.changed, last.held_back, last.failed })
    local rows = {}
    for title, body in text:gmatch '<table><caption class="hidden">([^<]*)</caption>.-<tbody>(.-)</tbody>' do
      rows[title] = body:gsub("</t[hd]>", " "):gsub("<[^>]*>", ""):gsub("%d%d%d%d%-[%d-]+ [%d:]+", "T")
    end
    assert.equal("now 34 \nT · 1 removal held back 34 \nT 33 \nT 32 \nT 0 ",
      rows["People in the audience, when each night began"])
    assert.equal("T · 1 removal held back 0 0 0 \nT 2 1 1 \nT 2 1 1 \nT 32 0 0 ",
      rows["Added, changed and removed, night by night"])
    assert.equal(4, select(2, rows["Match rate by the service, when each night began"]:gsub("%%", "")))
  end)

  it("is shown by a browser, in the width of a phone too", function()
    local found = os.execute "command -v chromium >/dev/null 2>&1"
    if found ~= true and found ~= 0 then -- as Lua 5.2 and 5.1 tell it
      return pending "chromium is not installed"
    elseif os.getenv "ASAN_OPTIONS" then
      return pending "the browser would load the sanitizers"
    end
    local text = run(EVIL .. ("w"):rep(100))
    if pcall(require, "scope3.state") then
      local state = world.path ".state"
      run("w", { "--state", state })
      text = run("w", { "--state", state })
    end
    local told = [[<script>
      parent.postMessage(document.documentElement.scrollWidth + " of " + innerWidth + ", "
        + document.querySelectorAll("svg rect").length + " bars, " + getComputedStyle(document.body).fontSize, "*")
      </script>]]
    text = text:gsub('<meta http%-equiv="Content%-Security%-Policy"[^>]*>', ""):gsub("</body>", told .. "</body>")
    world.write(folder .. "/told.html", text)
    world.write(folder .. "/phone.html", [[<!DOCTYPE html><script>
      onmessage = function(e) { document.body.append("told: " + e.data) }</script>
      <body><iframe src="told.html" width="390" height="800" style="border:0"></iframe>]])
    local out = world.path ".out"
    os.execute(("timeout 120 chromium --headless --no-sandbox --disable-gpu --user-data-dir=%s/browser "
      .. "--virtual-time-budget=5000 --dump-dom file://%s/phone.html >%s 2>/dev/null"):format(folder, folder, out))
    local wide, room, bars = world.read(out):match "told: (%d+) of (%d+), (%d+) bars, 16px"
    assert.is_string(wide, world.read(out))
    assert.is_true(tonumber(wide) <= tonumber(room), wide)
    assert.equal("390", room)
    assert.equal(select(2, text:gsub("<rect", "")), tonumber(bars))
  end)
end)
