--- What the recipes of docs/recipes.md need: a folder with the page's files and 3,000 customers, and other people's
--- programs, which may not be there.
local pages = require "spec.support.pages"
local runner = require "spec.support.blocks"
local quote = require "spec.support.quote"
local world = require "spec.support.world"

local recipes = { PAGE = "docs/recipes.md", ROWS = 3000 }

-- Of 40 customers one has not consented.
local EVERY = 40

local function line_of(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

--- The number of customers that consented.
recipes.CONSENTED = recipes.ROWS - math.floor(recipes.ROWS / EVERY)

--- The id of a customer.
---@param i integer
---@return string
function recipes.id(i)
  return ("P%05d"):format(i)
end

--- Whether a customer consented.
---@param i integer
---@return boolean
function recipes.consented(i)
  return i % EVERY ~= 0
end

--- The customers, as CSV.
---@param from? integer
---@param to? integer
---@return string
function recipes.people(from, to)
  local rows = { "id,email,phone,country,consent\n" }
  for i = from or 1, to or recipes.ROWS do
    rows[#rows + 1] = ("%s,person%d@example.com,+44 20 7946 %04d,GB,%s\n"):format(recipes.id(i), i, i % 1000,
      recipes.consented(i) and "yes" or "no")
  end
  return table.concat(rows)
end

--- Whether a program can be run.
---@param program string
---@return boolean
function recipes.has(program)
  local ok = os.execute(("unset LD_PRELOAD; PATH=$PATH:/usr/sbin command -v %s >/dev/null 2>&1"):format(program))
  return ok == true or ok == 0
end

--- The folder of PostgreSQL's server programs, or nil.
---@return string?
function recipes.postgresql()
  return line_of "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1"
end

--- The folder in which DuckDB's library for Node is installed, or nil.
---@return string?
function recipes.duckdb_library()
  local folder = line_of "pwd" .. "/build/bench"
  return recipes.has "node" and world.exists(folder .. "/node_modules/@duckdb/node-api/package.json") and folder or nil
end

local Kitchen = {}
Kitchen.__index = Kitchen

--- A folder with the page's files and people.csv.
---@param url string  of the service
function recipes.new(url)
  local self = setmetatable({ folder = runner.folder(), url = url, environment = "unset LD_PRELOAD;" }, Kitchen)
  for _, block in ipairs(pages.blocks(recipes.PAGE, world.read(recipes.PAGE))) do
    if block.file then
      self:write(block.file, block.text)
    end
  end
  self:write("people.csv", recipes.people())
  return self
end

function Kitchen:write(name, text)
  world.write(self.folder .. "/" .. name, text)
end

--- A program that stands in front of all others of that name.
function Kitchen:program(name, text)
  self:write("bin/" .. name, "#!/bin/sh\n" .. text)
  assert(os.execute(("chmod 755 %s/bin/%s"):format(self.folder, name)))
end

function Kitchen:read(name)
  return world.read(self.folder .. "/" .. name)
end

function Kitchen:exists(name)
  return world.exists(self.folder .. "/" .. name)
end

--- Runs lines of the shell there: exit code, and what they printed.
function Kitchen:sh(lines)
  self:write("block.sh", lines)
  return runner.run(self.folder, "sh block.sh", self.url, self.environment)
end

--- Runs the blocks of a section of the page in turn, with what they print.
function Kitchen:cook(heading)
  for _, block in ipairs(pages.blocks(recipes.PAGE, pages.section(world.read(recipes.PAGE), "## " .. heading))) do
    assert(block.language == "sh" or block.file or block.not_run or block.language == "text", heading)
    if block.language == "sh" and not block.file and not block.not_run then
      local code, printed = self:sh("set -e\n" .. block.text)
      assert(code == 0, printed)
      assert(not block.prints or runner.matches(printed, block.prints), printed)
    end
  end
end

--- The names of the files there that a pattern of the shell finds.
function Kitchen:files(pattern)
  local _, printed = self:sh("ls -d " .. pattern .. " 2>/dev/null")
  return printed
end

--- A server of PostgreSQL that listens on a socket in this folder only, as a user without rights; the customers are in
--- its table. The programs that run here talk to it.
function Kitchen:serve_postgresql(bin)
  local data = self.folder .. "/pg"
  local as = line_of "id -u" == "0" and "setpriv --reuid=nobody --regid=nogroup --clear-groups" or ""
  local code, printed = self:sh(([[set -e
    mkdir -m 777 %s
    chmod 755 .
    cd %s
    %s %s/initdb -A trust -N -U crm -D data >/dev/null
    %s %s/pg_ctl -w -D data -l log -o "-k %s -c listen_addresses=''" start >/dev/null]]):format(data, data, as, bin, as,
    bin, data))
  self.stop = ("cd %s && %s %s/pg_ctl -m immediate -D data stop >/dev/null"):format(data, as, bin)
  assert(code == 0, printed)
  self.environment = self.environment .. (" export PGHOST=%s PGUSER=crm PGDATABASE=postgres;"):format(data)
  code, printed = self:sh("set -e\npsql -X -q -c 'create table customers (id text, email text, phone text, "
    .. "country text, consent boolean)'\npsql -X -q -c '\\copy customers from people.csv csv header'")
  assert(code == 0, printed)
end

--- Takes away what was made here.
function Kitchen:close()
  if self.stop then
    self:sh(self.stop)
  end
  os.execute("rm -rf " .. quote(self.folder))
end

return recipes
