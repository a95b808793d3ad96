--- Mutants of the policy in lua/scope3, made by hand: changes that would cost a user members, order or patience.
---
--- Each is a text that occurs once in its file, what stands there instead, and the specs that have to fail. A mutant
--- that nobody could notice says why (`equivalent`).

---@class scope3.HandMadeMutant
---@field file string
---@field name string  what the mutant does
---@field from string  occurs once in the file
---@field to string
---@field specs string[]
---@field equivalent? string  why nothing can notice it

local LUA, SPEC = "lua/scope3/", "spec/"

-- The mutants of one file: { name, from, to, specs, equivalent }, where specs are those of the file unless given.
local function of(file, specs, list)
  local mutants = {}
  for i, one in ipairs(list) do
    local paths = {}
    for j, name in ipairs(one[4] or specs) do
      paths[j] = SPEC .. name .. "_spec.lua"
    end
    mutants[i] = { file = LUA .. file .. ".lua", name = one[1], from = one[2], to = one[3], specs = paths,
      equivalent = one.equivalent }
  end
  return mutants
end

local FILES = {
  of("job/batcher", { "job/batcher_decisions" }, {
    { "adds after removes do not end the epoch",
      "adds > 0 and (removes > 0 or before.remove)", "adds > 0 and removes > 0" },
    { "removes after adds do not end the epoch",
      "or removes > 0 and before.add", "or false" },
    { "adds and removes of one request begin no epoch",
      "(removes > 0 or before.remove)", "before.remove" },
    { "an epoch that ends forgets no ids", "      self.sealed:clear()\n", "" },
    { "an epoch that ends forgets no operations", "    self.operations = {}\n", "",
      equivalent = "They are looked at only before ids are kept, and no epoch ends without ids being kept after it." },
    { "epochs that begin wait for nothing", "if next(self.operations) then", "if false then" },
    { "unique is ignored", "return opts.unique or ", "return " },
    { "two requests at once begin no epoch",
      "return opts.unique or (opts.concurrency or 1) > 1", "return opts.unique or (opts.concurrency or 1) > 2" },
    { "one request at a time begins epochs",
      "return opts.unique or (opts.concurrency or 1) > 1", "return opts.unique or (opts.concurrency or 1) >= 1" },
    { "what is sent is not kept", "    self.sealed:seal(payload)\n", "" },
    { "a full epoch is cut and not ended", 'if full == "turn" then', 'if full == "none" then' },
    { "the last epoch is not sent", "while ok and self.next and self.next:count() > 0 do", "while false do" },
    { "removals are not noted", "self.operations.remove or removes > 0 or nil", "nil" },
    { "additions are not noted", "self.operations.add or adds > 0 or nil", "nil" },
    { "an epoch is not sent before its end",
      "  local ok, err = self:cut()\n  if ok then\n    ok, err = end_epoch(self)",
      "  local ok, err = true, nil\n  if ok then\n    ok, err = end_epoch(self)" },
  }),
  of("job/rows", { "job/batcher_decisions" }, {
    { "a slice ends at row 256 alone", "count % SLICE_ROWS == 0", "count == SLICE_ROWS" },
    { "a slice never ends", "count % SLICE_ROWS == 0", "false" },
  }),
  of("job/splitter", { "job/splitter_decisions" }, {
    { "two members are halved into two and none",
      "math.ceil(members / 2)", "math.floor(members / 2) + 1" },
    { "a half is one member", "math.ceil(members / 2)", "1" },
    { "one member is halved", "members < 2", "members < 1" },
    { "audiences are not halved in the middle", "i <= #parts / 2", "i < #parts / 2" },
    { "the second half begins with the last member of the first",
      "range(part, last + 1, part.last)", "range(part, last, part.last)" },
    { "a half forgets the end of its part", "math.ceil(members / 2), ANY, part.last)", "math.ceil(members / 2), ANY)",
      equivalent = "The first half ends after half of the living members, which lie before the end of the part." },
    { "what fits to the byte is divided", "size <= bytes", "size < bytes" },
    { "gaps leave out their last member", "last = one.first - 1", "last = one.first - 2" },
    { "gaps leave out the end", "if at <= count then", "if at < count then" },
    { "gaps are taken in the order given", "return a.first < b.first", "return a.first > b.first" },
  }),
  of("job/planner", { "job/planner_decisions" }, {
    { "two parts of an audience go in one request",
      "if #parts > 0 and parts[#parts].audience == before then", "if false then" },
    { "a request has a member too many", "members < limits.max_members", "members <= limits.max_members" },
    { "a request is never full of members", "limits.max_members - members, ", "limits.max_members, " },
    { "the bytes of an audience are not counted",
      "part.adds + part.removes, bytes + more", "part.adds + part.removes, bytes" },
    { "a member that does not fit goes all the same", "if bytes > bytes_left - overhead then", "if false then" },
    { "the frame of a request is not counted", "local parts, members, bytes = {}, 0, frame",
      "local parts, members, bytes = {}, 0, 0" },
    { "a payload of the audience is left out", "payload_index, first = payload_index + 1, 1",
      "payload_index, first = payload_index + 2, 1" },
    { "a deletion that fits to the byte does not go", "overhead > bytes_left", "overhead >= bytes_left" },
    { "a member that fits nowhere ends the plan", "not parts and misfit", "false" },
    { "payloads are not kept for repeats", "        sealed[id]:seal(last[id])\n", "" },
    { "the last audience of a request decides alone",
      "repeated = repeated or sealed[id]:meets(part.payload)", "repeated = sealed[id]:meets(part.payload)" },
    { "ids are kept over a wait", "        set:clear()\n", "        local _ = set\n" },
    { "payloads are kept over a wait", "      last = {}\n", "" },
  }),
  of("client/sync", { "job/planner_of_large_audiences" }, {
    { "payloads of one audience wait for nothing", "not work:failed() and repeats(parts)", "false" },
  }),
  of("job/rejection", { "job/rejection_decisions" }, {
    { "remembers the whole size", "req.bytes - less)", "req.bytes)" },
    { "remembers the size of the smaller half",
      "math.max(bytes_of(first), bytes_of(second))", "math.min(bytes_of(first), bytes_of(second))" },
    { "knows no smallest size", "return math.max(SMALLEST, req.bytes - less)", "return req.bytes - less" },
    { "splits what is small", "req.bytes > SMALLEST and", "req.bytes >= SMALLEST and" },
    { "splits the request that deletes", "not req.batch.delete_missing and ", "" },
    { "finds members by any status", "err.status ~= 400 and err.status ~= 422 or req.repairs.left < 1",
      "req.repairs.left < 1" },
    { "finds no members by a 422", "err.status ~= 400 and err.status ~= 422", "err.status ~= 400" },
    { "goes again for ever", " or req.repairs.left < 1 then", " then" },
    { "goes again without anybody less", "#members > 0 and { kind", "{ kind" },
    { "halves a round too early", "req.rounds > ROUNDS", "req.rounds >= ROUNDS" },
    { "sends a request of nobody", "if #parts == 0 then", "if false then" },
    { "keeps the rounds of what was halved", "    return halves, 0\n", "    return halves, req.rounds\n" },
  }),
  of("job/completion", { "job/completion_decisions" }, {
    { "a task that completed fails", 'if status == "completed" then', "if false then" },
    { "all members fail where some are named", "if named[share.id] then", "if true then" },
    { "removals that failed are not counted", "removes + share.removes", "removes" },
    { "a request fails in part where all of it failed",
      "members < work.entry.members and", "members <= work.entry.members and" },
    { "nobody fails where nobody is named",
      "#parts == 0 or #parts == #work.shares", "work.shares and #parts == #work.shares" },
    { "every reason passes", "transient = err and err.retryable", "transient = err and true" },
    { "the wait that is asked for is lost", "retry_after = err and err.retry_after", "retry_after = nil" },
  }),
  of("job/state", { "job/resume_taken_up_again" }, {
    { "requests are numbered from one again", "  self.journaled = last\n", "  self.journaled = 0\n" },
    { "rows of members that were set aside are not noted", "    table.insert(req.excluded, member.row)\n", "" },
    { "members that were set aside are not noted", "    table.insert(req.without, member.index)\n", "" },
    { "a late 413 raises the size that passes", "math.min(self.max_accepted_bytes or split.max_bytes, split.max_bytes)",
      "split.max_bytes", { "job/rejection_decisions" } },
    { "the size that passes is not remembered", "math.min(self.max_accepted_bytes or split.max_bytes, split.max_bytes)",
      "nil", { "job/rejection_decisions" } },
    { "lists fewer rejected members", "LISTED = 1000", "LISTED = 999", { "job/rejection_decisions" } },
    { "lists more rejected members", "#res.quarantine < LISTED", "#res.quarantine <= LISTED",
      { "job/rejection_decisions" } },
  }),
  of("job/in_doubt", { "job/requests_in_doubt" }, {
    { "a request is in doubt for a day less", "SECONDS = 72 * 3600", "SECONDS = 48 * 3600" },
    { "a request of the same epoch contradicts", "self.epoch >= epoch", "self.epoch > epoch",
      { "job/batcher_decisions" } },
  }),
  of("job/prune", { "job/prune_decisions" }, {
    { "counts rows that are deleted", "not row.deleted and not kept[row.audience_id]", "not kept[row.audience_id]" },
    { "deletes what is to stay", "not row.deleted and not kept[row.audience_id]", "not row.deleted" },
    { "keeps would_delete after the deletion", [[
  job:report_deletion("would_delete", nil)
  if not ok then]], "  if not ok then" },
    { "keeps would_delete where nothing was deleted",
      [[  job:report_deletion("would_delete", nil)
  return true]], "  return true" },
    { "does not say what it would delete", '  job:report_deletion("would_delete", found)\n', "" },
    { "does not say what it deleted", '  job:report_deletion("deleted", found)\n', "" },
    { "deletes what is not named", "if #others == 0 then", "if true then" },
    { "does not take all",
      'named ~= "all" and unnamed(found, named) or {}', 'unnamed(found, named == "all" and {} or named)' },
    { "deletes where no member was accepted", "elseif accepted_none(job.result) then", "elseif false then" },
    { "deletes where no row gave a member", "if cuts > 0 then", "if cuts >= 0 then" },
    { "names an id too many", "SHOWN = 20", "SHOWN = 21" },
    { "does not count the ids that it leaves out", "#others > #shown and", "#others > #shown + 1 and" },
    { "does not look again", "    _, err = prune.check(found, named)\n", "" },
    { "does not wait for the tasks", "local ok, err = job:turn(limits)", "local ok, err = true, nil" },
    { "lists the last ids first",
      "core.before(a.audience_id, b.audience_id)", "core.before(b.audience_id, a.audience_id)" },
    { "does not delete an audience that the job deletes", "delete = audience.deleted or nil", "delete = nil" },
  }),
  of("api/paging", { "api/paging_of_lists" }, {
    { "meets rows twice", "if id ~= nil and state.seen[id] then", "if false then" },
    { "goes on from what was asked for", "state.skip = state.skip + #page.rows", "state.skip = state.skip + 3" },
    { "ends only after its total", "state.skip >= page.total", "state.skip > page.total" },
    { "ends at no total", "page.total ~= nil and state.skip >= page.total or page.is_last", "page.is_last" },
    { "does not read hasMore", " or page.is_last\n", "\n" },
    { "does not end at an empty page", "#page.rows == 0 or page.total", "page.total",
      equivalent = "A page without a new row ends the list as well, with nothing asked in between." },
    { "goes on after pages without a new row", "if not state.is_new then", "if false then" },
    { "never ends", "if state.pages > PAGES_MAX then", "if false then" },
    { "ends a page early", "if state.pages > PAGES_MAX then", "if state.pages >= PAGES_MAX then" },
    { "reads rows without ids for ever", "state.is_counted and state.pages < UNNAMED_PAGES_MAX", "state.is_counted" },
    { "an error ends no list", "    state.ended = true\n    return false, err", "    return false, err" },
    { "goes on after a row that is none", "state.ended, state.rows = true, {}\n          return",
      "state.rows = {}\n          return" },
  }),
  of("http/call", { "http/calls_given_up" }, {
    { "a call that is given up while it waits was never sent",
      "(self.id ~= nil or self.uncertain) and self.request.method", "self.id ~= nil and self.request.method" },
  }),
}

local mutants = {}
for _, list in ipairs(FILES) do
  for _, mutant in ipairs(list) do
    mutants[#mutants + 1] = mutant
  end
end

return mutants
