-- The mutants of a run: those that the operators make, and those by hand.
local operators = require "spec.mutants.operators"
local shell = require "spec.mutants.shell"

local selection = {}

-- The modules that decide something about requests, members and journals.
selection.POLICY = {
  "http/retry", "http/limiter", "http/limiter_counts", "http/limiter_store", "http/sliding_window", "http/retry_after",
  "job/batcher", "job/planner", "job/splitter", "job/rejection", "job/completion", "job/resume", "job/journal",
  "job/journal_header", "job/prune", "api/response", "api/field_types", "api/preflight", "api/verdict", "api/paging",
}

local BY_HAND = { "spec.mutants.by_hand", "spec.mutants.by_hand_policy", "spec.mutants.by_hand_nights",
  "spec.mutants.by_hand_fleet" }

-- nginx runs this room on a Lua of its own, in which no lines are counted.
local LEFT_OUT = "^lua/scope3/nginx/"

-- The files that a commit has not: as a set.
local function files_since(commit)
  local found = {}
  for _, file in ipairs(shell.lines(("git diff --name-only --no-renames --diff-filter=A %s -- lua/scope3")
    :format(shell.quote(commit)))) do
    found[file] = true
  end
  assert(next(found), "no file came after " .. commit)
  return found
end

-- The lines of a file that a commit has otherwise, or not: as a set.
local function lines_since(commit, file)
  local found = {}
  for _, line in ipairs(shell.lines(("git diff -U0 %s -- %s"):format(shell.quote(commit), shell.quote(file)))) do
    local first, count = line:match "^@@ %-%S+ %+(%d+),?(%d*) @@"
    for i = 0, first and (tonumber(count) or 1) - 1 or -1 do
      found[tonumber(first) + i] = true
    end
  end
  return found
end

---@param option fun(name: string): string?  of the command
---@return string[]
function selection.files(option)
  local all = shell.lines "find lua/scope3 -name '*.lua' -printf '%s %p\\n' | sort -n | cut -d' ' -f2-"
  local pattern = option "files"
  local since = option "since" and files_since(option "since")
  local policy, list = {}, {}
  for _, name in ipairs(selection.POLICY) do
    policy["lua/scope3/" .. name .. ".lua"] = true
  end
  for _, file in ipairs(all) do
    local wanted = (not pattern or file:find(pattern) ~= nil) and (not since or since[file])
    if wanted and not file:find(LEFT_OUT) and (not option "policy" or policy[file])
      and (not option "rest" or not policy[file]) then
      list[#list + 1] = file
    end
  end
  return list
end

-- A number for a text, which looks like one by chance.
local function lot_of(text)
  local lot = 7
  for i = 1, #text do
    lot = (lot * 31 + text:byte(i)) % 4294967291
  end
  for _ = 1, 3 do
    lot = (lot * 48271 + 11) % 4294967291
  end
  return lot
end

--- Some of a list, chosen by a seed, in their order. Each mutant has a lot of its own, by its text: an edit changes
--- which mutants of the edited lines are chosen, and hardly any other.
---@param list scope3.Mutant[]
---@param count integer
---@param seed integer
---@return scope3.Mutant[]
function selection.sample(list, count, seed)
  local order, lots, met, kept = {}, {}, {}, {}
  for i, mutant in ipairs(list) do
    local text = table.concat({ seed, mutant.file, mutant.source, mutant.operator, mutant.from, mutant.to }, "\t")
    met[text] = (met[text] or 0) + 1
    order[i], lots[i] = i, lot_of(text .. "\t" .. met[text])
  end
  table.sort(order, function(a, b)
    return lots[a] < lots[b] or lots[a] == lots[b] and a < b
  end)
  for i = count + 1, #order do
    lots[order[i]] = false
  end
  for i, mutant in ipairs(list) do
    kept[#kept + 1] = lots[i] and mutant or nil
  end
  return kept
end

---@param files string[]
---@param option fun(name: string): string?
---@return scope3.Mutant[]
---@return table<string, integer> skipped  by file
function selection.by_operators(files, option)
  local list, skipped = {}, {}
  for _, file in ipairs(files) do
    local mutants
    mutants, skipped[file] = operators.mutants(file, assert(shell.read(file)))
    local changed = option "changed" and lines_since(option "changed", file)
    for _, mutant in ipairs(mutants) do
      list[#list + 1] = (not changed or changed[mutant.line]) and mutant or nil
    end
  end
  if option "sample" then
    list = selection.sample(list, tonumber(option "sample"), tonumber(option "seed" or 1))
  end
  return list, skipped
end

-- Where a text stands in another one, which must be once.
local function only_place(text, part, name)
  local first, last = text:find(part, 1, true)
  assert(first, ("the text of `%s` does not occur any more"):format(name))
  assert(not text:find(part, first + 1, true), ("the text of `%s` occurs more than once"):format(name))
  return first, last
end

local function line_at(text, place)
  return select(2, text:sub(1, place - 1):gsub("\n", "")) + 1
end

--- A mutant that somebody wrote.
---@param entry {file: string, name: string, from: string, to: string, specs: string[]?, equivalent: string?}
---@param text string  of its file
---@return scope3.Mutant
function selection.by_one_hand(entry, text)
  local first, last = only_place(text, entry.from, entry.name)
  local before = text:sub(1, first - 1):match "[^\n]*$"
  local mutant = {
    file = entry.file, line = line_at(text, first), column = #before + 1, operator = "hand", from = entry.name, to = "",
    first = first, last = last, replacement = entry.to, lines = {},
    specs = entry.specs, equivalent = entry.equivalent,
    source = text:match("[^\n]*", first - #before):match "^%s*(.-)%s*$",
  }
  for line = mutant.line, line_at(text, last) do
    mutant.lines[line] = true
  end
  return mutant
end

---@param option fun(name: string): string?
---@return scope3.Mutant[]
function selection.by_hand(option)
  local list, pattern = {}, option "files"
  for _, name in ipairs(BY_HAND) do
    if package.searchpath(name, package.path) then
      for _, entry in ipairs(require(name)) do
        if not pattern or entry.file:find(pattern) then
          list[#list + 1] = selection.by_one_hand(entry, assert(shell.read(entry.file), entry.file))
        end
      end
    end
  end
  return list
end

return selection
