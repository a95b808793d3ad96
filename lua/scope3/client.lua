--- The client: an account at the service, and everything that can be asked of it.
---
---     client          what users hold; misuse is raised here, at the caller's line
---     client/         the parts: options, settings, job_check, sync, run, wait, events
local arguments = require "scope3.util.arguments"
local audience_of = require "scope3.audience"
local client_options = require "scope3.client.options"
local context = require "scope3.job.context"
local core = require "scope3.core"
local counters = require "scope3.http.counters"
local entries = require "scope3.util.entries"
local job_check = require "scope3.client.job_check"
local key = require "scope3.http.key"
local late = require "scope3.util.late"
local listing = require "scope3.api.listing"
local loops = require "scope3.loop"
local options = require "scope3.util.options"
local paging = require "scope3.api.paging"
local preflight = require "scope3.api.preflight"
local response = require "scope3.api.response"
local result = require "scope3.result"
local settings = require "scope3.client.settings"
local sync = require "scope3.client.sync"
local syndication = require "scope3.api.syndication"
local tasks = require "scope3.job.tasks"
local transport = require "scope3.http.transport"
local wait = require "scope3.client.wait"

local drain = late.require "scope3.client.drain"
local forget = late.require "scope3.client.forget"
local run = late.require "scope3.client.run"
local stream = late.require "scope3.job.stream"

---@class scope3.Client
---@field account_id string?
---@field base string  the base URL with the path of the API
---@field root string  the base URL without it
---@field loop scope3.Loop
---@field has_key boolean
---@field private key scope3.Key
---@field private context? scope3.Context  made at the first use
---@field private counters scope3.Counters
---@field private secret fun(): string|string[]|nil  the keys that texts must not repeat
local Client = {}
Client.__index = Client
Client.__name = "scope3.client"

local client = {}

local DEFAULT_RATE = 100 -- requests a minute
local LARGEST_PAGE = 250 -- rows
local HEALTH_TIMEOUT = 20 -- seconds
local ID = "a string or a whole number below 2^53"

--- Makes a client. What is not given is taken from SCOPE3_API_KEY, or the file that SCOPE3_API_KEY_FILE names, and from
--- SCOPE3_ACCOUNT_ID, SCOPE3_BASE_URL and SCOPE3_CA_FILE. No connection is made. Without `loop` the client finds at
--- each wait where it runs: in nginx and in cqueues others run meanwhile, elsewhere waiting blocks.
---
---     local client = assert(scope3.client { api_key = key, account_id = "25" })
---
---@param opts? scope3.ClientOptions
---@return scope3.Client?
---@return scope3.Error? err  kind "invalid" lists every problem; kind "limiter" where its file cannot be used
function client.new(opts)
  opts = options.check("scope3.client", opts, client_options.CLIENT, 2)
  if opts.ca_file and opts.base_url and core.lower(opts.base_url):find("^http:") then
    error("scope3.client: ca_file has no effect on a base_url of plain http", 2)
  end
  local read, err = settings.read(opts)
  if not read then
    return nil, err
  end
  local api_key, loop = key.new(read.api_key), loops.find(opts.loop)
  return setmetatable({
    account_id = read.account_id,
    base = read.base,
    root = read.root,
    loop = loop,
    foreign_loop = loops.may_raise(loop),
    on_event = opts.on_event or function() end,
    has_key = read.api_key ~= nil,
    counters = counters.new(),
    key = api_key,
    secret = api_key.given,
    config = { ca_file = read.ca_file, rate = opts.rate or DEFAULT_RATE, limiter = read.limiter },
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
    local config = self.config
    self.transport_ = transport.new {
      base = self.base, root = self.root, key = self.key, loop = self.loop,
      counters = self.counters, ca_file = config.ca_file, rate = config.rate, limiter = config.limiter,
      on_event = function(event)
        self.on_event(event)
      end,
    }
  end
  return self.transport_
end

-- --- sending -----------------------------------------------------------------------------------------------------

--- Sends audiences that were built in memory (scope3.audience), several in one request where they fit.
---
---     local audience = assert(scope3.audience "newsletter")
---     assert(audience:add { external_id = "17", email = "jane@example.com" })
---     local result = assert(client:sync(audience))
---     assert(result:wait())
---
---@param audiences scope3.Audience|scope3.Audience[]  one, or a list of them
---@param opts? scope3.SyncOptions
---@return scope3.Result?  what the service accepted; result:wait() follows its tasks
---@return scope3.Error? err  with `result` once something was sent
function Client:sync(audiences, opts)
  arguments.self(getmetatable(self) == Client, "client:sync", "scope3.client", self)
  opts = options.check("client:sync", opts, client_options.SYNC, 2)
  audiences = audience_of.is(audiences) and { audiences } or audiences
  local misuse = job_check.ineffective(opts) or sync.problem(audiences)
  if misuse then
    error("client:sync: " .. misuse, 2)
  end
  return sync.send(self, audiences, opts)
end

--- Opens a stream of members into one audience. They are sent in requests as these fill up.
---
---     local stream = assert(client:stream("newsletter"))
---     for _, person in ipairs(people) do
---       stream:add { external_id = person.id, email = person.email }
---     end
---     local result = assert(stream:finish())
---
---@param audience string|integer|scope3.AudienceMeta
---@param opts? scope3.StreamOptions
---@return scope3.Stream?
---@return scope3.Error? err  kind "invalid" lists every problem
function Client:stream(audience, opts)
  arguments.self(getmetatable(self) == Client, "client:stream", "scope3.client", self)
  opts = options.check("client:stream", opts, client_options.STREAM, 2)
  local misuse = job_check.ineffective(opts) or audience_of.problem(audience)
  if misuse then
    error("client:stream: " .. misuse, 2)
  end
  local meta = audience_of.read(audience)
  local checked, err = job_check.check(self, "client:stream", opts, { meta })
  err = err or late.problem(stream)
  if err then
    return nil, err
  end
  return stream.new(context.of(self), meta, checked)
end

--- Runs a transformation script over an input and sends the members that it makes: the main job.
---
---     local result = assert(client:run("newsletter.lua", "customers/*.csv", { journal = "customers.journal" }))
---
---@param script string|scope3.Script  a path, or the table that a script returns
---@param source string|string[]|scope3.Source|(fun(): table?)  a path ("-" is standard input) or a pattern such as
---  "in/*.csv", a list of these, a source, or an iterator of tables. Each file of several has its own header, and all
---  are looked at before anything is sent
---@param opts? scope3.RunOptions  options of the script too; these win
---@return scope3.Result?
---@return scope3.Error? err  with `result` once something was sent
function Client:run(script, source, opts)
  arguments.self(getmetatable(self) == Client, "client:run", "scope3.client", self)
  opts = options.check("client:run", opts, client_options.RUN, 2)
  local lacking = late.problem(run)
  if lacking then
    return nil, lacking
  end
  local plan, err, misuse = run.plan(self, script, source, opts)
  if misuse then
    error("client:run: " .. misuse, 2)
  elseif not plan then
    return nil, err
  end
  return run.execute(self, plan)
end

--- Removes people from every audience of the account, such as who asks to be erased (docs/operating.md). Where one
--- audience fails the others still go, and the error says how many are not done. To call it again is safe.
---
---     local forgotten = assert(client:forget({ "4711", "4712" }, { wait = 3600 }))
---
---@param ids (string|integer)[]  external ids
---@param opts? scope3.ForgetOptions
---@return scope3.Forgotten?
---@return scope3.Error? err  with `result`, a scope3.Forgotten, once the ids were read
function Client:forget(ids, opts)
  arguments.self(getmetatable(self) == Client, "client:forget", "scope3.client", self)
  opts = options.check("client:forget", opts, client_options.FORGET, 2)
  arguments.argument(options.is_id_list(ids), "client:forget", "ids", "a list of ids, each " .. ID, ids)
  local err = late.problem(forget)
  if err then
    return nil, err
  end
  local misuse = forget.ineffective(opts)
  if misuse then
    error("client:forget: " .. misuse, 2)
  end
  return forget.run(self, ids, opts)
end

--- Sends what machines put into a queue of Redis, until it is stopped. Several may run: one sends, the others stand by.
---
---     local drained = assert(client:drain { redis = "redis://127.0.0.1", queue = "crm", once = true })
---
---@param opts scope3.DrainOptions
---@return scope3.Drained?
---@return scope3.Error? err  with `result`, a scope3.Drained, once it had begun; kind "cancelled" where it was stopped
function Client:drain(opts)
  arguments.self(getmetatable(self) == Client, "client:drain", "scope3.client", self)
  arguments.argument(opts ~= nil, "client:drain", "opts", "a table", opts)
  opts = options.check("client:drain", opts, client_options.DRAIN, 2)
  local err = late.problem(drain)
  if err then
    return nil, err
  end
  return drain.run(self, opts)
end

-- --- reading -----------------------------------------------------------------------------------------------------

--- The account's audiences, deleted ones too. A failure raises its error (a scope3.Error), so that a list is never
--- short without a word. pcall() round the loop catches it.
---
---     for row in client:audiences() do
---       print(row.audience_id, row.status)
---     end
---
---@param opts? scope3.AudiencesOptions
---@param limits? scope3.Limits
---@return fun(): scope3.AudienceRow?
function Client:audiences(opts, limits)
  arguments.self(getmetatable(self) == Client, "client:audiences", "scope3.client", self)
  limits = options.check("client:audiences: limits", limits, client_options.LIMITS, 2)
  opts = options.check("client:audiences", opts, client_options.AUDIENCES, 2)
  if opts.page and opts.page > LARGEST_PAGE then
    error(("client:audiences: page is at most %d"):format(LARGEST_PAGE), 2)
  end
  return paging.raising(listing.rows(self, wait.limits(self, limits), opts.page))
end

--- One audience's row. The service has no call for one, so its list is searched.
---@param id string|integer
---@param limits? scope3.Limits
---@return scope3.AudienceRow? row
---@return scope3.Error? err  kind "not_found" where the account has no such audience
function Client:audience(id, limits)
  arguments.self(getmetatable(self) == Client, "client:audience", "scope3.client", self)
  arguments.argument(options.is_id(id), "client:audience", "id", ID, id)
  limits = options.check("client:audience: limits", limits, client_options.LIMITS, 2)
  return listing.find(self, options.id(id), wait.limits(self, limits))
end

--- Reads a task. What may be a person's value is redacted in the texts of its error, response and metadata.
---@param id string|integer
---@return scope3.Task? task
---@return scope3.Error? err
function Client:task(id)
  arguments.self(getmetatable(self) == Client, "client:task", "scope3.client", self)
  arguments.argument(options.is_id(id), "client:task", "id", ID, id)
  if id == "" then
    error("client:task: id is an empty text", 2)
  end
  id = options.id(id)
  local err = wait.malformed("client:task", id) or preflight.lacks(self, true)
  if err then
    return nil, err
  end
  return tasks.get(context.of(self), id)
end

--- Asks the service whether it is there; needs no key.
---@return true?
---@return scope3.Error? err
---@return scope3.Health? about  what the service says of itself
function Client:health()
  arguments.self(getmetatable(self) == Client, "client:health", "scope3.client", self)
  local barred = preflight.barred(self)
  if barred then
    return nil, barred
  end
  local data, err = self:transport():request {
    method = "GET", path = "/health", timeout = HEALTH_TIMEOUT, anonymous = true, root = true,
  }
  if not data then
    return nil, err
  end
  return true, nil, response.health(data)
end

--- Counts of what this client did since it was made. They only grow. scope3.metrics.prometheus() writes them.
---@return scope3.ClientMetrics
function Client:metrics()
  arguments.self(getmetatable(self) == Client, "client:metrics", "scope3.client", self)
  return self.counters:snapshot()
end

-- --- waiting -----------------------------------------------------------------------------------------------------

--- Waits for a result: until its tasks have ended, and then until each audience has a final status. For a task id it
--- waits only for the task, unless `audience` names the audience to wait for then.
---
---     local task = assert(client:wait("task_01", { timeout = 600 }))
---
---@param what scope3.Result|string|integer  a result, or the id of a task
---@param opts? scope3.ClientWaitOptions
---@return scope3.Result|scope3.Task|nil  the result, or the task (with `audience` its row)
---@return scope3.Error? err  "task_failed", "needs_action", "timeout", …; `result` where one was waited for
function Client:wait(what, opts)
  arguments.self(getmetatable(self) == Client, "client:wait", "scope3.client", self)
  opts = options.check("client:wait", opts, client_options.WAIT, 2)
  arguments.argument(options.is_id(what) or result.is(what), "client:wait", "what", "a result or the id of a task",
    what)
  if result.is(what) and opts.audience ~= nil then
    error("client:wait: audience has no effect on a result, which knows its own; it is for task ids", 2)
  end
  local done, err = self:follow(options.id(what), opts) -- no tail call: misuse is blamed on the third function
  return done, err
end

--- Waits for a result, or for a task by its id.
---@private
---@param what scope3.Result|string
---@param opts scope3.ClientWaitOptions  of the right types
---@return scope3.Result|scope3.Task|nil
---@return scope3.Error? err
function Client:follow(what, opts)
  local done, err = wait.follow(self, what, opts)
  return done, err
end

-- Methods about syndication, from a file of their own.
for name, method in entries(syndication) do
  Client[name] = method
end

return client
