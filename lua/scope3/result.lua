--- What a job comes to: counts, requests and tasks, and no personal data. `--json` prints its fields.
local arguments = require "scope3.util.arguments"
local entries = require "scope3.util.entries"
local json = require "scope3.util.json"
local options = require "scope3.util.options"
local plural = require "scope3.util.plural"

---@class scope3.ConditionCount  rows that a condition was tested on, and what became of them
---@field audience_id? string  of the only audience that it is for
---@field column string|integer
---@field operator string
---@field seen integer  rows that it was tested on
---@field skipped integer  of `seen`: rows that did not meet it
---@field absent integer  of `skipped`: rows without a value
---@field not_a_number integer  of `skipped`: rows whose value is no number, where the condition compares with one
---@field not_a_date integer  of `skipped`
---@field not_yes_or_no integer  of `skipped`
---@field other_case integer  of `skipped`: rows whose value differs only in upper and lower case

---@class scope3.MixedCount
---@field raw integer
---@field hashed integer

---@class scope3.IdentifierCount
---@field hashed_email integer
---@field hashed_phone integer
---@field uids integer

---@class scope3.Quarantined  a member that the service rejected
---@field audience_id string
---@field row? integer
---@field field? string
---@field message string

---@class scope3.DeletedAudience
---@field audience_id string
---@field name? string

---@class scope3.LineCount  total = header + rows + blank + quoted + swallowed - shared
---@field total integer
---@field header integer
---@field blank integer
---@field quoted integer  further lines of rows whose fields hold line ends
---@field swallowed integer
---@field shared integer  rows of JSON that begin in the line in which the row before ends

---@class scope3.Warning  a job that ended well and may still be wrong; further fields are numbers and column names
---@field code string  a key, as in docs/results-and-errors.md
---@field message string
---@field [string] any

---@class scope3.RowRange  rows of the source
---@field first integer
---@field last integer

---@class scope3.RequestEntry  a request of a job; its times are seconds since the job began
---@field request integer  its number
---@field state string  accepted; completed or failed, as its task ended; partly failed (`failed` members of some of
---  its audiences); unknown; split (its halves went instead); refused (it went again without the members that the
---  service rejected); or not sent
---@field members integer
---@field adds integer
---@field removes integer
---@field bytes? integer
---@field seconds? number  that it took
---@field attempts? integer
---@field task_id? string
---@field epoch integer
---@field rows? scope3.RowRange
---@field failed? integer  members whose task failed
---@field possibly_twice? boolean
---@field resumed? boolean  an earlier run of the journal had sent it
---@field sent_again? boolean
---@field delete_missing? boolean  the one that deletes what the job did not name
---@field error? string
---@field build_start? number
---@field build_end? number
---@field send_start? number
---@field send_end? number

---@class scope3.TaskEntry
---@field task_id string
---@field status string
---@field created_at? string
---@field updated_at? string
---@field error? string

---@class scope3.Result
---@field rows integer  rows read, or members given one by one
---@field skipped integer  rows left out by the script
---@field child_rows integer  of `skipped`: rows that name the row that they belong to (`__parentId`)
---@field excluded_rows integer  of `skipped`: rows whose person is excluded
---@field excluded integer  members that were left out because their person is excluded
---@field exclusions? scope3.ExclusionCounts  what the lists of `exclude` hold
---@field conditions scope3.ConditionCount[]  one per condition of `where`, in the order in which they are tested
---@field rejected table<string, integer>  rows that gave no member, by reason
---@field dropped table<string, integer>  identifiers that could not be used, by reason; their members are kept
---@field repaired table<string, integer>  identifiers that were repaired and used, by what was repaired
---@field unknown_regions table<string, integer>  names of regions for which phones were dropped as "phone_region"
---  ("(other)": no names, or too many)
---@field mixed table<string, scope3.MixedCount>  "email" and "phone", where a column held both raw values and hashes
---@field people integer  rows that gave members
---@field members integer  members built; a map with `each` makes several of a row
---@field identifiers scope3.IdentifierCount  of the members that were neither replaced nor rejected by the service
---@field prehashed integer  identifiers that came hashed already
---@field replaced integer  members replaced by one of a later row, of the same external id in the same request
---@field poorer integer  of `replaced`: members with an email, a phone or universal ids that the later one lacks
---@field deferred integer  members held back for a later epoch, because an earlier one of the same external id was on
---  its way
---@field repeats "request"|"job"  where repeats of an external id were looked for: in each request, or in the whole job
---@field epochs integer  1, and one more for each time that the job waited for all its tasks before it went on
---@field rejected_by_service integer  members set aside because the service rejected them
---@field quarantine scope3.Quarantined[]  the first thousand of them
---@field accepted integer  members that the service accepted, without those whose task is known to have failed
---@field removed integer  of `accepted`: members that were removed from their audience
---@field failed integer  members that were not accepted, or whose task failed
---@field unknown integer  members of requests that were sent and never answered
---@field possibly_twice integer  of `accepted`: members of requests that may have been carried out twice, because an
---  answer was lost
---@field resumed integer  of `accepted` and `failed`: members that an earlier run of the same journal had sent
---@field prepared? integer  members that scope3.prepare wrote
---@field would_send? integer  members that a dry run did not send
---@field would_remove? integer  of `would_send`: members that would be removed
---@field deleted? scope3.DeletedAudience[]  audiences that `delete_missing` deleted
---@field would_delete? scope3.DeletedAudience[]  audiences that it would delete: in a dry run, or in a job that stopped
---  before
---@field lines scope3.LineCount  of the text of files
---@field swallowed_lines integer  further lines inside rows that were rejected as unreadable, or that hold what looks
---  like other rows
---@field warnings scope3.Warning[]  what ended well and may still be wrong: a condition that no row met, a column that
---  no row had
---@field requests scope3.RequestEntry[]  one per request
---@field retries integer
---@field bytes_sent integer
---@field seconds number
---@field tasks scope3.TaskEntry[]
---@field audience scope3.AudienceRow  what the job named, and after a wait what the service says of it
---@field audiences scope3.AudienceRow[]  the same for every audience of the job
local Result = {}

local result = {}

---@class scope3.WaitOptions  options of result:wait
---@field timeout? number  seconds to wait (48 hours); 0 asks once
---@field patience? number  seconds to go on while the service cannot be reached (that of the job)
---@field interval? number  seconds between two polls (0.25, growing to 30 unless the service asks otherwise)
---@field cancel? fun(): boolean?  called now and then; true ends the wait
---@field on_event? fun(event: scope3.Event)  instead of the client's
---@field notified? fun(task_id: string): boolean?  whether a callback of a task has come (docs/webhooks.md): the task
---  is then polled at once
result.WAIT_OPTIONS = {
  timeout = "seconds", interval = "seconds", cancel = "function", on_event = "function", notified = "function",
  patience = "seconds",
}

--- Makes the result of a job.
---@param client table  that :wait() asks
---@param audiences {id: string, name: string?}[]
---@return scope3.Result
function result.new(client, audiences)
  local list = json.array {}
  for i, audience in ipairs(audiences) do
    list[i] = { audience_id = audience.id, name = audience.name }
  end
  -- The metatable is this result's own and holds its client and job, so that pairs() finds data only.
  return setmetatable({
    rows = 0, skipped = 0, child_rows = 0, excluded_rows = 0, excluded = 0,
    conditions = json.array {}, rejected = {}, dropped = {}, repaired = {},
    unknown_regions = {}, mixed = {}, people = 0, members = 0,
    identifiers = { hashed_email = 0, hashed_phone = 0, uids = 0 }, prehashed = 0,
    replaced = 0, poorer = 0, deferred = 0, repeats = "job", epochs = 1,
    rejected_by_service = 0, quarantine = json.array {},
    accepted = 0, removed = 0, failed = 0, unknown = 0,
    possibly_twice = 0, resumed = 0, warnings = json.array {}, swallowed_lines = 0,
    lines = { total = 0, header = 0, blank = 0, quoted = 0, swallowed = 0, shared = 0 },
    requests = json.array {}, retries = 0, bytes_sent = 0, seconds = 0, tasks = json.array {},
    audience = list[1], audiences = list,
  }, { __index = Result, __name = "scope3.result", client = client })
end

--- Joins a result to its job, which sends again while the result is waited for: where a task failed for a reason that
--- passes.
---@param self scope3.Result
---@param job scope3.Job
function result.join(self, job)
  getmetatable(self).job = job
end

--- The job of a result.
---@param self scope3.Result
---@return scope3.Job
function result.job(self)
  return getmetatable(self).job
end

local BY_REASON = { "dropped", "repaired", "unknown_regions" } -- counts in tables of their own

--- Adds the counts of a builder.
---@param self scope3.Result
---@param counts table  as builder:counts() gives them
function result.add_counts(self, counts)
  self.rows = self.rows + counts.rows
  self.skipped = self.skipped + counts.skipped
  self.child_rows = self.child_rows + counts.child_rows
  self.excluded_rows, self.excluded = self.excluded_rows + counts.excluded_rows, self.excluded + counts.excluded
  self.people, self.members = self.people + counts.used_rows, self.members + counts.members
  self.replaced = self.replaced + counts.replaced
  self.poorer = self.poorer + counts.poorer
  self.deferred = self.deferred + counts.deferred
  self.prehashed = self.prehashed + counts.prehashed
  for kind in entries(self.identifiers) do
    self.identifiers[kind] = self.identifiers[kind] + counts[kind]
  end
  for kind, n in entries(counts.mixed) do
    local sum = self.mixed[kind] or { raw = 0, hashed = 0 }
    self.mixed[kind] = { raw = sum.raw + n.raw, hashed = sum.hashed + n.hashed }
  end
  for _, field in ipairs(BY_REASON) do
    for reason, n in entries(counts[field]) do
      self[field][reason] = (self[field][reason] or 0) + n
    end
  end
  -- Reasons that a script gave are counted under their own words.
  local own = 0
  for reason, n in entries(counts.reasons) do
    self.rejected[reason] = (self.rejected[reason] or 0) + n
    own = own + n
  end
  for reason, n in entries(counts.rejected) do
    if reason == "rejected_by_script" then
      n = n - own
    end
    if n > 0 then
      self.rejected[reason] = (self.rejected[reason] or 0) + n
    end
  end
end

--- Subtracts the identifiers of members that are not sent after all.
---@param self scope3.Result
---@param emails integer
---@param phones integer
---@param uids integer
---@param prehashed integer
function result.take_off(self, emails, phones, uids, prehashed)
  local ids = self.identifiers
  ids.hashed_email, ids.hashed_phone = ids.hashed_email - emails, ids.hashed_phone - phones
  ids.uids, self.prehashed = ids.uids - uids, self.prehashed - prehashed
end

--- Warns of members that a later row replaced by one with fewer identifiers. To be called once, when all counts are
--- there.
---@param self scope3.Result
function result.warn_of_poorer(self)
  if self.poorer > 0 then
    result.warn(self, "members_poorer", ("%s replaced by a later row of the same id that has fewer identifiers: "
      .. "the last row of an id counts, and rows are not merged"):format(
      plural.of(self.poorer, "member was", "members were")),
      { members = self.poorer })
  end
end

--- Adds a warning. A job gives each warning once.
---@param self scope3.Result
---@param code string  a key for programs, such as "condition_never_met"
---@param message string  for people; names columns and rows, and never a value
---@param fields? table  further fields of the warning: numbers, names of columns
function result.warn(self, code, message, fields)
  local warning = { code = code, message = message }
  for key, value in entries(fields or {}) do
    warning[key] = value
  end
  self.warnings[#self.warnings + 1] = warning
end

--- Rows that were rejected, all reasons together.
---@param counts table<string, integer>
---@return integer
function result.total(counts)
  local sum = 0
  for _, n in entries(counts) do
    sum = sum + n
  end
  return sum
end

--- Waits until the tasks have ended and each audience has a final status (docs/contract.md section 3).
---
---     local result = assert(client:sync(audience))
---     local done, err = result:wait { timeout = 3600 }
---
---@param opts? scope3.WaitOptions
---@return scope3.Result? self  with its tasks and audiences brought up to date
---@return scope3.Error? err
function Result:wait(opts)
  arguments.self(result.is(self), "result:wait", "scope3.result", self)
  opts = options.check("result:wait", opts, result.WAIT_OPTIONS, 2)
  return getmetatable(self).client:follow(self, opts)
end

--- The fields of the result in a plain table.
---@return table
function Result:plain()
  arguments.self(result.is(self), "result:plain", "scope3.result", self)
  local plain = {}
  for key, value in entries(self) do
    plain[key] = value
  end
  return plain
end

--- The result as JSON.
---@return string
function Result:json()
  arguments.self(result.is(self), "result:json", "scope3.result", self)
  return json.pretty(self:plain())
end

--- Whether a value is a result.
---@param value any
---@return boolean
function result.is(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__index == Result
end

return result
