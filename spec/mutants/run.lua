-- Mutation testing: changes one thing of lua/scope3 at a time, and runs the specs that pass there. What no spec notices
-- is a survivor. Ends with 1 where there are survivors that spec/mutants/equivalent.tsv does not explain.
--
--   lua5.4 spec/mutants/run.lua [OPTIONS]        from the root of the tree, after make
--
--   --policy            the modules that decide, such as retry, limiter and batcher: spec/mutants/selection.lua
--   --rest              all others
--   --files PATTERN     files whose path has this pattern of Lua
--   --since COMMIT      files that came after it
--   --changed COMMIT    lines that it has otherwise, or not
--   --only TEXT         mutants whose name has this text
--   --sample N          so many of them, chosen by --seed S (1)
--   --by-hand           the mutants that were written by hand, of C too, in place of those of the operators
--   --cap SECONDS       that the specs of a mutant may usually take together (90)
--   --jobs N            processes
--   --list              prints the mutants and their specs, and runs nothing
--   --again             runs also what has a result
local coverage = require "spec.mutants.coverage"
local equivalent = require "spec.mutants.equivalent"
local killers = require "spec.mutants.killers"
local operators = require "spec.mutants.operators"
local report = require "spec.mutants.report"
local results = require "spec.mutants.results"
local selection = require "spec.mutants.selection"
local shell = require "spec.mutants.shell"
local stand = require "spec.mutants.stand"
local trial = require "spec.mutants.trial"

local FOLDER = "build/mutants"
local LUA = "5.4"
local FLAGS = { policy = true, rest = true, list = true, again = true, ["by-hand"] = true }
local VALUES = { files = true, since = true, changed = true, only = true, sample = true, seed = true, cap = true,
  jobs = true, part = true }

local options = {}

local function read_options()
  local i = 1
  while arg[i] do
    local name = arg[i]:match "^%-%-(.+)$"
    if name and VALUES[name] and arg[i + 1] then
      options[name], i = arg[i + 1], i + 2
    elseif name and FLAGS[name] then
      options[name], i = "yes", i + 1
    else
      error(("the option %s is not known: see the head of spec/mutants/run.lua"):format(arg[i]), 0)
    end
  end
end

local function option(name)
  return options[name]
end

local function cap()
  return tonumber(option "cap" or 90)
end

local texts = {}

local function text_of(file)
  texts[file] = texts[file] or assert(shell.read(file), file)
  return texts[file]
end

-- The mutants of this run; how many were left out, by file; the files that they are of.
local function select_mutants()
  local list, skipped
  if option "by-hand" then
    list, skipped = selection.by_hand(option), {}
  else
    list, skipped = selection.by_operators(selection.files(option), option)
  end
  local kept, only = {}, option "only"
  for _, mutant in ipairs(list) do
    if not only or operators.name(mutant):find(only, 1, true) then
      kept[#kept + 1] = mutant
    end
  end
  return kept, skipped
end

-- The tree in which specs run, made when it is needed.
local function lazy_stand()
  local made
  return function()
    local process = shell.lines("echo $PPID")[1]
    made = made or stand.new(("%s/stand-%s"):format(FOLDER, process), LUA)
    return made
  end, function()
    if made then
      made:remove()
    end
  end
end

local function put(tree, mutant)
  tree:change(mutant.file, operators.apply(text_of(mutant.file), mutant))
  assert(not mutant.file:find "^csrc/" or tree:build(), "C does not compile: " .. operators.name(mutant))
end

local function try(tree, mutant, list)
  put(tree, mutant)
  local result = trial.of(tree, list, cap())
  tree:restore()
  return result
end

local function tell_survivor(mutant)
  local cells = { mutant.file, mutant.line, mutant.operator, mutant.from, mutant.to, mutant.source }
  shell.write(FOLDER .. "/survivors.tsv", table.concat(cells, "\t") .. "\n", "ab")
end

-- What becomes of one mutant.
local function judge(world, mutant, number)
  local name = operators.name(mutant)
  if mutant.equivalent or world.equivalent:reason(mutant) then
    return name, "equivalent"
  end
  local sum = results.sum(text_of(mutant.file))
  local list, changed = killers.of(mutant, world.coverage, world.simulation, world.results.kills[mutant.file])
  local result = not option "again" and world.results:holding(name, sum, changed, cap()) or nil
  if not result then
    result = try(world.stand(), mutant, list)
    world.results:add(name, sum, result)
    print(("%d %-8s %5.1f s  %s  %s"):format(number, result.status, result.seconds, name, result.killer))
    if result.status ~= "killed" then
      tell_survivor(mutant)
    end
  end
  return name, result.status
end

local function print_list(world, mutants)
  for _, mutant in ipairs(mutants) do
    local names = {}
    for i, killer in ipairs(killers.of(mutant, world.coverage, world.simulation)) do
      names[i] = killer.name
    end
    print(operators.name(mutant) .. "\t" .. table.concat(names, " "))
  end
end

-- Each process takes its share, and then what they found is read once more.
local function run_jobs(count)
  local words, commands = {}, {}
  for i, word in ipairs(arg) do
    words[i] = shell.quote(word)
  end
  for i = 1, count do
    commands[i] = ("%s %s %s --part %d/%d &"):format(arg[-1], arg[0], table.concat(words, " "), i, count)
  end
  shell.run(table.concat(commands, "\n") .. "\nwait")
end

local function is_of_part(number)
  local part, count = (option "part" or "1/1"):match "^(%d+)/(%d+)$"
  return number % tonumber(count) == tonumber(part) % tonumber(count)
end

local function complain_of_unmet(list, mutants)
  local files = {}
  for _, mutant in ipairs(mutants) do
    files[mutant.file] = true
  end
  local unmet = list:unmet(files)
  for _, entry in ipairs(unmet) do
    print(("equivalent.tsv: no mutant of %s is `%s` -> `%s` in: %s"):format(entry.file, entry.from, entry.to,
      entry.source))
  end
  return #unmet
end

local function main()
  read_options()
  io.stdout:setvbuf "line"
  shell.run("mkdir -p " .. FOLDER)
  local mutants, skipped = select_mutants()
  assert(#mutants > 0, "these options choose no mutant")
  local get_stand, remove_stand = lazy_stand()
  local world = {
    stand = get_stand, equivalent = equivalent.read "spec/mutants/equivalent.tsv",
    coverage = coverage.of(get_stand, FOLDER .. "/lines", print),
  }
  if option "list" then
    return print_list(world, mutants)
  elseif option "jobs" and not option "part" then
    run_jobs(tonumber(option "jobs"))
  end
  world.results = results.read(FOLDER .. "/results.tsv")
  world.simulation = killers.simulation(get_stand())
  local ends = {}
  for number, mutant in ipairs(mutants) do
    if is_of_part(number) then
      local name, status = judge(world, mutant, number)
      ends[#ends + 1] = { mutant = mutant, name = name, status = status }
    end
  end
  remove_stand()
  if not option "part" then
    local live = report.print(ends, skipped, text_of)
    -- A sample does not meet every entry.
    local is_whole = not (option "sample" or option "only" or option "by-hand")
    local unmet = is_whole and complain_of_unmet(world.equivalent, mutants) or 0
    os.exit(live + unmet == 0)
  end
end

main()
