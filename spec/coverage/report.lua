-- Says what no spec ran: lua5.4 spec/coverage/report.lua [-v]. With -v each line too.
-- It adds up all of build/coverage/*.ran. It fails where less ran than AIMS has, and where something did not that
-- spec/coverage/left.tsv has no reason for. What ran in another version of a file is not counted.
local active_lines = require "spec.coverage.active_lines"
local files = require "spec.coverage.files"
local left = require "spec.coverage.left"

-- Hundredths of what is counted.
local AIMS = {
  { what = "lines of csrc", folder = "csrc/", kind = "lines", least = 95 },
  { what = "branches of csrc", folder = "csrc/", kind = "branches", least = 90 },
  { what = "lines of lua/scope3", folder = "lua/", kind = "lines", least = 97 },
}

local ran = {} -- path -> { lines = { number -> times }, branches = { number -> { index -> times } } }

local function of(path)
  ran[path] = ran[path] or { lines = {}, branches = {} }
  return ran[path]
end

local function add(list, at, times)
  list[at] = (list[at] or 0) + times
end

local read = {}

function read.lua(path, line)
  local lines = of(path).lines
  lines[line] = lines[line] and lines[line] + 1
end

function read.line(path, line, times)
  add(of(path).lines, line, times)
end

function read.branch(path, line, index, times)
  local branches = of(path).branches
  branches[line] = branches[line] or {}
  add(branches[line], index, times)
end

local function read_room(name, checksums)
  local stale, known = {}, {}
  for entry in io.lines(name) do
    local kind, path, a, b, c = entry:match "^(%S+)\t(%S+)\t(%S+)\t?(%d*)\t?(%d*)$"
    if kind == "source" then
      known[path] = a
    end
    if kind == "source" or checksums[path] ~= known[path] then
      stale[path] = checksums[path] ~= known[path] or nil
    else
      read[kind](path, tonumber(a), tonumber(b), tonumber(c))
    end
  end
  local changed = 0
  for _ in pairs(stale) do
    changed = changed + 1
  end
  return changed
end

-- What did not run and what did, of one file.
local function tally(path, entries)
  local sums = { path = path, lines = { all = 0, ran = 0, left = 0 }, branches = { all = 0, ran = 0, left = 0 } }
  sums.missed = {}
  local function count(kind, line, times)
    local sum, entry = sums[kind], entries[path] and entries[path][line]
    sum.all = sum.all + 1
    if times > 0 then
      sum.ran = sum.ran + 1
    elseif entry then
      entry.used = true
      sum.left = sum.left + 1
    else
      sums.missed[line] = sums.missed[line] or kind
    end
  end
  for line, times in pairs(ran[path].lines) do
    count("lines", line, times)
    local branches = ran[path].branches[line] or {}
    for _, taken in pairs(branches) do
      count("branches", line, times == 0 and 0 or taken)
    end
  end
  return sums
end

local function percent(sum)
  return sum.all == 0 and 100 or 100 * sum.ran / sum.all
end

local function missed(sum)
  return sum.all - sum.ran - sum.left
end

local function print_file(sums, verbose)
  print(("%5d %5d %6.1f %% %6.1f %%  %s"):format(missed(sums.lines), missed(sums.branches), percent(sums.lines),
    percent(sums.branches), sums.path))
  if not verbose then
    return
  end
  local at = 0
  for text in (files.read(sums.path) .. "\n"):gmatch "(.-)\n" do
    at = at + 1
    if sums.missed[at] then
      print(("      %s %4d  %s"):format(sums.missed[at] == "lines" and "-" or "?", at, text))
    end
  end
end

local function print_files(all, verbose)
  print "missed lines and branches, hundredths that ran"
  for _, sums in ipairs(all) do
    if missed(sums.lines) + missed(sums.branches) > 0 then
      print_file(sums, verbose)
    end
  end
end

-- Whether an aim is reached, and what is left has its reasons.
local function reaches(aim, all)
  local sum = { all = 0, ran = 0, left = 0 }
  for _, sums in ipairs(all) do
    if sums.path:sub(1, #aim.folder) == aim.folder then
      for key, n in pairs(sums[aim.kind]) do
        sum[key] = sum[key] + n
      end
    end
  end
  print(("%-20s %6d counted, %6d ran: %.2f %% (aim %d %%), %d left with a reason, %d without one"):format(aim.what,
    sum.all, sum.ran, percent(sum), aim.least, sum.left, missed(sum)))
  return percent(sum) >= aim.least and missed(sum) == 0
end

local function main()
  local fine, checksums, all = true, files.checksums(), {}
  for path, lines in pairs(active_lines.of(files.lua())) do
    for line in pairs(lines) do
      of(path).lines[line] = 0
    end
  end
  for _, name in ipairs(files.lines_of "ls build/coverage/*.ran") do
    local changed = read_room(name, checksums)
    if changed > 0 then
      print(("%s: %d files have changed since, run that room again"):format(name, changed))
    end
  end
  local entries, problems = left.read "spec/coverage/left.tsv"
  for path in pairs(ran) do
    all[#all + 1] = tally(path, entries)
  end
  table.sort(all, function(a, b)
    local more, less = missed(a.lines) + missed(a.branches), missed(b.lines) + missed(b.branches)
    return more > less or more == less and a.path < b.path
  end)
  print_files(all, arg[1] == "-v")
  for _, list in ipairs { problems, left.idle(entries) } do
    for _, problem in ipairs(list) do
      fine = false
      print(problem)
    end
  end
  for _, aim in ipairs(AIMS) do
    fine = reaches(aim, all) and fine
  end
  if not fine and arg[1] ~= "-v" then
    print "lua5.4 spec/coverage/report.lua -v shows the lines"
  end
  os.exit(fine and 0 or 1)
end

main()
