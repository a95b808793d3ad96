--- Which words of a sentence may be shown: words of a language, names of fields and numbers that count something.
local lower = require("scope3.core").lower

local words = {}

local function set_of(text)
  local set = {}
  for word in text:gmatch("[^%s]+") do
    set[word] = true
  end
  return set
end

-- Names of fields that may be shown: docs/contract.md sections 2 and 3.
local FIELDS = set_of [[
  external_id externalId hashed_email hashedEmail hashed_phone hashedPhone audience_id audienceId consent_basis
  consentBasis delete_missing deleteMissing task_id taskId operation_id operationId match_rate matched_count
  matchedCount uploaded_count uploadedCount too_small push_notification_config pushNotificationConfig maid rampid
  id5 pairid uid2 euid rampid_derived UTF-8 SHA-256 sha256 E.164 e164
]]

-- Words that a number counts, and words before a number that counts or names a place.
local AFTER_NUMBER = set_of [[
  of out more other member members row rows record records identifier identifiers audience audiences request
  requests second seconds minute minutes hour hours day days percent customer customers user users uid uids id ids
  email emails phone phones hash hashes byte bytes match matches item items entry entries problem problems error
  errors times duplicate duplicates character characters
]]
local BEFORE_NUMBER = set_of [[
  of least most than over under limit minimum maximum line Line row Row column after within first only exceeds HTTP
]]

-- Words that announce a name before a colon, an equals sign or a hash mark: each is a whole pattern.
local NAMING = "^[Mm]embers?$|^[Cc]ustomers?$|^[Uu]sers?$|^[Cc]ontacts?$|^[Uu]ids?$|^[Ii]ds?$|^ID$|^[Vv]alues?$"
  .. "|^[Rr]ecords?$|^external_?[Ii]d$"

-- Words that a person's name may follow, and words of the language that follow them too. Any other is taken for a name.
local BEFORE_NAME = set_of "member customer contact uid externalid external_id"
local NO_NAMES = set_of [[
  is was were are has had have could can cannot can't must may might should would will not did does do isn't
  wasn't hasn't count counts list lists id ids with in of and or that who which to for from at by on as if without
  failed missing matched rejected ignored skipped invalid refused data record records field fields could needs
  need lacks lack already also only still no more be been than because but service unknown exists twice hash
  hashes email emails phone phones uid uids value values match matching consent account support
]]

-- Words that a path of an issue consists of, with numbers (docs/contract.md section 2). Others may be values.
local PATH_WORDS = set_of [[
  audiences audienceId name add remove delete consentBasis deleteMissing externalId hashedEmail hashedPhone uids
  type value pushNotificationConfig url operation_id token authentication schemes credentials resourceType
  resourceId adcpAgentIds enabled body data
]]

-- The letters that a word ends with.
local function last_name(word)
  local from = #word + 1
  while from > 1 and word:find("^[A-Za-z_]", from - 1) do
    from = from - 1
  end
  return word:sub(from)
end

local function is_number(word)
  return word:find("^[0-9][0-9,.]*$") ~= nil
end

-- Whether a text is a single word of a language: also O'Brien's and co-operation's form.
local function is_language(word)
  return word:find("^[A-Za-z\128-\255]+$") ~= nil or word:find("^[A-Za-z]+'[a-z]+$") ~= nil
    or word:find("^[a-z]+%-[a-z]+$") ~= nil
end

-- Whether a text is a mark, a name of a field, a constant such as TOO_SMALL, or a percentage.
local function is_technical(word)
  return word == "" or word == "-" or word == "|" or FIELDS[word] or word:find("^[A-Z][A-Z_]+$") and #word > 3
    or word:find("^[0-9.,]+%%$") ~= nil
end

-- Whether a status begins a text: "502 Bad Gateway".
local function is_http_status(word, before, after)
  return before == "" and after ~= "" and word:find("^[45][0-9][0-9]$") ~= nil
end

--- A word without the punctuation round it.
---@param word string?
---@return string
function words.bare(word)
  word = (word or ""):match("^[(%[{<]*(.*)$")
  return word:match("^.*[^)%]}>.,;:!?]") or ""
end

--- Whether a word may be shown, between its neighbours.
---@param word string  these three as words.bare() gives them
---@param before string
---@param after string
---@return boolean
function words.is_harmless(word, before, after)
  if is_technical(word) or is_http_status(word, before, after) then
    return true
  elseif is_number(word) then
    return AFTER_NUMBER[lower(after)] or BEFORE_NUMBER[before] or false
  end
  return is_language(word)
end

--- Whether a word is a name of a field, which may be shown after words.announces_name().
---@param word string
---@return boolean
function words.is_field(word)
  return FIELDS[word] ~= nil
end

--- Whether a word after "member" and the like is a person's name: "member anna", but not "member was".
---@param word string  as words.bare() gives it
---@param before string  the word before it, with its punctuation
---@return boolean
function words.is_name(word, before)
  return BEFORE_NAME[lower(last_name(before))] ~= nil and not NO_NAMES[lower(word)]
end

--- Whether a name follows a word: "customer:", "id=", "uid#".
---@param word string  with its punctuation
---@return boolean
function words.announces_name(word)
  if not word:find("[:=#]$") then
    return false
  end
  local bare = words.bare(word:sub(1, -2))
  for pattern in NAMING:gmatch("[^|]+") do
    if bare:find(pattern) then -- pattern: whole words
      return true
    end
  end
  return false
end

--- Whether a path of an issue consists only of the service's own words and of places in lists. Then it is shown as it
--- is.
---@param path string
---@return boolean
function words.is_path(path)
  if #path > 200 or not path:find("^[A-Za-z]") or path:find("[^A-Za-z0-9_.%[%]]") then
    return false
  end
  for word in path:gmatch("[^.%[%]]+") do
    if not PATH_WORDS[word] and not (#word < 7 and word:find("^%d+$")) then
      return false
    end
  end
  return true
end

--- Whether a text has the form of a code or a status of the service. Digits that may be of a value are refused.
---@param text string
---@return boolean
function words.is_code(text)
  return #text <= 64 and text:find("^[A-Za-z][A-Za-z0-9_.-]*$") ~= nil and not text:find("[a-z_.%-][0-9][0-9]")
    and not text:find("%-[0-9]") and not text:find("[0-9][0-9][0-9][0-9]")
end

return words
