--- The client: an account at the service, and everything that can be asked of it.
local core = require "scope3.core"
local audience_of = require "scope3.audience"
local errors = require "scope3.error"
local inputs = require "scope3.inputs"
local job = require "scope3.job"
local key_of = require "scope3.key"
local limiter_of = require "scope3.limiter"
local loops = require "scope3.loop"
local deletion = require "scope3.deletion"
local dialect = require "scope3.dialect"
local effect = require "scope3.effect"
local mapping = require "scope3.mapping"
local options = require "scope3.options"
local paging = require "scope3.paging"
local planner = require "scope3.planner"
local preflight = require "scope3.preflight"
local readiness = require "scope3.readiness"
local reply = require "scope3.reply"
local request = require "scope3.request"
local result = require "scope3.result"
local rules = require "scope3.rules"
local run = require "scope3.run"
local script_of = require "scope3.script"
local source_of = require "scope3.source"
local status = require "scope3.status"
local stream = require "scope3.stream"
local syndication = require "scope3.syndication"
local tasks = require "scope3.tasks"
local transport_of = require "scope3.transport"
local verdict = require "scope3.verdict"
local wire = require "scope3.wire"

---@class scope3.Client
---@field account_id string?
local Client = {}
Client.__index = Client
Client.__name = "scope3.client"

local client = {}

client.DEFAULT_URL = "https://api.agentic.scope3.com"
local PREFIX = "/api/v2/buyer"

local DEFAULTS = { max_members = 100000, max_bytes = 8388608, rate = 100 }

local CLIENT_OPTIONS = {
  api_key = "key", account_id = "id", base_url = "string", loop = "any", on_event = "function",
  ca_file = "string", rate = "count", limiter = "any",
}

---@class scope3.SyncOptions  options of client:sync
---@field max_members? integer  members a request, adds and removes together (100,000)
---@field max_bytes? integer  bytes of a request's body (8 MiB)
---@field timeout? number  seconds for one request (60, and 1 for each 100 kB of its body)
---@field deadline? number  seconds for the sending of the whole job (none)
---@field settling? number  seconds that the job waits before it sends what contradicts a request whose answer was lost. Unless given
---  it stops there (`in_doubt`): such a request may take effect for 72 hours
---@field concurrency? integer  requests under way at once (1, at most 16); over 1 the job runs in epochs, so that their order does not matter
---@field delete_missing? "all"|string[]  at the end, when all went well, deletes the account's audiences that the job did not name: those named
---  here, or whatever there is
---@field rate? integer  requests a minute of this job, polls of its tasks among them (no more than the client may send in
---  all). A higher one than the client's holds for this job's requests alone
---@field cancel? fun(): boolean?  asked now and then; true stops the job
---@field on_event? fun(event: table)  `event.event` is progress, request, accepted, blocked (a full request waits for the one before),
---  barrier (waits for the tasks of an epoch before the next), settling (waits, because a request that may still take
---  effect would be contradicted), retry, paced, cut_short (the service asked for a wait of over an hour), limiter (its
---  file had lost its counts), shrunk, quarantined, resend, task or audience; further fields say how many and how long
---@field push_notification_config? table  docs/contract.md section 6
---@field dry_run? boolean  does everything but send; journal, timeout and rate have then no effect, and raise

---@class scope3.StreamOptions: scope3.SyncOptions  options of client:stream
---@field unique? "job"  one operation an external id is under way at a time, over the whole job and not a request alone: a repeat waits until
---  the tasks of the earlier ones have ended (under 10 bytes of memory an id)
---@field mend? boolean  false refuses what would otherwise be mended in an identifier (mailto:, "Name <address>", …)
---@field ids? "refuse"|"hash"|"as_is"  what becomes of external ids that are emails or phones: such a member is
---  refused where nothing is said; "hash" makes the SHA-256 of the normalised email, or of the phone in E.164, its id; "as_is" sends the raw value
---@field region? string  the country of phones in national form, where a row names none
---@field phone_repairs? "all"|string[]  repairs of phones beyond libphonenumber (none): decimal, plus, mexico, words, trunk_zero,
---  double_zero; docs/contract.md section 7
---@field on_reject? fun(refusal: {row: integer, column: string|integer|nil, reason: string, dropped: boolean, file: string?, lines: integer?})
---  `file` where there are several; `lines` further lines of the text that lie inside a row that cannot be read

---@class scope3.RunOptions: scope3.StreamOptions  options of client:run
---@field audience? string|{id: string, name: string?, consent_basis: string?}  instead of the script's
---@field mode? "upsert"|"remove"  what a row means where the script does not say
---@field journal? string|scope3.Journal  (of files) where the job keeps what it has sent, so that it can be resumed: a path
---@field delimiter? string  these six of files alone: what separates columns (found by itself)
---@field quote? string  the character that encloses values ("), or "none"
---@field escape? "backslash"|"none"  what escapes a character of a value (none)
---@field null? string  the text that stands for no value (none; \N where a backslash escapes)
---@field header? boolean  false where the file has none: columns are then given by number
---@field format? "csv"|"jsonl"  (by the file's name)
local JOB_OPTIONS = options.merge(script_of.JOB_OPTIONS, {
  journal = "any", cancel = "function", on_event = "function", on_reject = "function", push_notification_config = "table", dry_run = "boolean",
})
local SYNC_OPTIONS = options.merge(JOB_OPTIONS, {})
for _, key in ipairs { "delimiter", "quote", "escape", "null", "header", "format", "mode", "unique", "region", "mend", "ids", "phone_repairs",
  "on_reject", "journal" } do
  SYNC_OPTIONS[key] = nil
end
local RUN_OPTIONS = options.merge(JOB_OPTIONS, { audience = "any" })
local STREAM_OPTIONS = options.merge(JOB_OPTIONS, {})
for _, key in ipairs { "delimiter", "quote", "escape", "null", "header", "format", "journal", "mode" } do -- :add and :remove say what they do
  STREAM_OPTIONS[key] = nil
end

local function env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- Makes a client. What is not given is taken from SCOPE3_API_KEY, SCOPE3_ACCOUNT_ID, SCOPE3_BASE_URL and SCOPE3_CA_FILE. No connection is made.
--- Without `loop` it looks at each wait where it is: in nginx and in cqueues others run meanwhile, elsewhere waiting blocks.
---@param opts? {api_key: string|(fun(): string?, any)|nil, account_id: string?, base_url: string?,
---  loop: "blocking"|"nginx"|"cqueues"|"luv"|scope3.Loop|nil,
---  on_event: function?, ca_file: string?, rate: integer?, limiter: scope3.Limiter|string|nil}  `limiter`: one of scope3.limiter(), or the path of
---  a file through which the processes of a machine share it
---@return scope3.Client?
---@return scope3.Error? err  kind "invalid": every problem at once
function client.new(opts)
  opts = options.check("scope3.client", opts, CLIENT_OPTIONS, 2)
  if opts.ca_file and opts.base_url and core.lower(opts.base_url):find("^http:") then
    error("scope3.client: ca_file has no effect on a base_url of plain http", 2)
  end
  local issues = {}
  local account_id = options.id(opts.account_id or env("SCOPE3_ACCOUNT_ID"))
  if account_id and not account_id:find("^[A-Za-z0-9_%-.]+$") then
    issues[#issues + 1] = { path = "account_id", message = "must be the numeric id of the advertiser, such as 25" }
  end
  local api_key = opts.api_key or env("SCOPE3_API_KEY")
  local problem = type(api_key) == "string" and key_of.problem(api_key)
  if problem then
    issues[#issues + 1] = { path = "api_key", message = problem }
  end
  local base, err = transport_of.check_base(opts.base_url or env("SCOPE3_BASE_URL") or client.DEFAULT_URL)
  if not base then
    issues[#issues + 1] = { path = "base_url", message = err.issues[1].message }
  end
  local limiter = opts.limiter
  if type(limiter) == "string" and (limiter == "" or limiter:find("%z")) then
    issues[#issues + 1] = { path = "limiter", message = "must be the path of a file" }
  elseif type(limiter) == "string" and #issues == 0 then
    limiter, err = limiter_of.new(limiter)
    if not limiter then
      return nil, err
    end
  elseif limiter ~= nil and type(limiter) ~= "string" and not limiter_of.is(limiter) then
    error("scope3.client: limiter must be one of scope3.limiter(), or the path of a file, not a " .. type(limiter), 2)
  end
  if #issues > 0 then
    return nil, errors.invalid("client", issues)
  end
  if base:sub(-#PREFIX) ~= PREFIX then
    base = base .. PREFIX
  end
  local key = key_of.new(api_key)
  return setmetatable({
    account_id = account_id,
    base = base,
    root = base:sub(1, -#PREFIX - 1),
    loop = loops.find(opts.loop),
    on_event = opts.on_event or function() end,
    has_key = api_key ~= nil,
    key = key,
    secret = key.given,
    config = { ca_file = opts.ca_file or env("SCOPE3_CA_FILE"), rate = opts.rate or DEFAULTS.rate, limiter = limiter },
  }, Client)
end

function Client:__tostring()
  return ("scope3.client: account %s at %s"):format(self.account_id or "(none)", self.base)
end

--- The transport, made at the first use.
---@private
---@return scope3.Transport
function Client:transport()
  if not self.transport_ then
    local made, err = transport_of.new {
      base = self.base, root = self.root, key = self.key, ca_file = self.config.ca_file, loop = self.loop,
      rate = self.config.rate,
      limiter = self.config.limiter,
      on_event = function(event)
        self.on_event(event)
      end,
    }
    if not made then
      error(err.message, 0) -- libcurl itself cannot start: nothing that a caller could do differently
    end
    self.transport_ = made
  end
  return self.transport_
end

-- --- sending -----------------------------------------------------------------------------------------------------

-- Options with their defaults; problems with what they hold are added to `issues`.
local function job_options(opts, issues)
  local checked = {}
  for key, value in pairs(opts) do
    checked[key] = value
  end
  rules.options(issues, checked)
  checked.max_members = checked.max_members or DEFAULTS.max_members
  checked.max_bytes = checked.max_bytes or DEFAULTS.max_bytes
  if checked.push_notification_config then
    rules.push_notification_config(issues, checked.push_notification_config)
  end
  return checked
end

-- Everything that can be wrong before anything is sent, at once.
local function check_job(self, what, opts, audiences)
  local issues = {}
  local checked = job_options(opts, issues)
  for i, audience in ipairs(audiences) do
    local before = #issues
    rules.audience(issues, audience, #audiences == 1 and "audience" or ("audiences[%d]"):format(i))
    if #issues == before and request.frame(checked.push_notification_config) + request.overhead(audience) + 1024 > checked.max_bytes then
      issues[#issues + 1] = { path = "max_bytes", message = "leaves no room for members beside the audience's name and the callback" }
    end
  end
  local missing = not checked.dry_run and readiness.lacks(self) or nil
  if missing and not missing.issues then
    return nil, missing
  end
  for _, issue in ipairs(missing and missing.issues or {}) do
    issues[#issues + 1] = issue
  end
  if #issues > 0 then
    return nil, errors.invalid(what, issues)
  end
  return checked
end

-- Raises where an option would have no effect, at the line of whoever called the client.
local function refuse_ineffective(what, name, why)
  if name then
    error(("%s: %s %s"):format(what, name, why), 3)
  end
end

-- The ids of audiences that are only removed from: what they were made by is not in this job.
local function only_removing(audiences)
  local ids = {}
  for _, audience in ipairs(audiences) do
    local adds, removes = audience:count()
    if not audience.deleted and adds == 0 and removes > 0 then
      ids[#ids + 1] = audience.id
    end
  end
  return ids
end

--- Sends audiences that were built in memory (scope3.audience), several in a request where they fit.
---@param audiences scope3.Audience|scope3.Audience[]
---@param opts? scope3.SyncOptions
---@return scope3.Result?  what the service accepted; result:wait() follows its tasks
---@return scope3.Error? err  with `result` once something was sent
function Client:sync(audiences, opts)
  opts = options.check("client:sync", opts, SYNC_OPTIONS, 2)
  refuse_ineffective("client:sync", effect.in_dry_run(opts))
  if audience_of.is(audiences) then
    audiences = { audiences }
  end
  if type(audiences) ~= "table" or #audiences == 0 then
    error("client:sync: the first argument must be a scope3.audience or a list of them", 2)
  end
  local seen, problems = {}, {}
  for i, audience in ipairs(audiences) do
    if not audience_of.is(audience) then
      error(("client:sync: entry %d is not a scope3.audience"):format(i), 2)
    end
    local at = #audiences == 1 and "audience" or ("audiences[%d]"):format(i)
    if seen[audience.id] then
      problems[#problems + 1] = { path = at, message = ("has the same id as audiences[%d]"):format(seen[audience.id]) }
    end
    seen[audience.id] = i
    local adds, removes = audience:count() -- without those that an earlier sync set aside
    if not audience.deleted and adds + removes == 0 then
      problems[#problems + 1] = { path = at, message = "has no members, and is not to be deleted" }
    end
  end
  local checked, err = check_job(self, "client:sync", opts, audiences)
  if #problems > 0 then
    for _, issue in ipairs(err and err.issues or {}) do
      problems[#problems + 1] = issue
    end
    err = errors.invalid("client:sync", problems)
  end
  if err then
    return nil, err
  end
  local limits = { max_members = checked.max_members, max_bytes = checked.max_bytes, push = checked.push_notification_config }
  local requests, misfit = planner.plan(audiences, limits)
  if not requests then
    return nil, errors.invalid("client:sync", {
      { path = ("audiences[%d]"):format(misfit), message = "has a member that alone is over max_bytes" },
    })
  end
  local work = job.new(self, audiences, checked)
  local ok
  ok, err = preflight.look(work, only_removing(audiences))
  work.looked = true -- at all audiences, whatever its first request holds
  if not ok then
    return nil, err
  end
  if checked.delete_missing then
    ok, err = deletion.prepare(work, audiences, checked.delete_missing)
    if not ok then
      return nil, err
    end
  end
  for _, audience in ipairs(audiences) do
    local counts, adds, removes = audience.builder:counts(), audience:count()
    counts.superseded = audience.deleted and 0 or counts.superseded
    counts.members = audience.deleted and 0 or adds + removes + counts.superseded
    result.add_counts(work.result, counts)
  end
  local repeats = planner.repeats()
  for _, parts in ipairs(requests) do
    if not work.failure and repeats(parts) then
      work:turn()
    end
    work:send { parts = parts, kept = true } -- where the job has failed already, this counts the members as failed
  end
  if work:await() and checked.delete_missing and not checked.dry_run then
    local deleted, why = deletion.delete(work, audiences, checked.delete_missing)
    if not deleted and not work.failure then
      work:stop(why)
    end
  end
  return work:finish()
end

--- A stream of members into one audience, sent in requests as they fill up.
---@param audience string|{id: string, name: string?, consent_basis: string?}
---@param opts? scope3.StreamOptions
---@return scope3.Stream?
---@return scope3.Error? err
function Client:stream(audience, opts)
  opts = options.check("client:stream", opts, STREAM_OPTIONS, 2)
  refuse_ineffective("client:stream", effect.in_dry_run(opts))
  local meta = audience_of.meta("client:stream", audience, 2)
  local checked, err = check_job(self, "client:stream", opts, { meta })
  if not checked then
    return nil, err
  end
  return stream.new(self, meta, checked)
end

-- The input that the caller gave, for run.run(): a source, an iterator or paths.
local function find_input(input)
  if source_of.is(input) or type(input) == "function" then
    return input
  elseif type(input) ~= "string" and not (type(input) == "table" and type(input[1]) == "string") then
    error("client:run: the source must be a path or a list of them, scope3.csv(), scope3.jsonl() or an iterator of tables, not a " .. type(input), 3)
  end
  local paths, err = inputs.expand(type(input) == "string" and { input } or input)
  if not paths then
    return nil, err
  end
  return paths
end

-- What is wrong with saying how CSV is written for an input that is open already, or nil: it would change nothing.
local function dialect_elsewhere(opts, input)
  for _, key in ipairs { "quote", "escape", "null" } do
    if opts[key] and type(input) == "function" then
      return key .. " is of CSV, and the rows come from an iterator"
    elseif opts[key] and source_of.is(input) and not input:is_written(opts) then
      return ("%s was to be said when the source was made: scope3.csv(path, { %s = … })"):format(key, key)
    end
  end
end

--- Runs a transformation script over a source and sends what it makes: the main job.
---@param script string|scope3.Script  a path, or the table that a script returns
---@param source string|string[]|scope3.Source|fun(): table?  a path ("-" is standard input) or a pattern such as "in/*.csv", a list of
---  these, a source, or an iterator of tables. Each file of several has its own header, and all are looked at before anything is sent
---@param opts? scope3.RunOptions  options of the script too; these win
---@return scope3.Result?
---@return scope3.Error? err
function Client:run(script, source, opts)
  opts = options.check("client:run", opts, RUN_OPTIONS, 2)
  local path
  if type(script) == "string" then
    local loaded, err = script_of.load(script)
    if not loaded then
      return nil, err
    end
    path, script = script, loaded
  end
  local problem = script_of.problem(script, opts.mode)
  if problem then
    error("client:run: " .. problem, 2)
  end
  local merged = {}
  for key in pairs(script_of.JOB_OPTIONS) do
    merged[key] = script[key]
  end
  merged.region = merged.region or mapping.default_region(script.map)
  for key, value in pairs(opts) do
    merged[key] = value
  end
  problem = dialect.problem(merged) or dialect_elsewhere(merged, source)
  if problem then
    error("client:run: " .. problem, 2)
  end
  merged = options.whole(merged, RUN_OPTIONS) -- those of the script too
  local meta = audience_of.meta("client:run", opts.audience or script.audience or {}, 2)
  merged.audience = nil
  refuse_ineffective("client:run", effect.in_dry_run(opts, script))
  local key, why = effect.on_identifiers(script, opts, opts.mode or script.mode)
  if not key then -- a script may be written for adding, and be used for removing
    key, why = effect.on_identifiers(script, script, script.mode)
  end
  local checked, err = check_job(self, "client:run", merged, { meta })
  if not checked then
    return nil, err
  end
  local input
  input, err = find_input(source)
  if input and not key then
    if type(input) == "function" or source_of.is(input) then
      key, why = effect.on_source(merged, type(input) == "table" and input.shape or {})
    else
      key, why = effect.on_files(merged, input, source_of.format_of)
    end
  end
  if key and path and opts[key] == nil then -- what a file says is no fault of who calls
    return nil, errors.new("script", ("%s: %s %s"):format(path:match("[^/]+$") or path, key, why), { code = "no_effect" })
  end
  refuse_ineffective("client:run", key, why)
  if not input then
    return nil, err
  end
  return run.run(self, script, input, meta, checked)
end

-- When a listing is to give up. A job's own limits also say how long what is under way is given when it is stopped, and
-- the job's own rate.
local LIMITS = { cancel = "function", deadline = "number", grace = "number", pace = "table" }

-- --- reading -----------------------------------------------------------------------------------------------------

--- The account's audiences, deleted ones too: `for row, err in client:audiences() do … end`. A failure comes once, as `false, err`.
---@param opts? {page: integer?}  rows to ask for at once (100)
---@param limits? {cancel: function?, deadline: number?}  when to give up
---@return fun(): table|false|nil, scope3.Error?
function Client:audiences(opts, limits)
  options.check("client:audiences: limits", limits, LIMITS, 2)
  opts = options.check("client:audiences", opts, { page = "count" }, 2)
  if opts.page and opts.page > 250 then
    error("client:audiences: page is at most 250", 2)
  end
  local missing = readiness.lacks(self)
  if missing then
    return paging.failing(missing)
  end
  return paging.rows(self, limits, function(skip)
    return ("/advertisers/%s/audiences?take=%d&skip=%d"):format(wire.escape(self.account_id), opts.page or 100, skip)
  end, function(data)
    return data.audiences
  end, function(row)
    return row.audience_id
  end, function(value)
    local row = wire.audience(value)
    return row and verdict.clean_row(row, { key = self.secret() })
  end)
end

--- One audience's row. The service has no call for one, so its list is searched.
---@param id string
---@param limits? {cancel: function?, deadline: number?}
---@return table? row
---@return scope3.Error? err  kind "not_found" where the account has no such audience
function Client:audience(id, limits)
  options.check("client:audience: limits", limits, LIMITS, 2)
  local next_row = self:audiences(nil, limits)
  local row, err = next_row() -- called by hand: on Lua 5.1 an iterator of `for` cannot yield
  while row do
    if row.audience_id == id then
      return row
    end
    row, err = next_row()
  end
  if err then
    return nil, err
  end
  return nil, errors.new("not_found", "the account has no audience of that id")
end

-- An id that cannot be a task's is not asked for.
local function malformed(what, id)
  if not wire.is_task_id(id) then
    return errors.new("invalid", what .. ": the id has not the form of a task's: 1 to 255 of A-Z a-z 0-9 . _ : ~ -")
  end
end

--- Reads a task. Texts of its error, response and metadata come without what may be somebody's value.
---@param id string
---@return table? task
---@return scope3.Error? err
function Client:task(id)
  if type(id) ~= "string" or id == "" then
    error("client:task: the id must be a string", 2)
  end
  local wrong = malformed("client:task", id) or readiness.lacks(self, true)
  if wrong then
    return nil, wrong
  end
  return tasks.get(self, id)
end

local WAIT_OPTIONS = { timeout = "seconds", interval = "seconds", audience = "string", cancel = "function", on_event = "function",
  notified = "function" }
local LONGEST_WAIT = 48 * 3600 -- docs/contract.md section 3

--- Waits for a result: until its tasks have ended, and then until each audience has a final status. For a task id the first of the two alone,
--- unless `audience` names the audience to wait for then.
---@param what scope3.Result|string
---@param opts? {timeout: number?, interval: number?, audience: string?, cancel: function?, on_event: function?,
---  notified: (fun(task_id: string): boolean?)?}  in seconds; `timeout` is 48 hours unless given, `interval` 0.25 growing to 30 unless the service
---  asks otherwise. `notified` says whether a callback of a task has come (docs/webhooks.md): the task is then asked for at once
---@return scope3.Result|table|nil  the result, or the task (with `audience` its row)
---@return scope3.Error? err  "task_failed", "needs_action", "timeout", …; `result` where one was waited for
function Client:wait(what, opts)
  opts = options.check("client:wait", opts, WAIT_OPTIONS, 2)
  local limits = { cancel = opts.cancel, deadline = self.loop.now() + (opts.timeout or LONGEST_WAIT) }
  local on_event = opts.on_event or self.on_event
  if type(what) == "string" then
    local missing = malformed("client:wait", what) or readiness.lacks(self, opts.audience == nil)
    if missing then
      return nil, missing
    end
    local task, err, _, actions = tasks.wait_one(self, what, limits, opts, on_event)
    if not task then
      return nil, err
    end
    if opts.audience then
      task.audience, err = tasks.wait_audience(self, opts.audience, reply.iso_time(task.created_at),
        limits, opts, on_event, { unchanged = actions[opts.audience] == "unchanged" })
      if not task.audience then
        return nil, err
      end
    end
    return task
  elseif not result.is(what) then
    error("client:wait: the first argument must be a result or a task id, not a " .. type(what), 2)
  elseif opts.audience ~= nil then
    error("client:wait: audience has no effect on a result, which knows its own; it is for task ids", 2)
  end
  if what.would_send or #what.tasks == 0 then
    return what
  end
  limits.pace = result.job(what).pace
  local why = readiness.barred(self)
  if why then
    return nil, why
  end
  local work = result.job(what)
  local ok, err = tasks.wait_result(self, what, limits, opts, on_event, function()
    return work:await_tasks(limits, opts, on_event)
  end)
  status.warn(what)
  if not ok then
    err.result = what
    return nil, err
  end
  return what
end

-- Methods of the client too, in a file of their own.
for name, method in pairs(syndication) do
  Client[name] = method
end

--- Asks the service whether it is there; needs no key.
---@return true?
---@return scope3.Error? err
function Client:health()
  local why = readiness.barred(self)
  if why then
    return nil, why
  end
  local data, err = self:transport():request { method = "GET", path = "/health", timeout = 20, anonymous = true, root = true }
  return data and true or nil, err
end

return client
