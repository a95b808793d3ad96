--- The lines of an entry (core/members/lines.h): the members of several audiences. A line that begins with @ has the
--- label of the audience that the members after it are of.
local audience_label = require "scope3.api.audience_label"

local entry = {}

local LABEL_MOST = 4096 -- bytes; names are far shorter
local HEAD = 5 -- bytes of a line before what it holds
local SHORTEST = HEAD + 5 -- bytes of a line: a removal of an id of one byte
local MOST_LABELS = 1000 -- whose audiences are remembered

-- The line of a label.
local function label_line(label)
  local n = #label
  return "@" .. string.char(n % 256, math.floor(n / 256) % 256, math.floor(n / 65536) % 256, math.floor(n / 16777216))
    .. label
end

--- The lines of some members.
---@param list {audience: {id: string, name: string?, consent_basis: string?}, payload: table}[]
---@return string lines
---@return integer n  members
function entry.write(list)
  local texts, n = {}, 0
  for _, one in ipairs(list) do
    local adds, removes = one.payload:living()
    if adds + removes > 0 then
      texts[#texts + 1] = label_line(audience_label.write(one.audience))
      texts[#texts + 1] = one.payload:as_lines()
      n = n + adds + removes
    end
  end
  return table.concat(texts), n
end

---@class scope3.EntryLabels  audiences by the labels that were read last; false for one that is none
---@field private known table<string, table|false>
---@field private n integer
local Labels = {}
Labels.__index = Labels

--- What readers of one queue share: its entries have the same few labels again and again.
---@return scope3.EntryLabels
function entry.labels()
  return setmetatable({ known = {}, n = 0 }, Labels)
end

--- The audience of a label, which nobody changes; false where it is none.
---@param label string
---@return table|false
function Labels:read(label)
  local audience = self.known[label]
  if audience == nil then
    if self.n >= MOST_LABELS then
      self.known, self.n = {}, 0
    end
    audience = audience_label.read(label) or false
    self.known[label], self.n = audience, self.n + 1
  end
  return audience
end

---@class scope3.EntryReader  reads texts, a stranger's, each from front to back
---@field private text string
---@field private labels scope3.EntryLabels
---@field private at integer
---@field private audience table|false|nil  of the lines that follow; false where their label is none
---@field private line string|false|nil  that label
---@field private payload table?  of that audience, where members may go on into it
---@field private said integer
---@field bad integer  lines that are no members, or of no audience
---@field unfit integer  members that are larger than a request may be
---@field members integer
local Reader = {}
Reader.__index = Reader

---@param labels scope3.EntryLabels
---@return scope3.EntryReader
function entry.reader(labels)
  return setmetatable({ text = "", labels = labels, said = 0, at = 1, bad = 0, unfit = 0, members = 0 }, Reader)
end

--- Begins with a text.
---@param text string
---@param n integer  members that it says to have: what is missing was cut short, or is behind a wrong length
function Reader:begin(text, n)
  local most = #text / SHORTEST -- who says more is not believed
  self.said = n <= most and n or math.floor(most)
  self.text, self.at, self.bad, self.unfit, self.members = text, 1, 0, 0, 0
end

--- Leaves the payload that it reads into: what follows goes into another one.
function Reader:forget()
  self.payload = nil
end

-- Where the line that begins here has its end; nil where it is cut short.
local function end_of_line(self)
  local a, b, c, d = self.text:byte(self.at + 1, self.at + 4)
  local stop = d and self.at + HEAD - 1 + a + b * 256 + c * 65536 + d * 16777216
  return stop and stop <= #self.text and stop or nil
end

-- The audience of the label that begins here.
local function read_label(self)
  local at, stop = self.at, end_of_line(self)
  local short = stop and stop - at < LABEL_MOST
  self.audience = short and self.labels:read(self.text:sub(at + HEAD, stop)) or false
  self.line, self.payload = self.audience and self.text:sub(at, stop), nil
  self.at = (stop or #self.text) + 1
  self.bad = self.bad + (self.audience and 0 or 1)
end

-- Passes over a line of no audience.
local function pass_over(self)
  self.at, self.bad = (end_of_line(self) or #self.text) + 1, self.bad + 1
end

-- Takes the members that begin here, or those behind `line`.
---@return boolean? full  nil where that line does not begin here
local function take(self, payload, line)
  local at, members, bad, unfit, full = payload:take(self.text, self.at, line)
  if at then
    self.at, self.members = at, self.members + members
    self.bad, self.unfit = self.bad + bad, self.unfit + unfit
  end
  return full
end

-- Most texts begin with the label that the one before had last: then its payload goes on, without a look at the label.
local function go_on(self)
  if not self.payload or take(self, self.payload, self.line) == nil then
    self.audience, self.payload = nil, nil
  end
end

--- Reads on.
---@param payload_for fun(audience: {id: string, name: string?, consent_basis: string?}): table?  nil where there is no
---  room for another audience
---@return boolean whole  all of it was read; false where a payload is full
function Reader:read(payload_for)
  if self.at == 1 then
    go_on(self)
  end
  while self.at <= #self.text do
    if self.text:byte(self.at) == 64 then -- @
      read_label(self)
    elseif not self.audience then
      pass_over(self)
    else
      self.payload = payload_for(self.audience)
      if not self.payload or take(self, self.payload) then
        return false
      end
    end
  end
  self.text = "" -- which may have been a large one
  self.bad = math.max(self.bad, self.said - self.members - self.unfit)
  return true
end

return entry
