--- Proposes which column is which field of a member, says why, and what it is not sure of.
local contacts = require "scope3.input.look.contacts"
local ids = require "scope3.input.look.ids"
local names = require "scope3.input.look.names"
local options = require "scope3.util.options"
local phones = require "scope3.input.look.phones"
local plural = require "scope3.util.plural"

local proposal = {}

---@class scope3.LookField
---@field field string  as a map has it
---@field columns scope3.LookFacts[]  the column, and those to take where it gives nothing
---@field why string

---@class scope3.LookProposal
---@field fields scope3.LookField[]
---@field region? string  of phones whose row names no country
---@field near? string[]  countries of which these phones may be as well, so that there is no region; the best first
---@field ids? "hash"  where the only id is an email or a phone
---@field consent? scope3.LookFacts  a column that says who agreed, or who did not
---@field refusal? boolean  it says who did not
---@field sure_of_consent? boolean
---@field unsure string[]  sentences

local ID_LIKELY = 40 -- weight of a name that says an id
local NAME_MAX = 64 -- bytes: what is longer is no name, and may be rows that a quote swallowed

--- A column as a person calls it: its name, or its number where it has none that may be shown.
---@param facts scope3.LookFacts
---@return string
function proposal.call(facts)
  local name = facts.name
  if facts.hidden then
    return ("#%.0f"):format(facts.number)
  end
  local is_name = name and #name <= NAME_MAX and not name:find("[\r\n]")
  return is_name and name or facts.number and ("#%.0f"):format(facts.number) or name
end

local function percent(part, whole)
  local share = whole > 0 and part / whole * 100 or 0
  return ("%.0f %%"):format(share > 99 and share < 100 and 99 or share)
end
proposal.percent = percent

local LISTED = 4

local function quoted_list(list)
  local words = {}
  for i = 1, math.min(#list, LISTED) do
    words[i] = ("'%s'"):format(proposal.call(list[i]))
  end
  return table.concat(words, ", ") .. (#list > LISTED and (" or %d more"):format(#list - LISTED) or "")
end

local function add(made, field, columns, why)
  made.fields[#made.fields + 1] = { field = field, columns = columns, why = why }
end

local function doubt(made, words, ...)
  made.unsure[#made.unsure + 1] = words:format(...)
end

local function propose_id(made, facts, rows)
  local best, rivals = ids.best(facts)
  if not best then
    doubt(made, "No column tells customers apart. Each row needs an id that stays the same from file to file.")
    return
  end
  local contact = ids.is_contact(best)
  add(made, "external_id", { best }, contact and "the only column that tells rows apart"
    or best.distinct == best.filled and "differs in each row" or percent(best.distinct, best.filled) .. " different")
  if contact then
    made.ids = "hash"
    doubt(made, "There is no id but emails or phones. --ids hash sends the SHA-256 as the id; an id of your own would "
      .. "stay when the address changes.")
  end
  if #rivals > 0 then
    doubt(made, "The id may also be %s. Take the one that your other files have, too.", quoted_list(rivals))
  end
  if best.filled < rows then
    doubt(made, "%.0f of %s %s no id in '%s', and would be rejected.", rows - best.filled, plural.of(rows, "row"),
      plural.words(rows - best.filled, "has", "have"), proposal.call(best))
  end
  if best.distinct < best.filled then
    doubt(made, "%s an id in '%s'. The last row of an id counts.",
      plural.of(best.filled - best.distinct, "row repeats", "rows repeat"), proposal.call(best))
  end
end

-- Values of JSON that no id can be, also where a column is no id because of them.
local function doubt_odd_ids(made, facts)
  local id = made.fields[1] and made.fields[1].columns[1]
  for _, one in ipairs(facts) do
    if one.odd and (one == id or one.name and names.id_weight(one.name) >= ID_LIKELY) then
      doubt(made, "'%s' has values that are neither texts nor whole numbers, which cannot be ids.", proposal.call(one))
    end
  end
end

--- Notes what a trial of the proposal came to. True where it is to be tried once more, by another proposal.
---@param made scope3.LookProposal
---@param tried scope3.LookTrial
---@param with_region? scope3.LookTrial  with the likeliest of the countries that are near
---@return boolean again
function proposal.judge(made, tried, with_region)
  local contacts_as_ids = (tried.rejected.id_email or 0) + (tried.rejected.id_phone or 0)
  if contacts_as_ids > 0 and not made.ids then
    made.ids = "hash"
    doubt(made, "%s in '%s' %s, refused as such. --ids hash sends the SHA-256 as the id.",
      plural.of(contacts_as_ids, "id"), proposal.call(made.fields[1].columns[1]),
      plural.words(contacts_as_ids, "is an email or a phone", "are emails or phones"))
    return true
  elseif tried.members == 0 then
    made.usable = with_region ~= nil and with_region.members > 0
    doubt(made, made.usable and "Without a region no row that was looked at gives a member."
      or "With this map no row that was looked at gives a member.")
  end
  return false
end

local function propose_emails(made, facts)
  local list = contacts.emails(facts)
  if #list == 0 then
    return
  end
  local valid = list[1].emails + list[1].hashes
  add(made, "email", list, percent(valid, list[1].filled) .. " valid"
    .. (list[1].hashes > 0 and ", some hashed already" or ""))
  if #list > 1 then
    doubt(made, "There are %d columns of emails. The first that can be used counts, in the order of the file. "
      .. "With each (--each) all of them are sent.", #list)
  end
end

local function propose_hashes(made, facts)
  local found = contacts.hashes(facts)
  for _, field in ipairs { "hashed_email", "hashed_phone" } do
    if #found[field] > 0 then
      add(made, field, found[field], "SHA-256 in hex or base64")
    end
  end
  if #found.unclear > 0 then
    doubt(made, "%s holds hashes of emails or of phones: map it to hashed_email or hashed_phone.",
      quoted_list(found.unclear))
  end
end

local function propose_uids(made, facts)
  for _, one in ipairs(facts) do
    if one.uid_type then
      add(made, "uid:" .. one.uid_type, { one }, "named so, and has its form")
    end
  end
end

local RIVALS = 3 -- that a sentence names

-- Chooses the country of phones without a country code, and says which others' national form they may have. One for
-- all of them makes numbers that are valid and of nobody, where it is the wrong one: so none is chosen where another
-- is near, unless phones with a plus tell.
local function choose_region(made, phone)
  local region, others, rivals = phone.regions[1], {}, phones.rivals(phone.regions)
  for i = 2, math.min(#phone.regions, RIVALS + 1) do
    local one = phone.regions[i]
    others[#others + 1] = ("%s %s"):format(one.region, percent(one.share, 1))
  end
  local is_open = #rivals > 0 and not phone.region_is_told
  if is_open then
    made.near = { region.region }
    for i = 1, math.min(#rivals, RIVALS) do
      made.near[i + 1] = rivals[i].region
    end
  else
    made.region = region.region
  end
  if region.share < 0.9 or #rivals > 0 then
    doubt(made, "%s no country code. As numbers of %s %s of them are valid%s.%s",
      plural.of(phone.national, "phone has", "phones have"), region.region, percent(region.share, 1),
      #others > 0 and ", of others: " .. table.concat(others, ", ") or "",
      is_open and " So the region was left open, and they do not go. --region says which country they are of." or "")
  end
end

-- The country of phones in national form: a column of the file, and what a row without it has.
local function propose_region(made, facts, phone)
  local column, doubtful = contacts.region(facts)
  if column then
    add(made, "region", { column }, ("countries: %s"):format(table.concat(column.codes, ", ")))
  end
  if doubtful then
    doubt(made, "'%s' may be states or languages and not countries.", proposal.call(doubtful))
  end
  local region = phone.regions and phone.regions[1]
  local unread = not column and phone.national > 0 and contacts.unread_region(facts)
  if column then
    return
  elseif unread then
    -- One country for all would make valid numbers of another country, which nobody would notice.
    doubt(made, "'%s' has values that are not known as countries, so %s left out. "
      .. "Known are codes, English names, and many in six other languages; a script can translate others. "
      .. "--region reads all as of one country.",
      proposal.call(unread), plural.of(phone.national, "phone without a country code is",
      "phones without a country code are"))
  elseif region then
    choose_region(made, phone)
  elseif phone.national > 0 then
    doubt(made, "%s no country. --region says which.",
      plural.of(phone.national, "phone has no country code, and fits", "phones have no country code, and fit"))
  end
end

local function propose_phones(made, facts)
  local list = contacts.phones(facts)
  if #list == 0 then
    return
  end
  local first = list[1]
  local why = percent(first.phones, first.filled) .. " with a country code"
  if first.seen_by_row then
    why = percent(first.valid_by_row, first.seen_by_row) .. " valid, by the row's country"
    if first.valid_by_row < first.seen_by_row / 2 then
      doubt(made, "Most phones in '%s' are not valid numbers of their row's country.", proposal.call(first))
    end
  elseif first.phones == 0 then
    why = "in national form"
  end
  add(made, "phone", list, why)
  propose_region(made, facts, first)
end

local SAID = { agreed = "%s may say who agreed. No condition asks for it yet.",
  refused = "%s may say who refused. No condition asks for it yet." }

-- Says which columns may tell who agreed, and which who refused.
local function doubt_consent(made, columns)
  local lists = { agreed = {}, refused = {} }
  for _, one in ipairs(columns) do
    local list = lists[names.consent(one.name) == "refusal" and "refused" or "agreed"]
    list[#list + 1] = one
  end
  for _, what in ipairs { "agreed", "refused" } do
    if #lists[what] > 0 then
      doubt(made, SAID[what], quoted_list(lists[what]))
    end
  end
end

local function propose_consent(made, facts)
  local clear, others = {}, {}
  for _, one in ipairs(facts) do
    local said = one.name and names.consent(one.name)
    local is_answer = one.yes + one.no >= 0.99 * one.filled and one.filled > 0
    if said == "clear" and is_answer then
      clear[#clear + 1] = one
    elseif said then
      others[#others + 1] = one
    end
  end
  made.consent = clear[1] or others[1]
  made.refusal = made.consent and names.consent(made.consent.name) == "refusal" or nil
  made.sure_of_consent = #clear == 1 and #others == 0
  if #clear == 0 and #others > 0 then
    doubt_consent(made, others)
  elseif #clear + #others > 1 then
    table.remove(clear, 1)
    for _, one in ipairs(others) do
      clear[#clear + 1] = one
    end
    doubt(made, "Besides '%s' these may say who agreed or refused: %s.", proposal.call(made.consent),
      quoted_list(clear))
  end
end

--- Proposes a map.
---@param facts scope3.LookFacts[]
---@param rows integer
---@param notes string[]  what is not sure of how the file is read
---@return scope3.LookProposal
function proposal.make(facts, rows, notes)
  local made = { fields = {}, unsure = options.merge(notes) }
  if rows == 0 then
    doubt(made, "There is no row to read, so nothing says what the columns hold.")
    return made
  end
  propose_id(made, facts, rows)
  doubt_odd_ids(made, facts)
  propose_emails(made, facts)
  propose_phones(made, facts)
  propose_hashes(made, facts)
  propose_uids(made, facts)
  propose_consent(made, facts)
  if #made.fields <= (made.fields[1] and made.fields[1].field == "external_id" and 1 or 0) then
    doubt(made, "No column of emails, phones, hashes or universal ids was found.")
  else
    made.usable = made.fields[1].field == "external_id"
  end
  return made
end

return proposal
