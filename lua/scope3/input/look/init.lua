--- Looks at a file of unknown form: how it is written, what its columns hold, and which map would send it. It reads the
--- first rows only, and sends nothing.
local columns = require "scope3.input.look.columns"
local contacts = require "scope3.input.look.contacts"
local dialects = require "scope3.input.look.dialects"
local opening = require "scope3.input.look.opening"
local options = require "scope3.util.options"
local proposal = require "scope3.input.look.proposal"
local trial = require "scope3.input.look.trial"

local look = {}

look.ROWS = 10000 -- that are looked at, where nobody says how many

---@class scope3.Look
---@field path string
---@field opts table  options that read the file
---@field encoding string  its name
---@field marked? boolean  a byte order mark stands at its beginning
---@field guessed_encoding? string
---@field delimiter? string  of CSV
---@field rows integer  that were looked at and could be read
---@field refused integer
---@field faults table<string, integer>
---@field broken? scope3.Error  the file is damaged, and could be read no further
---@field all boolean  these are all of the file
---@field columns scope3.LookFacts[]
---@field proposal scope3.LookProposal
---@field trial? scope3.LookTrial  of the proposal, where it has a map that could send something

-- Hides names that may be the values of a first row. What to say of it, and of what was left out.
local function notes_of(written, facts)
  local notes = options.merge(written.found.notes)
  if written.doubtful_header then
    for _, one in ipairs(facts) do
      one.hidden = true
    end
    notes[#notes + 1] = "The first line may be a row and no header, so what stands in it is not shown. --no-header "
      .. "says that it is a row."
  end
  return notes
end

-- Tries what is proposed, on the rows that were looked at.
local function try(made, found, facts)
  if not made.usable or found.rows == 0 then
    return nil
  end
  for _ = 1, 2 do
    local tried = trial.of(made, found, facts)
    local with_region = tried.members == 0 and made.near and trial.of(made, found, facts, made.near[1]) or nil
    if not proposal.judge(made, tried, with_region) then
      return tried
    end
  end
end

--- Looks at a file.
---@param path string  "-" is standard input
---@param given table  what is known: format, encoding, delimiter, quote, escape, null, skip_lines, header
---@param rows? integer
---@param stopped fun(): boolean?  whether the look is to end, with an error of the kind "cancelled"
---@return scope3.Look?
---@return scope3.Error? err
function look.at(path, given, rows, stopped)
  local file = opening.new(path, stopped)
  local written, err = dialects.find(file, given, rows or look.ROWS)
  local marked = written and file:marked() or nil
  file:close()
  if not written then
    return nil, err
  end
  local found = written.found
  local facts = columns.look(found)
  local phone, region = contacts.phones(facts)[1], contacts.region(facts)
  if phone and region then
    columns.read_phones_by(found, facts, phone, region)
  end
  local made = proposal.make(facts, found.rows, notes_of(written, facts))
  return {
    path = path, opts = options.merge(written.opts), guessed_encoding = written.guessed_encoding,
    encoding = found.encoding.name or "utf-8", marked = marked, delimiter = found.delimiter,
    rows = found.rows, refused = found.refused, faults = found.faults, broken = found.broken, all = found.ended,
    columns = facts, proposal = made, trial = try(made, found, facts),
  }
end

return look
