-- What cron, systemd and logrotate are given by docs/operating.md and docs/recipes.md: run as they run it, or checked
-- by their own programs. What is not installed is skipped, and says so.
local pages = require "spec.support.pages"
local recipes = require "spec.support.recipes"
local world = require "spec.support.world"

local OPERATING = "docs/operating.md"

describe("a schedule", function()
  if os.getenv "ASAN_OPTIONS" then
    return -- shells and their programs have leaks of their own
  end
  local sandbox = world.around(setup, teardown, before_each)
  local kitchen, blocks

  before_each(function()
    sandbox:configure { task_seconds = 0, audience_seconds = 0 }
    kitchen = recipes.new(sandbox.url)
    blocks = pages.blocks(OPERATING, world.read(OPERATING))
    for _, block in ipairs(blocks) do
      if block.file then
        kitchen:write(block.file, block.text)
      end
    end
  end)
  after_each(function()
    kitchen:close()
  end)

  -- The block whose first line names this file; what is there of the machine is in this folder.
  local function block_of(name)
    for _, block in ipairs(blocks) do
      if block.text:find("^# " .. name) then
        return (block.text:gsub("/var/lib/scope3", kitchen.folder):gsub("/etc/scope3/", kitchen.folder .. "/")
          :gsub("/usr/local/bin", kitchen.folder .. "/bin"))
      end
    end
    error("no block is " .. name)
  end

  -- The settings and the command of a crontab, as cron reads them.
  local function read_crontab(text)
    local settings, command = { PATH = "/usr/bin:/bin" }, nil
    for line in text:gmatch "[^\n]+" do
      local name, value = line:match "^([A-Z]+)=(.*)$"
      if name then
        settings[name] = value
      elseif not line:find "^#" then
        command = line:match "^%S+ %S+ %S+ %S+ %S+ +scope3 +(.*)$"
      end
    end
    return settings, assert(command)
  end

  -- Runs a crontab's command in the environment that cron gives it: exit code, and what cron would mail.
  local function run_by_cron(text)
    local settings, command = read_crontab(text)
    kitchen:write("environment", ("SCOPE3_API_KEY=scope3_example\nSCOPE3_ACCOUNT_ID=25\nSCOPE3_BASE_URL=%s\n"):format(
      sandbox.url))
    -- Where the modules are that are not installed yet.
    local line = ("env -i LUA_PATH='%s' LUA_CPATH='%s' HOME=%s LOGNAME=scope3 SHELL=/bin/sh"):format(
      os.getenv "LUA_PATH", os.getenv "LUA_CPATH", kitchen.folder)
    for _, name in ipairs { "PATH", "MAILTO", "SENDMAIL" } do
      line = line .. (settings[name] and (" %s='%s'"):format(name, settings[name]) or "")
    end
    kitchen:write("command", command)
    return kitchen:sh("cd / && " .. line .. (" /bin/sh -c \"$(cat %s/command)\""):format(kitchen.folder))
  end

  it("of cron runs the nightly job as cron does, and once a night", function()
    local text = block_of "/etc/cron.d/scope3\n"
    assert.same({ 0, "" }, { run_by_cron(text) })
    local members = #sandbox:ids "newsletter"
    assert.is_true(members > 700)
    assert.same({ 0, "" }, { run_by_cron(text) })
    assert.equal(1, #sandbox:requests "sync")
  end)

  it("of cron mails a report, also of a failure", function()
    local text = block_of "/etc/cron.d/scope3: ":gsub("/usr/sbin/sendmail %-t", "tee sent.mail")
    local _, mail = run_by_cron(text)
    assert.truthy(mail:find("^To: data@example.com\nSubject: scope3 run of newsletter: accepted 784"), mail)
    kitchen:sh "rm *.journal"
    sandbox:fault { on = "sync", act = "status", status = 400, times = 1 }
    local code
    code, mail = run_by_cron(text)
    assert.equal(1, code)
    assert.truthy(mail:find("\nSubject: [^\n]*FAILED"), mail)
    assert.equal(mail, kitchen:read "sent.mail")
  end)

  it("of systemd has units without a fault", function()
    if not recipes.has "systemd-analyze" then
      return pending "systemd-analyze is not installed"
    end
    kitchen:write("scope3.service", block_of "/etc/systemd/system/scope3.service")
    kitchen:write("scope3.timer", block_of "/etc/systemd/system/scope3.timer")
    assert.same({ 0, "" }, { kitchen:sh "systemd-analyze verify ./scope3.service ./scope3.timer ./alert@.service" })
    kitchen:write("alert@.service", kitchen:read("alert@.service"):gsub("ExecStart", "ExecBegin"))
    local _, said = kitchen:sh "systemd-analyze verify ./alert@.service"
    assert.truthy(said:find("ExecBegin", 1, true), said)
    local _, calendar = kitchen:sh("systemd-analyze calendar '" .. block_of("/etc/systemd/system/scope3.timer"):match
      "OnCalendar=([^\n]+)" .. "'")
    assert.truthy(calendar:find("02..07:00:00", 1, true), calendar)
  end)

  it("of systemd starts an alert that says what to do about each exit code", function()
    if recipes.has "systemd-analyze" then
      kitchen:cook "An alert with the exit code"
    end
    local seen = {}
    for _, code in ipairs { "1", "2", "3", "4", "130", "KILL" } do
      local exit, mail = kitchen:sh(("MONITOR_UNIT=scope3.service MONITOR_EXIT_STATUS=%s SENDMAIL=cat sh alert.sh "
        .. "data@example.com"):format(code))
      assert.equal(0, exit)
      assert.truthy(mail:find(("^To: data@example.com\nSubject: scope3.service FAILED, exit code %s\n\n"):format(code)))
      seen[code] = mail:match "\n\n([^\n]+)"
    end
    assert.equal(seen["2"], seen.KILL)
    assert.truthy(seen["3"]:find("export", 1, true) and seen["4"]:find("disk", 1, true))
    assert.truthy(seen["130"]:find("stopped", 1, true) and seen["1"]:find("passing reason", 1, true))
  end)

  it("of logrotate rotates logs, and no journal; raw rows are removed before", function()
    local root = os.execute "test $(id -u) = 0"
    if not recipes.has "logrotate" then
      return pending "logrotate is not installed"
    elseif root ~= true and root ~= 0 then
      return pending "logrotate becomes another user only for root"
    end
    kitchen:write("scope3.logrotate", (kitchen:read "scope3.logrotate":gsub("/var/lib/scope3", kitchen.folder)
      :gsub("scope3 scope3", "root root")))
    kitchen:sh [[for file in night.log night.rows night.part night.sent night.journal new.rows new.part new.sent; do
      echo text > $file; done
      touch -d '3 days ago' night.rows night.part night.sent; touch -d '15 days ago' night.journal]]
    kitchen.environment = kitchen.environment .. " PATH=$PATH:/usr/sbin;"
    kitchen:cook "Logs and old files"
    assert.equal("new.part\nnew.rows\nnew.sent\nnight.log\nnight.sent\n", kitchen:files "night.* new.*")
    assert.same({ 0, "" }, { kitchen:sh "chmod 644 scope3.logrotate; logrotate -f -s state scope3.logrotate" })
    assert.equal("night.log\nnight.log.1\nnight.sent\n", kitchen:files "night.*")
    local _, modes = kitchen:sh "stat -c '%a %s' night.log"
    assert.equal("600 0\n", modes)
  end)
end)
