--- Mutants of what a night keeps of each sending, made by hand: changes that would have it take for known what is not.
--- As those of spec/mutants/by_hand_policy.lua.
local FILES = {
  ["job/sending"] = { spec = "mirror/sendings_of_nights",
    { "a repeat is hidden", "call.lost > self.lost then", "false then" },
    { "what is sent after a definite answer is another sending", "self.at, self.lost = now, call.lost",
      "self.at = now" },
    { "what goes late is not written down", "now - self.at > journal.send_within", "false" },
    { "what goes late is late again each time", "self.at, self.lost = now, call.lost", "self.lost = call.lost" },
    { "what could not be written down goes", "    return err\n", "" },
    { "what was lost is refused by what follows", "call.data ~= nil or call.lost > last.lost or nil", "nil" },
    { "what was answered without a task is refused", "call.data ~= nil or call.lost", "call.lost" },
    { "what was lost before is in doubt for ever", "call.lost > last.lost or nil", "call.lost > 0 or nil" },
  },
  ["mirror/journal"] = { spec = "mirror/journals_in_states",
    { "what may be carried out is refused", 'state == "refused" and record.uncertain', "false" },
    { "a task that failed was refused", 'STATES[record.status] or "failed"', 'STATES[record.status] or "refused"' },
    { "what was replaced is sent", "record.without or {}, record.replaced or {}", "record.without or {}" },
    { "a night that others have continued is written to", "runs[#runs].n ~= self.run", "false" },
    { "a state is kept after its night", "or self.store.over == self.run", "" },
    { "a state is given back within its night", "self.is_reopened or self.store.over == self.run", "true" },
    { "what lies between is sent", "numbers[i - 1] + 1, numbers[i] - 1", "1, 0" },
    { "each chunk refuses what another does", "older.chunks[number] == try.chunk", "true" },
    { "older operations are kept for ever", "self.older[batch], self.left[batch] = nil, nil", "" },
  },
  ["mirror/journal_of_segments"] = { file = "mirror/journal", spec = "mirror/segments",
    { "what a task did for others failed", 'return failed and "completed" or state', "return state" },
    { "all that a task did failed for nobody", "if id == try.audience then", "if false then" },
    { "a part that a request lacks is a try of it", "if last - first + 1 > #without then", "if true then" },
    { "the members of a part are those of the batch", "first = first - chunk.first + 1,", "first = first," },
  },
  ["job/records"] = { spec = "mirror/segments",
    { "members of all parts have the same numbers", "(part.offset or 0) + index", "index" },
  },
  ["job/splitter"] = { spec = "mirror/segments",
    { "a part that is divided loses its place", "    offset = part.offset,\n", "" },
  },
  ["job/night_checks"] = { spec = "mirror/segments",
    { "only the first audience is guarded", "    if err then\n      return err\n    end\n", "    return err\n" },
  },
  ["job/earlier_requests"] = { spec = "mirror/segments",
    { "a task of which others failed is completed", "return some and completed or {}", "return completed" },
    { "a task that failed for some failed for all", "and not names[audience.id] or nil", "and nil" },
  },
  ["mirror/protocol"] = { spec = "mirror/protocol_decisions",
    { "what is left out is refused", 'set[number] = "not sent"', 'set[number] = "refused"' },
  },
}

---@type scope3.HandMadeMutant[]
local mutants = {}
for file, list in pairs(FILES) do
  for _, one in ipairs(list) do
    mutants[#mutants + 1] = { file = ("lua/scope3/%s.lua"):format(list.file or file),
      name = one[1], from = one[2], to = one[3],
      specs = { ("spec/%s_spec.lua"):format(list.spec) } }
  end
end
table.sort(mutants, function(a, b)
  return a.name < b.name
end)

return mutants
