-- An export that changes from night to night, and what its rows come to: read row by row, the last of an id counts.
local audiences = require "spec.mirror.seasons.audiences"
local entries = require "scope3.util.entries"
local world = require "spec.support.world"

local Export = {}
Export.__index = Export

local export = {}

local VERSIONS = 5 -- emails that a person may have

local TIERS, CITIES = { "gold", "silver", "tin" }, { "here", "there" }

local STYLES = {
  function(email) return email end,
  function(email) return email:upper() end,
  function(email) return "  " .. email .. " " end,
}

local function email_of(n, version)
  return ("p%d.v%d@example.org"):format(n, version)
end

-- Ids with what CSV and JSON have to write in another way, and long ones.
local function id_of(n)
  local forms = { "c%04d", "c%04d", "c%04d", "c%04d", "c-%d-ü", "c %d", "c,%d", 'c"%d', "c%d" .. ("x"):rep(100) }
  return forms[n % #forms + 1]:format(n)
end

-- The SHA-256 of each text, by Python where it is there; else by the library itself.
local function hashes_of(texts)
  local from, to = world.path(".txt"), world.path(".hashes")
  world.write(from, table.concat(texts, "\n") .. "\n")
  local code = os.execute(("python3 -c 'import sys,hashlib\nfor l in sys.stdin: "
    .. "print(hashlib.sha256(l.rstrip(chr(10)).encode()).hexdigest())' <%s >%s 2>/dev/null"):format(from, to))
  local hashes, n = {}, 0
  if code == 0 or code == true then
    for line in world.read(to):gmatch "%x+" do
      n = n + 1
      hashes[texts[n]] = line
    end
  end
  for _, text in ipairs(n < #texts and texts or {}) do
    hashes[text] = require("scope3").email.hash(text)
  end
  return hashes
end

--- An export of so many people, of whom some are in it.
---@param dice table  of spec.mirror.seasons.dice
---@param count integer
---@param list table[]  audiences
function export.new(dice, count, list)
  local self = setmetatable({ dice = dice, people = {}, audiences = list }, Export)
  local emails = {}
  for n = 1, count do
    self.people[n] = { n = n, id = id_of(n), version = 1, style = 1, is = dice:happens(0.7) and "in" or "out",
      tier = dice:pick(TIERS), city = dice:pick(CITIES) }
    for version = 1, VERSIONS do
      emails[#emails + 1] = email_of(n, version)
    end
  end
  self.hashes = hashes_of(emails)
  return self
end

--- What a person's email comes to at the service.
function Export:hash(person, version)
  return self.hashes[email_of(person.n, version or person.version)]
end

-- What may become of a person overnight, and how often.
local CHANGES = {
  { 5, function(person, dice) person.version = dice:whole(1, VERSIONS) end },
  { 3, function(person) person.is = person.is == "in" and "out" or "in" end },
  { 2, function(person, dice) person.style = dice:whole(1, #STYLES) end },
  { 1, function(person) person.is = person.is == "rejected" and "in" or "rejected" end },
  { 1, function(person) person.is = person.is == "skipped" and "in" or "skipped" end },
  { 3, function(person, dice) person.tier = dice:pick(TIERS) end },
  { 2, function(person, dice) person.city = dice:pick(CITIES) end },
}

--- Another day: a share of the people changes.
---@param share number
function Export:change(share)
  for _, person in ipairs(self.people) do
    if self.dice:happens(share) then
      self.dice:weighted(CHANGES)(person, self.dice)
    end
  end
end

-- A row of a person: as they are, or as something else.
local function row_of(self, person, is, version)
  local dice = self.dice
  return { id = person.id, person = person, is = is, version = version, note = ("n%d"):format(dice:whole(1, 999)),
    mail = is == "rejected" and "nobody" or STYLES[person.style](email_of(person.n, version)),
    consent = is == "skipped" and "no" or "yes", tier = person.tier, city = person.city }
end

-- Of a row before the one that counts.
local function earlier_row(self, person, is)
  local dice = self.dice
  local row = row_of(self, person, is, dice:whole(1, VERSIONS))
  row.tier, row.city = dice:pick(TIERS), dice:pick(CITIES)
  return row
end

-- All rows in their order: some people have rows before the one that counts, some rows are of nobody.
local function rows_of(self)
  local dice, rows = self.dice, {}
  for _, person in ipairs(self.people) do
    if person.is ~= "out" then
      rows[#rows + 1] = row_of(self, person, person.is, person.version)
      if dice:happens(0.03) then
        local is = dice:pick { "in", "in", "rejected", "skipped" }
        rows[#rows + 1] = earlier_row(self, person, is)
      end
    end
  end
  if dice:happens(0.2) then
    rows[#rows + 1] = { id = "", mail = "p1.v1@example.org", consent = "yes", note = "x", tier = "gold", city = "here" }
  end
  dice:shuffle(rows)
  return rows
end

local function as_csv(rows, columns)
  local lines = { table.concat(columns, ",") }
  for i, row in ipairs(rows) do
    local cells = {}
    for k, column in ipairs(columns) do
      cells[k] = row[column]:find('[,"]') and '"' .. row[column]:gsub('"', '""') .. '"' or row[column]
    end
    lines[i + 1] = table.concat(cells, ",")
  end
  return table.concat(lines, "\n") .. "\n"
end

local function as_jsonl(rows)
  local lines = {}
  for i, row in ipairs(rows) do
    lines[i] = world.json.encode { id = row.id, mail = row.mail, consent = row.consent, note = row.note,
      tier = row.tier, city = row.city }
  end
  return table.concat(lines, "\n") .. "\n"
end

-- Writes rows to a file: its path.
local function write(self, rows, path)
  local dice, columns = self.dice, { "id", "mail", "consent", "note", "tier", "city" }
  dice:shuffle(columns)
  local is_jsonl = #rows > 0 and dice:happens(0.15)
  path = path .. (is_jsonl and ".jsonl" or ".csv")
  world.write(path, is_jsonl and as_jsonl(rows) or as_csv(rows, columns))
  if dice:happens(0.2) then
    assert(os.execute("gzip -nf " .. path))
    path = path .. ".gz"
  end
  return path
end

-- The last row of each id that any audience takes, where its consent is yes.
local function last_rows(self, rows)
  local last = {}
  for _, row in ipairs(rows) do
    for _, audience in ipairs(row.is ~= "skipped" and self.audiences or {}) do
      if audience.takes(row) then
        last[row.id] = row
      end
    end
  end
  return last
end

-- What the rows come to, by place: the person's hash, or false where the row is rejected. The text of the cells that
-- are mapped, which changes where a row is to be looked at anew. How many people each audience takes, and all.
local function read(self, rows)
  local wanted, cells, takes, people = {}, {}, {}, 0
  for id, row in entries(last_rows(self, rows)) do
    people = people + (row.person and 1 or 0)
    for i, audience in ipairs(self.audiences) do
      if row.person and audience.takes(row) then
        local place = audiences.place(audience.id, id)
        wanted[place] = row.is == "in" and self:hash(row.person, row.version) or false
        cells[place], takes[i] = row.mail, (takes[i] or 0) + 1
      end
    end
  end
  return { wanted = wanted, cells = cells, takes = takes, people = people }
end

--- Writes tonight's files: one to three, CSV or JSON Lines, gzip or not.
---@param folder string
---@return {paths: string[], wanted: table<string, string|false>, cells: table<string, string>, takes: integer[],
---  people: integer}
function Export:write(folder)
  local rows, files = rows_of(self), self.dice:pick { 1, 1, 1, 2, 3 }
  local paths, at = {}, 1
  for i = 1, files do
    local part, last = {}, i == files and #rows or math.floor(#rows * i / files)
    for k = at, last do
      part[#part + 1] = rows[k]
    end
    at = last + 1
    paths[i] = write(self, part, ("%s/export%d"):format(folder, i))
  end
  local tonight = read(self, rows)
  tonight.paths = paths
  return tonight
end

return export
