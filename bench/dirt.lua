-- What dirt costs: the same made-up rows clean, and with one kind of dirt each, in turn and several times.
--   lua5.4 bench/dirt.lua ROWS RUNS FOLDER     (make bench-dirt)
-- FOLDER has `measure` (bench/measure.c). It prints ratios of CPU to the clean rows, start-up taken off: of each run
-- the quotient, of these the median. Both halves of a quotient are measured one after the other.
local rows, runs, folder = tonumber(arg[1]) or 300000, tonumber(arg[2]) or 7, arg[3] or "build/bench"
local FALLBACKS = 16

local function shell(command)
  assert(os.execute(command), command)
end

local function quoted(text)
  return '"' .. text .. '"'
end

local function same(row)
  return row
end

local PHONES = {
  "Tel.: %s", "%s ext. 123", "%s x123", "Mobile %s", "\"%s, extension 42\"", "Office: %s #7",
  "Tel. (private): %s ext 12", "\"%s, Extension: 4711\"", "call me on %s", "%s-Anna",
}
-- Every a and e in other scripts.
local LETTERS = {
  { a = "ä", A = "Ä", e = "é" }, { a = "а", A = "А", e = "Е" }, { a = "あ", A = "あ", e = "え" }, { a = "å" },
}
local FAILING = {
  "n/a", "none", "Unknown", "NULL", "-", "not provided", "anna.smith", "noemail@example.com",
  "#N/A", "undefined", "@example.com", "anna.smith@", "not available", "0", "(blank)", "anna.smith at example.com",
}

-- What each kind of dirt makes of a row of an id, an email, a phone, a country.
local KINDS = {
  { name = "clean", soil = same },
  { name = "quoted fields", asked = 1.3, soil = function(row)
    return { quoted(row[1]), quoted(row[2]), quoted(row[3]), quoted(row[4]) }
  end },
  { name = "doubled quotes in emails", asked = 2, soil = function(row)
    return { row[1], quoted('""' .. row[2] .. '""'), row[3], row[4] }
  end },
  { name = "emails that are not ASCII", asked = 3, soil = function(row, i)
    return { row[1], (row[2]:gsub("[aAe]", LETTERS[i % #LETTERS + 1])), row[3], row[4] }
  end },
  { name = "phones with words, extensions", asked = 3, soil = function(row, i)
    return { row[1], row[2], PHONES[i % #PHONES + 1]:format(row[3]), row[4] }
  end },
  { name = "16 fallbacks, all before fail", asked = 5, fallbacks = FALLBACKS, soil = function(row, i)
    local dirty = { row[1], FAILING[i % #FAILING + 1], row[3], row[4] }
    for n = 1, FALLBACKS - 1 do
      dirty[#dirty + 1] = FAILING[(i + n) % #FAILING + 1]
    end
    dirty[#dirty + 1] = row[2]
    return dirty
  end },
}

-- A generator of our own, because math.random differs between Lua versions. 2^31 - 1 and 48271: exact in doubles.
local state = 20261129
local function below(n)
  state = state * 48271 % 2147483647
  return state % n
end

local COUNTRIES = {
  { "United States", "(206) 555-0%03d" }, { "Germany", "030 23%06d" }, { "France", "01 42 98 %04d" },
  { "United Kingdom", "+44 7911 12%04d" }, { "Spain", "612 34 %04d" }, { "Australia", "0412 34 %04d" },
}
local FIRST = { "Anna", "carla", "David", "elena", "Farid", "grace", "Jonas", "nadia", "Omar", "petra" }
local LAST = { "Smith", "garcia", "rossi", "Yamamoto", "kowalski", "silva", "Andersson", "Khan", "novak", "Larsen" }

local function new_row(i)
  local country = COUNTRIES[below(#COUNTRIES) + 1]
  local digits = below(1000)
  return {
    ("%08X%04X"):format(i, below(65536)),
    ("%s.%s%d@mail.example.com"):format(FIRST[below(#FIRST) + 1], LAST[below(#LAST) + 1], i),
    country[2]:format(digits), country[1],
  }
end

local function header(kind)
  local names = { "id", "email", "phone", "country" }
  for n = 1, kind.fallbacks or 0 do
    names[#names + 1] = "email" .. n
  end
  return table.concat(names, ",") .. "\n"
end

-- Writes the rows of every kind, and of each a file of one row.
local function write_files()
  for n, kind in ipairs(KINDS) do
    kind.path, kind.one_path = ("%s/dirt%d.csv"):format(folder, n), ("%s/dirt%d-one.csv"):format(folder, n)
    kind.file = assert(io.open(kind.path, "w"))
    kind.file:write(header(kind))
  end
  for i = 1, rows do
    local row = new_row(i)
    for _, kind in ipairs(KINDS) do
      kind.file:write(table.concat(kind.soil(row, i), ","), "\n")
    end
  end
  for _, kind in ipairs(KINDS) do
    assert(kind.file:close())
    shell(("head -n 2 %s >%s"):format(kind.path, kind.one_path))
  end
end

local function command(kind, path)
  local words = {
    "bin/scope3 sync", path, "--account 25 --audience crm --dry-run --quiet",
    "--map external_id=id --map phone=phone --map region=country --map email=email",
  }
  for n = 1, kind.fallbacks or 0 do
    words[#words + 1] = ("--map email=email%d"):format(n)
  end
  return table.concat(words, " ")
end

local function seconds_of(line)
  local out = folder .. "/dirt.out"
  shell(("%s/measure %s %s >/dev/null"):format(folder, out, line))
  local file = assert(io.open(out))
  local user, system, _, status = file:read("n", "n", "n", "n")
  file:close()
  assert(status == 0, line .. " failed")
  return user + system
end

local function spent(kind)
  return seconds_of(command(kind, kind.path)) - seconds_of(command(kind, kind.one_path))
end

local function median(list)
  table.sort(list)
  return list[math.floor((#list + 1) / 2)]
end

write_files()
for _, kind in ipairs(KINDS) do
  kind.ratios, kind.seconds = {}, {}
end
for _ = 1, runs do
  for _, kind in ipairs(KINDS) do
    local dirty, clean = spent(kind), spent(KINDS[1])
    table.insert(kind.ratios, dirty / clean)
    table.insert(kind.seconds, dirty)
  end
end

print(("%d rows, medians of %d runs"):format(rows, runs))
print(("%-32s %10s %8s %8s"):format("", "ns a row", "ratio", "asked"))
for _, kind in ipairs(KINDS) do
  print(("%-32s %10.0f %7.2fx %8s"):format(kind.name, median(kind.seconds) / rows * 1e9, median(kind.ratios),
    kind.asked and ("%.1fx"):format(kind.asked) or "-"))
end
