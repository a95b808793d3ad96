--- The client: an account at the service, and everything that can be asked of it.
local codec = require "scope3.api.codec"
local core = require "scope3.core"
local audience_of = require "scope3.audience"
local door = require "scope3.util.arguments"
local errors = require "scope3.error"
local guard_of = require "scope3.util.guard"
local inputs = require "scope3.input.paths"
local context = require "scope3.job.context"
local job = require "scope3.job"
local key_of = require "scope3.http.key"
local limiter_of = require "scope3.http.limiter"
local listing = require "scope3.api.listing"
local loops = require "scope3.loop"
local prune = require "scope3.job.prune"
local dialect = require "scope3.input.dialect"
local effect = require "scope3.input.ineffective"
local mapping = require "scope3.input.map"
local options = require "scope3.util.options"
local paging = require "scope3.api.paging"
local planner = require "scope3.job.planner"
local preflight = require "scope3.api.preflight"
local reply = require "scope3.http.reply"
local request = require "scope3.api.request"
local response = require "scope3.api.response"
local result = require "scope3.result"
local rules = require "scope3.api.validate"
local run = require "scope3.job.pipeline"
local script_of = require "scope3.input.script"
local source_of = require "scope3.input.source"
local status = require "scope3.api.audience_status"
local stream = require "scope3.job.stream"
local syndication = require "scope3.api.syndication"
local tasks = require "scope3.job.tasks"
local transport_of = require "scope3.http.transport"

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
  ca_file = "string", rate = "count",
  limiter = { expected = "one of scope3.limiter(), or the path of a file", is = function(value)
    return type(value) == "string" or limiter_of.is(value)
  end },
}

---@class scope3.ClientOptions
---@field api_key? string|fun(): string?, any  a function is asked before each request
---@field account_id? string|integer
---@field base_url? string
---@field ca_file? string  the certificates of those who may have signed the host's: a path, or the PEM text itself
---@field rate? integer  requests a minute to the host (100)
---@field loop? "blocking"|"nginx"|"cqueues"|"luv"|scope3.Loop  how it waits (as the host in which it is)
---@field limiter? scope3.Limiter|string  one of scope3.limiter(), or the path of a file through which the processes of
---  a machine share it
---@field on_event? fun(event: scope3.Event)  as in scope3.SyncOptions, for every job

---@alias scope3.EventName
---| "progress"
---| "request"
---| "accepted"
---| "blocked"
---| "barrier"
---| "in_doubt"
---| "retry"
---| "throttled"
---| "cut_short"
---| "limiter"
---| "split"
---| "quarantined"
---| "resend"
---| "task"
---| "audience"

---@class scope3.Event  what happens to a job; docs/report.md says which event has which fields
---@field event scope3.EventName
---@field [string] any

---@class scope3.SyncOptions  options of client:sync
---@field max_members? integer  members a request, adds and removes together (100,000)
---@field max_bytes? integer  bytes of a request's body (8 MiB)
---@field timeout? number  seconds for one request (60, and 1 for each 100 kB of its body)
---@field deadline? number  seconds for the sending of the whole job (none)
---@field patience? number  seconds for which the job goes on, from the first failure, while the service cannot be
---  reached or answers 502, 503 or 504.
---  Unless given a request is tried eight times, which takes about half a minute
---@field keep_going? boolean  goes on with the other requests where the service refuses one for its content, or its
---  task fails for good. The job ends
---  with the first of these errors all the same. A refused key, account or host ends it at once
---@field delete_timeout? number  seconds that `delete_missing` takes, from when everything was accepted: the wait for
---  the tasks and the deletion (48 hours)
---@field in_doubt_timeout? number  seconds that the job waits before it sends what contradicts a request whose answer was lost. Unless given
---  it stops there (`in_doubt`): such a request may take effect for 72 hours
---@field concurrency? integer  requests under way at once (1, at most 16); over 1 the job runs in epochs, so that their order does not matter
---@field delete_missing? "all"|(string|integer)[]  at the end, when all went well, deletes the account's audiences that
---  the job did not name: those named here, or whatever there is
---@field rate? integer  requests a minute of this job, polls of its tasks among them (no more than the client may send in
---  all). A higher one than the client's holds for this job's requests alone
---@field cancel? fun(): boolean?  asked now and then; true stops the job
---@field on_event? fun(event: scope3.Event)  called with what happens
---  `event.event` is progress, request, accepted, blocked (a full request waits for the one before), barrier (waits for
---  the tasks of an epoch before the next), in_doubt (waits, because a request that may still take effect would be
---  contradicted), retry, throttled, cut_short (the service asked for
---  a wait of over an hour), limiter (its file had lost its counts), split, quarantined, resend, task or audience
---@field push_notification_config? scope3.PushNotificationConfig  where the service is to report what became of its
---  tasks
---@field dry_run? boolean  does everything but send; journal, timeout and rate have then no effect, and raise

---@class scope3.StreamOptions: scope3.SyncOptions  options of client:stream
---@field unique? boolean  one operation an external id is under way at a time, over the whole job and not a request alone: a repeat waits until
---  the tasks of the earlier ones have ended (under 10 bytes of memory an id)
---@field repair? boolean  false refuses what would otherwise be repaired in an identifier (mailto:, "Name <address>", …)
---@field ids? "refuse"|"hash"|"as_is"  what becomes of external ids that are emails or phones: such a member is
---  refused where nothing is said; "hash" makes the SHA-256 of the normalised email, or of the phone in E.164, its id; "as_is" sends the raw value
---@field region? string  the country of phones in national form, where a row names none
---@field phone_repairs? "all"|string[]  repairs of phones beyond libphonenumber (none): decimal, plus, mexico, benin,
---  ivory_coast, brazil, words, trunk_zero, double_zero, first; docs/contract.md section 7
---@field on_reject? fun(rejection: scope3.Rejection)  called for each row that gives no member, and for each identifier
---  that is dropped

---@class scope3.Rejection  why a row or one of its identifiers was not used; holds no value
---@field row integer
---@field column? string|integer  the column, or the field of a member
---@field reason string  a key, as in docs/report.md, or what the script gave
---@field dropped boolean  an identifier alone: its member is kept
---@field file? string  where there are several
---@field lines? integer  further lines of the text that lie inside a row that cannot be read

---@class scope3.PushNotificationConfig  docs/contract.md section 6
---@field url string
---@field operation_id? string  1 to 255 of A-Z a-z 0-9 _ . : -
---@field token? string  16 to 4096 characters
---@field authentication? scope3.PushAuthentication

---@class scope3.PushAuthentication
---@field scheme? "HMAC-SHA256"|"Bearer"
---@field schemes? string[]  AdCP's own word for it, a list of one
---@field credentials string  at least 32 characters

---@class scope3.RunOptions: scope3.StreamOptions  options of client:run
---@field audience? string|integer|scope3.AudienceMeta  instead of the script's
---@field mode? "upsert"|"remove"  what a row means where the script does not say
---@field journal? string|scope3.Journal  (of files) where the job keeps what it has sent, so that it can be resumed: a path
---@field delimiter? string  these eight of files alone: what separates columns (found by itself): one character, its
---  name or its code
---@field quote? string  the character that encloses values ("), or "none"
---@field escape? "backslash"|"none"  what escapes a character of a value (none)
---@field null? string  the text that stands for no value (none; \N where a backslash escapes)
---@field skip_lines? integer  lines that stand before the header, or the first row, of each CSV file (none)
---@field encoding? string  in which the file is written: "utf-8" (default), "windows-1252", "iso-8859-1", "utf-16le" and
---  others; a byte order mark of UTF-8 or UTF-16 tells it by itself
---@field header? boolean  false where the file has none: columns are then given by number
---@field format? "csv"|"jsonl"  (by the file's name)
local JOURNAL = { expected = "the path of a file, or a journal", is = function(value)
  return type(value) == "string" or door.has(value, "open", "replay", "begin", "accepted", "ended", "close")
end }
local AUDIENCE = { expected = "an id, or a table with id, name and consent_basis", is = function(value)
  return options.is_id(value) or type(value) == "table"
end }
local JOB_OPTIONS = options.merge(script_of.JOB_OPTIONS, {
  journal = JOURNAL, cancel = "function", on_event = "function", on_reject = "function",
  push_notification_config = "table", dry_run = "boolean",
})
local SYNC_OPTIONS = options.merge(JOB_OPTIONS, {})
for _, key in ipairs { "delimiter", "quote", "escape", "null", "skip_lines", "encoding", "header", "format", "mode",
  "unique", "region", "repair", "ids", "phone_repairs", "on_reject", "journal" } do
  SYNC_OPTIONS[key] = nil
end
local RUN_OPTIONS = options.merge(JOB_OPTIONS, { audience = AUDIENCE })
local STREAM_OPTIONS = options.merge(JOB_OPTIONS, {})
-- :add and :remove say what they do.
for _, key in ipairs { "delimiter", "quote", "escape", "null", "skip_lines", "encoding", "header", "format", "journal",
  "mode" } do
  STREAM_OPTIONS[key] = nil
end

local function env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- Makes a client. What is not given is taken from SCOPE3_API_KEY, SCOPE3_ACCOUNT_ID, SCOPE3_BASE_URL and SCOPE3_CA_FILE. No connection is made.
--- Without `loop` it looks at each wait where it is: in nginx and in cqueues others run meanwhile, elsewhere waiting blocks.
---@param opts? scope3.ClientOptions
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
  end
  if #issues > 0 then
    return nil, errors.invalid("client", issues)
  end
  if base:sub(-#PREFIX) ~= PREFIX then
    base = base .. PREFIX
  end
  local key = key_of.new(api_key)
  local loop = loops.find(opts.loop)
  return setmetatable({
    account_id = account_id,
    base = base,
    root = base:sub(1, -#PREFIX - 1),
    loop = loop,
    foreign_loop = loops.is_foreign(loop),
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
    self.transport_ = transport_of.new {
      base = self.base, root = self.root, key = self.key, ca_file = self.config.ca_file, loop = self.loop,
      rate = self.config.rate,
      limiter = self.config.limiter,
      on_event = function(event)
        self.on_event(event)
      end,
    }
  end
  return self.transport_
end

-- --- sending -----------------------------------------------------------------------------------------------------

-- Options with their defaults; problems with what they hold are added to `issues`.
local function job_options(opts, issues, client_event)
  local checked = {}
  for key, value in pairs(opts) do
    checked[key] = value
  end
  checked.delete_missing = options.ids(checked.delete_missing)
  rules.options(issues, checked)
  checked.guard = guard_of.new()
  checked.on_event = checked.guard:wrap("on_event", checked.on_event or client_event)
  checked.on_reject = checked.guard:wrap("on_reject", checked.on_reject)
  checked.cancel = checked.guard:wrap("cancel", checked.cancel)
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
  local checked = job_options(opts, issues, self.on_event)
  for i, audience in ipairs(audiences) do
    local before = #issues
    rules.audience(issues, audience, #audiences == 1 and "audience" or ("audiences[%d]"):format(i))
    if #issues == before and request.frame(checked.push_notification_config) + request.overhead(audience) + 1024 > checked.max_bytes then
      issues[#issues + 1] = { path = "max_bytes", message = "leaves no room for members beside the audience's name and the callback" }
    end
  end
  local missing = not checked.dry_run and preflight.lacks(self) or nil
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

-- What is wrong with a list of audiences, or nil.
local function audiences_problem(audiences)
  local n, hole = door.count(audiences)
  if hole then
    return ("audiences is a list with holes: entry %d is missing"):format(hole)
  elseif not n or n == 0 then
    return door.problem("audiences", "a scope3.audience or a list of them", audiences)
      .. (n == 0 and " without entries" or "")
  end
  for i = 1, n do
    if not audience_of.is(audiences[i]) then
      return door.problem(("entry %d of audiences"):format(i), "a scope3.audience", audiences[i])
    end
  end
end

--- Sends audiences that were built in memory (scope3.audience), several in a request where they fit.
---@param audiences scope3.Audience|scope3.Audience[]  one, or a list of them
---@param opts? scope3.SyncOptions
---@return scope3.Result?  what the service accepted; result:wait() follows its tasks
---@return scope3.Error? err  with `result` once something was sent
function Client:sync(audiences, opts)
  door.self(getmetatable(self) == Client, "client:sync", "scope3.client", self)
  opts = options.check("client:sync", opts, SYNC_OPTIONS, 2)
  refuse_ineffective("client:sync", effect.in_dry_run(opts))
  refuse_ineffective("client:sync", effect.without_deletion(opts))
  if audience_of.is(audiences) then
    audiences = { audiences }
  end
  local problem = audiences_problem(audiences)
  if problem then
    error("client:sync: " .. problem, 2)
  end
  local seen, problems = {}, {}
  for i, audience in ipairs(audiences) do
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
  local work = job.new(context.of(self), audiences, checked)
  local ok
  ok, err = work:check_targets(only_removing(audiences)) -- of all audiences, whatever its first request holds
  if not ok then
    return nil, work:refuse(err)
  end
  if checked.delete_missing then
    ok, err = prune.prepare(work, audiences, checked.delete_missing)
    if not ok then
      return nil, work:refuse(err)
    end
  end
  for _, audience in ipairs(audiences) do
    local counts, adds, removes = audience.builder:counts(), audience:count()
    counts.replaced = audience.deleted and 0 or counts.replaced
    counts.members = audience.deleted and 0 or adds + removes + counts.replaced
    counts.hashed_email, counts.hashed_phone, counts.uids, counts.prehashed = audience_of.identifiers(audience)
    result.add_counts(work.result, counts)
  end
  result.warn_of_poorer(work.result)
  local repeats = planner.repeats()
  for _, parts in ipairs(requests) do
    if not work:failed() and repeats(parts) then
      work:turn()
    end
    work:send { parts = parts, retained = true } -- where the job has failed already, this counts the members as failed
  end
  if work:await() and checked.delete_missing and not checked.dry_run then
    local deleted, why = prune.delete(work, audiences, checked.delete_missing)
    if not deleted and not work:failed() then
      work:stop(why)
    end
  end
  return work:finish()
end

--- A stream of members into one audience, sent in requests as they fill up.
---@param audience string|integer|scope3.AudienceMeta
---@param opts? scope3.StreamOptions
---@return scope3.Stream?
---@return scope3.Error? err
function Client:stream(audience, opts)
  door.self(getmetatable(self) == Client, "client:stream", "scope3.client", self)
  opts = options.check("client:stream", opts, STREAM_OPTIONS, 2)
  refuse_ineffective("client:stream", effect.in_dry_run(opts))
  refuse_ineffective("client:stream", effect.without_deletion(opts))
  local meta = audience_of.meta("client:stream", audience, 2)
  local checked, err = check_job(self, "client:stream", opts, { meta })
  if not checked then
    return nil, err
  end
  return stream.new(context.of(self), meta, checked)
end

local INPUTS = "a path or a list of them, scope3.csv(), scope3.jsonl() or an iterator of tables"

-- What is wrong with an input, or nil.
local function input_problem(input)
  if source_of.is(input) or type(input) == "function" or type(input) == "string" then
    return nil
  end
  local n, hole = door.count(input)
  if hole then
    return ("source is a list with holes: path %d is missing"):format(hole)
  elseif not n or n == 0 then
    return door.problem("source", INPUTS, input)
      .. (n == 0 and " without entries" or "")
  end
  for i = 1, n do
    if type(input[i]) ~= "string" then
      return door.problem(("path %d of source"):format(i), "a string", input[i])
    end
  end
end

-- The input that the caller gave, for run.run(): a source, an iterator or paths.
local function find_input(input)
  if source_of.is(input) or type(input) == "function" then
    return input
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
---@param source string|string[]|scope3.Source|(fun(): table?)  a path ("-" is standard input) or a pattern such as
---  "in/*.csv", a list of
---  these, a source, or an iterator of tables. Each file of several has its own header, and all are looked at before anything is sent
---@param opts? scope3.RunOptions  options of the script too; these win
---@return scope3.Result?
---@return scope3.Error? err
function Client:run(script, source, opts)
  door.self(getmetatable(self) == Client, "client:run", "scope3.client", self)
  opts = options.check("client:run", opts, RUN_OPTIONS, 2)
  local path
  if type(script) == "string" then
    door.argument(type(source) == "table" or not input_problem(source), "client:run", "source", INPUTS, source)
    local loaded, err = script_of.load(script)
    if not loaded then
      return nil, err
    end
    path, script = script, loaded
  end
  local problem = type(script) ~= "table"
    and door.problem("script", "a path, or the table that a script returns", script)
    or script_of.problem(script, opts.mode) or input_problem(source)
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
  refuse_ineffective("client:run", effect.without_deletion(merged))
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
    return nil, errors.new("script", ("%s: %s %s"):format(path:match("^.*/([^/]+)$") or path, key, why), { code = "no_effect" })
  end
  refuse_ineffective("client:run", key, why)
  if not input then
    return nil, err
  end
  return run.run(context.of(self), script, input, meta, checked)
end

---@class scope3.AudiencesOptions
---@field page? integer  rows to ask for at once (100, at most 250)

---@class scope3.Limits  when a listing is to give up
---@field cancel? fun(): boolean?  asked now and then; true ends it
---@field deadline? number  seconds from now
local LIMITS = { cancel = "function", deadline = "seconds" }

local ID = "a string or a whole number below 2^53"

-- What the caller said in seconds from now, by the loop's clock.
local function limits_of(self, given)
  local guard = guard_of.new()
  return {
    guard = guard, cancel = guard:wrap("cancel", given.cancel),
    deadline = given.deadline and self.loop.now() + given.deadline or nil,
  }
end

-- --- reading -----------------------------------------------------------------------------------------------------

--- The account's audiences, deleted ones too: `for row in client:audiences() do … end`. A failure raises its error (a
--- scope3.Error), so that a list is never short without a word: pcall() round the loop catches it.
---@param opts? scope3.AudiencesOptions
---@param limits? scope3.Limits
---@return fun(): scope3.AudienceRow?
function Client:audiences(opts, limits)
  door.self(getmetatable(self) == Client, "client:audiences", "scope3.client", self)
  limits = options.check("client:audiences: limits", limits, LIMITS, 2)
  opts = options.check("client:audiences", opts, { page = "count" }, 2)
  if opts.page and opts.page > 250 then
    error("client:audiences: page is at most 250", 2)
  end
  return paging.raising(listing.rows(self, limits_of(self, limits), opts.page))
end

--- One audience's row. The service has no call for one, so its list is searched.
---@param id string|integer
---@param limits? scope3.Limits
---@return scope3.AudienceRow? row
---@return scope3.Error? err  kind "not_found" where the account has no such audience
function Client:audience(id, limits)
  door.self(getmetatable(self) == Client, "client:audience", "scope3.client", self)
  door.argument(options.is_id(id), "client:audience", "id", ID, id)
  limits = options.check("client:audience: limits", limits, LIMITS, 2)
  return listing.find(self, options.id(id), limits_of(self, limits))
end

-- An id that cannot be a task's is not asked for.
local function malformed(what, id)
  if not codec.is_task_id(id) then
    return errors.new("invalid", what .. ": the id has not the form of a task's: 1 to 255 of A-Z a-z 0-9 . _ : ~ -")
  end
end

--- Reads a task. Texts of its error, response and metadata come without what may be somebody's value.
---@param id string|integer
---@return scope3.Task? task
---@return scope3.Error? err
function Client:task(id)
  door.self(getmetatable(self) == Client, "client:task", "scope3.client", self)
  door.argument(options.is_id(id), "client:task", "id", ID, id)
  if id == "" then
    error("client:task: id is an empty text", 2)
  end
  id = options.id(id)
  local wrong = malformed("client:task", id) or preflight.lacks(self, true)
  if wrong then
    return nil, wrong
  end
  return tasks.get(context.of(self), id)
end

---@class scope3.ClientWaitOptions: scope3.WaitOptions
---@field audience? string|integer  beside the id of a task: the audience to wait for then

local WAIT_OPTIONS = options.merge(result.WAIT_OPTIONS, { audience = "id" })
local LONGEST_WAIT = 48 * 3600 -- docs/contract.md section 3
local ONE_LOOK = 20 -- seconds for each question of a wait that asks once

-- When a wait ends. One without time asks once: each question has a time of its own then.
local function wait_limits(self, what, opts)
  local timeout = opts.timeout or LONGEST_WAIT
  local work = result.is(what) and result.job(what) or nil
  local guard = guard_of.new()
  return {
    guard = guard, cancel = guard:wrap("cancel", opts.cancel), once = timeout == 0 and ONE_LOOK or nil,
    deadline = timeout > 0 and self.loop.now() + timeout or nil, over = "the time to wait is over",
    pace = work and work.pace, patience = opts.patience or timeout == 0 and 0 or work and work.opts.patience,
  }
end

-- Waits for a task, and then for an audience where one is named.
local function wait_for_task(self, id, opts, limits, on_event)
  local missing = malformed("client:wait", id) or preflight.lacks(self, opts.audience == nil)
  if missing then
    return nil, missing
  end
  local task, err, _, actions = tasks.wait_one(context.of(self), id, limits, opts, on_event)
  if not task then
    return nil, err
  end
  if opts.audience then
    local audience = options.id(opts.audience)
    task.audience, err = tasks.wait_audience(context.of(self), audience, reply.iso_time(task.created_at),
      limits, opts, on_event, { unchanged = actions[audience] == "unchanged" })
    if not task.audience then
      return nil, err
    end
  end
  return task
end

local function wait_for_result(self, res, opts, limits, on_event)
  if res.would_send or #res.tasks == 0 then
    return res
  end
  local why = preflight.barred(self)
  if why then
    return nil, why
  end
  local work = result.job(res)
  local ok, err = tasks.wait_result(context.of(self), res, limits, opts, on_event, function()
    return work:await_tasks(limits, opts, on_event)
  end)
  status.warn(res)
  if not ok then
    return nil, errors.with(err, { result = res })
  end
  return res
end

--- Waits for a result, or for a task by its id.
---@private
---@param what scope3.Result|string
---@param opts scope3.ClientWaitOptions  checked
---@return scope3.Result|scope3.Task|nil
---@return scope3.Error? err
function Client:follow(what, opts)
  local limits = wait_limits(self, what, opts)
  local guard = limits.guard
  local guarded = { interval = opts.interval, audience = opts.audience, notified = guard:wrap("notified", opts.notified) }
  local on_event = guard:wrap("on_event", opts.on_event or self.on_event)
  local wait = result.is(what) and wait_for_result or wait_for_task
  local done, err = wait(self, what, guarded, limits, on_event)
  if guard.fault then
    return nil, result.is(what) and errors.with(guard.fault, { result = what }) or guard.fault
  end
  return done, err
end

--- Waits for a result: until its tasks have ended, and then until each audience has a final status. For a task id the
--- first of the two alone, unless `audience` names the audience to wait for then.
---@param what scope3.Result|string|integer  a result, or the id of a task
---@param opts? scope3.ClientWaitOptions
---@return scope3.Result|scope3.Task|nil  the result, or the task (with `audience` its row)
---@return scope3.Error? err  "task_failed", "needs_action", "timeout", …; `result` where one was waited for
function Client:wait(what, opts)
  door.self(getmetatable(self) == Client, "client:wait", "scope3.client", self)
  opts = options.check("client:wait", opts, WAIT_OPTIONS, 2)
  door.argument(options.is_id(what) or result.is(what), "client:wait", "what", "a result or the id of a task", what)
  if result.is(what) and opts.audience ~= nil then
    error("client:wait: audience has no effect on a result, which knows its own; it is for task ids", 2)
  end
  local done, err = self:follow(options.id(what), opts) -- no tail call: misuse is blamed on the third function
  return done, err
end

-- Methods of the client too, in a file of their own.
for name, method in pairs(syndication) do
  Client[name] = method
end

--- Asks the service whether it is there; needs no key.
---@return true?
---@return scope3.Error? err
---@return scope3.Health? about  what the service tells of itself
function Client:health()
  door.self(getmetatable(self) == Client, "client:health", "scope3.client", self)
  local why = preflight.barred(self)
  if why then
    return nil, why
  end
  local data, err = self:transport():request { method = "GET", path = "/health", timeout = 20, anonymous = true, root = true }
  if not data then
    return nil, err
  end
  return true, nil, response.health(data)
end

return client
