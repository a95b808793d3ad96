--- The options of the client's functions: what each takes, for editors and for the check at run time.
local arguments = require "scope3.util.arguments"
local identity = require "scope3.identity"
local limiter = require "scope3.http.limiter"
local options = require "scope3.util.options"
local paths = require "scope3.input.paths"
local result = require "scope3.result"
local script_options = require "scope3.input.script_options"

local client_options = {}

-- --- scope3.client -----------------------------------------------------------------------------------------------

---@class scope3.ClientOptions
---@field api_key? string|fun(): string?, any  a function is asked before each request
---@field account_id? string|integer
---@field base_url? string
---@field ca_file? string  the CA certificates that may sign the host's certificate: a path, or the PEM text itself
---@field rate? integer  requests a minute to the host (100)
---@field loop? "blocking"|"nginx"|"cqueues"|"luv"|"haproxy"|"tarantool"|scope3.Loop  how it waits (as its host does)
---@field limiter? scope3.Limiter|string  one of scope3.limiter(), the path of a file through which the processes of a
---  machine share it, or the URL of a Redis through which machines do
---@field on_event? fun(event: scope3.Event)  for every job; see scope3.SyncOptions
client_options.CLIENT = {
  api_key = "key", account_id = "id", base_url = "string", loop = "any", on_event = "function", ca_file = "string",
  rate = "count",
  limiter = { expected = "one of scope3.limiter(), the path of a file, or the URL of a Redis", is = function(value)
    return type(value) == "string" or limiter.is(value)
  end },
}

-- --- jobs --------------------------------------------------------------------------------------------------------

---@class scope3.SyncOptions  options of client:sync
---@field max_members? integer  members per request, adds and removes together (100,000)
---@field max_bytes? integer  bytes of a request's body, at most (64 MiB); the first one has 8 MiB at most
---@field timeout? number  seconds for one request (60, and 1 for each 100 kB of its body)
---@field deadline? number  seconds for the sending of the whole job (none)
---@field patience? number  seconds for which the job goes on, from the first failure, while the service cannot be
---  reached or answers 502, 503 or 504.
---  Unless given a request is tried eight times, which takes about half a minute
---@field keep_going? boolean  goes on with the other requests where the service refuses one for its content, or its
---  task fails for good. The job ends with the first of these errors all the same. A refused key, account or host ends
---  it at once
---@field delete_timeout? number  seconds for `delete_missing`, from when everything was accepted: the wait for the
---  tasks and the deletion (48 hours)
---@field in_doubt_timeout? number  seconds that the job waits before it sends what contradicts a request whose answer
---  was lost. Unless given it stops there (`in_doubt`): such a request may take effect for 72 hours
---@field concurrency? integer  requests under way at once (1, at most 16); over 1 the job runs in epochs, so that their
---  order does not matter
---@field delete_missing? "all"|(string|integer)[]  at the end, when all went well, deletes the account's audiences that
---  the job did not name: those named here, or all there are
---@field rate? integer  requests per minute of this job, polls of its tasks among them (that of the client). A higher
---  rate than the client's holds for this job's requests only
---@field cancel? fun(): boolean?  called now and then; true stops the job
---@field on_event? fun(event: scope3.Event)  called with what happens (that of the client)
---@field push_notification_config? scope3.PushNotificationConfig  where the service is to report what became of its
---  tasks
---@field dry_run? boolean  does everything but send; journal, timeout and rate have then no effect, and raise

---@class scope3.StreamOptions: scope3.SyncOptions  options of client:stream
---@field unique? boolean  one operation per external id is under way at a time, over the whole job and not only a
---  request: a repeat waits until the tasks of the earlier ones have ended (under 10 bytes of memory per id)
---@field repair? boolean  false refuses what would otherwise be repaired in an identifier (mailto:, "Name <address>")
---@field ids? "refuse"|"hash"|"as_is"  what becomes of external ids that are emails or phones. Such a member is refused
---  unless this is given. "hash" makes the SHA-256 of the normalised email, or of the phone in E.164, its id; "as_is"
---  sends the raw value
---@field region? string  the country of phones in national form, where a row names none
---@field phone_repairs? "all"|string[]  repairs of phones beyond libphonenumber (none): decimal, plus, mexico, benin,
---  ivory_coast, brazil, words, trunk_zero, double_zero, first; docs/contract.md section 7
---@field on_reject? fun(rejection: scope3.Rejection)  called for each row that gives no member, and for each
---  identifier that is dropped

---@class scope3.RunOptions: scope3.StreamOptions  options of client:run
---@field audience? string|integer|scope3.AudienceMeta  instead of the script's
---@field mode? "upsert"|"remove"|"mirror"  what a row means where the script does not say. "mirror" needs a state:
---  who has no row leaves the audience
---@field exclude? string|string[]  paths of lists of people who are never sent: an id, an email, a phone or a SHA-256
---  of one a line. With a state, whoever is there leaves
---@field state? string  the path of a file that says what the service has. Only what differs from it is sent
---@field refresh_after? number  seconds after which what was accepted goes again although nothing changed (never);
---  needs a state
---@field max_removed? number  share of the audience that a mirror may remove at once (0.3)
---@field full? boolean  with a state: sends every row, whatever the state has
---@field remove_rejected? boolean  a mirror removes people whose rows are rejected also where nobody else leaves
---@field allow_empty? boolean  a mirror removes people also where one of several files has no rows
---@field journal? string|scope3.Journal  (of files) where the job keeps what it has sent, so that it can be resumed: a
---  path, or a journal
---@field delimiter? string  (this and the seven below: of files only) what separates columns (found by itself): one
---  character, its name or its code
---@field quote? string  the character that encloses values ("), or "none"
---@field escape? "backslash"|"none"  what escapes a character of a value (none)
---@field null? string  the text that stands for no value (none; \N where a backslash escapes)
---@field skip_lines? integer  lines before the header, or the first row, of each CSV file (none)
---@field encoding? string  of the file: "utf-8" (default), "windows-1252", "iso-8859-1", "utf-16le" and others; a byte
---  order mark of UTF-8 or UTF-16 is recognised
---@field header? boolean  false where the file has none: columns are then given by number
---@field format? "csv"|"jsonl"  (by the file's name)

---@class scope3.PushNotificationConfig  docs/contract.md section 6
---@field url string
---@field operation_id? string  1 to 255 of A-Z a-z 0-9 _ . : -
---@field token? string  16 to 4096 characters
---@field authentication? scope3.PushAuthentication

---@class scope3.PushAuthentication
---@field scheme? "HMAC-SHA256"|"Bearer"
---@field schemes? string[]  AdCP's own word for it, a list of one
---@field credentials string  at least 32 characters

---@class scope3.Rejection  why a row or one of its identifiers was not used; holds no value
---@field row integer
---@field line? integer  where the row begins in its file, as an editor counts; nil where rows are tables, and of
---  members that the service refused
---@field column? string|integer  the column, or the field of a member
---@field reason string  a key, as in docs/results-and-errors.md, or what the script gave
---@field dropped boolean  only an identifier: its member is kept
---@field file? string  where there are several
---@field lines? integer  further lines of the text that lie inside a row that cannot be read

local JOB = options.merge(script_options.JOB, {
  journal = { expected = "the path of a file, or a journal", is = function(value)
    return type(value) == "string" or arguments.has(value, "open", "replay", "begin", "accepted", "ended", "close")
  end },
  cancel = "function", on_event = "function", on_reject = "function", push_notification_config = "table",
  dry_run = "boolean",
})

-- Options that only client:run takes: it reads files, and says what a row means.
local OF_RUN = { "delimiter", "quote", "escape", "null", "skip_lines", "encoding", "header", "format", "journal",
  "mode", "state", "refresh_after", "max_removed", "remove_rejected", "exclude" }
-- Options of members that are built from rows.
local OF_MEMBERS = { "unique", "region", "repair", "ids", "phone_repairs", "on_reject" }

local function without(all, ...)
  local left = options.merge(all)
  for _, keys in ipairs { ... } do
    for _, key in ipairs(keys) do
      left[key] = nil
    end
  end
  return left
end

client_options.RUN = options.merge(JOB, {
  state = "string", full = "boolean", allow_empty = "boolean",
  exclude = { expected = "the path of a file, or a list of them", is = function(value)
    return paths.of_files(value) ~= nil
  end },
  audience = { expected = "an id, or a table with id, name and consent_basis", is = function(value)
    return options.is_id(value) or type(value) == "table"
  end },
})

---@class scope3.PrepareOptions: scope3.ReadingOptions  options of the function prepare
---@field mode? "upsert"|"remove"  of the job that takes the lines; lines to be removed have the id only
---@field exclude? string|string[]  as in scope3.RunOptions
---@field cancel? fun(): boolean?  called now and then; true stops it
---@field on_event? fun(event: scope3.Event)  called with its progress
---@field on_reject? fun(rejection: scope3.Rejection)  as in scope3.StreamOptions
---@field delimiter? string  (this and the seven below: of files only) as in scope3.RunOptions
---@field quote? string
---@field escape? "backslash"|"none"
---@field null? string
---@field skip_lines? integer
---@field encoding? string
---@field header? boolean
---@field format? "csv"|"jsonl"
client_options.PREPARE = options.merge(script_options.READING, {
  mode = { "upsert", "remove" }, exclude = client_options.RUN.exclude,
  cancel = "function", on_event = "function", on_reject = "function",
})
client_options.STREAM = without(JOB, OF_RUN)
client_options.SYNC = without(JOB, OF_RUN, OF_MEMBERS)

---@class scope3.ForgetOptions: scope3.ReadingOptions  options of client:forget
---@field wait? number  seconds to wait until the tasks of all audiences have ended; 0 asks once. Unless given none is
---  waited for
---@field timeout? number  seconds for one request (60, and 1 for each 100 kB of its body)
---@field deadline? number  seconds for listing and sending (none)
---@field patience? number  seconds to go on while the service cannot be reached, for each audience
---@field cancel? fun(): boolean?  called now and then; true stops it
---@field on_event? fun(event: scope3.Event)  called with what happens (that of the client); each has `audience_id`
---@field dry_run? boolean  only lists the audiences
---@field state? string  the file of a state: who was removed leaves it, too, where `wait` is given
client_options.FORGET = options.merge(identity.options, {
  wait = "seconds", timeout = "seconds", deadline = "seconds", patience = "seconds", cancel = "function",
  on_event = "function", dry_run = "boolean",
  state = { expected = "the path of a file", is = function(value)
    return type(value) == "string" and value ~= "" and not value:find "%z"
  end },
})

---@class scope3.DrainOptions  options of client:drain
---@field redis string  redis://user:password@host:port/db, or rediss:// for TLS
---@field redis_ca_file? string  CA certificates to trust for it instead of the system's
---@field queue string  the name of the queue
---@field once? boolean  ends when the queue is empty
---@field lease? number  seconds for which one drainer has the queue to itself (30). Each request ends within it, and
---  after a crash the next one begins within two of them
---@field every? number  seconds between two looks into a queue that was empty (5)
---@field max_members? integer  of a request (100,000)
---@field max_bytes? integer  of a request's body (8 MiB)
---@field concurrency? integer  requests under way at once, of one batch (1)
---@field timeout? number  seconds for one request (60, and 1 for each 100 kB of its body), within the lease
---@field patience? number  seconds for which an outage is outlasted within one try; with `once`, also over all tries
---@field rate? integer  requests a minute (that of the client)
---@field push_notification_config? scope3.PushNotificationConfig
---@field cancel? fun(): boolean?  called now and then; true stops it, and hands the lease over
---@field on_event? fun(event: scope3.Event)  called with what happens (that of the client)
---@field on_reject? fun(rejection: scope3.Rejection)  called for each member that the service refuses
client_options.DRAIN = {
  redis = "string", redis_ca_file = "string", queue = "string", once = "boolean", lease = "seconds", every = "seconds",
  max_members = "count", max_bytes = "count", concurrency = "count", timeout = "seconds", patience = "seconds",
  rate = "count", push_notification_config = "table", cancel = "function", on_event = "function",
  on_reject = "function",
}

-- --- reading and waiting -----------------------------------------------------------------------------------------

---@class scope3.AudiencesOptions
---@field page? integer  rows per request (100, at most 250)
client_options.AUDIENCES = { page = "count" }

---@class scope3.Limits  when a listing is to give up
---@field cancel? fun(): boolean?  called now and then; true ends it
---@field deadline? number  seconds from now
client_options.LIMITS = { cancel = "function", deadline = "seconds" }

---@class scope3.ClientWaitOptions: scope3.WaitOptions
---@field audience? string|integer  with the id of a task: the audience to wait for then
client_options.WAIT = options.merge(result.WAIT_OPTIONS, { audience = "id" })

return client_options
