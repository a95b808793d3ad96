--- What the names of columns say. They propose and never decide: what a column holds counts more.
local core = require "scope3.core"

local names = {}

local SHORT = 3 -- a word of so many letters must stand by itself

-- The words of a name: "E-Mail_2 (privat)" -> " e mail 2 privat ", "phoneNumber" -> " phone number ".
local function words_of(name)
  local spaced = name:gsub("([a-z0-9])([A-Z])", "%1 %2"):gsub("[%z\1-\47\58-\64\91-\96\123-\127]+", " ")
  return " " .. (core.lowercase(spaced) or core.lower(spaced)) .. " "
end

local function has_one(name, list)
  local spaced = words_of(name)
  local squeezed = spaced:gsub(" ", "")
  for _, word in ipairs(list) do
    if spaced:find(" " .. word .. " ", 1, true) or #word > SHORT and squeezed:find(word, 1, true) then
      return true
    end
  end
  return false
end

local EMAIL = { "email", "mail", "courriel", "correo", "hem" }
local PHONE = { "phone", "mobile", "mobil", "cell", "tel", "telefon", "telephone", "téléphone", "telefono", "teléfono",
  "handy", "msisdn", "whatsapp", "portable", "movil", "móvil", "cellulare", "gsm", "sms", "contact number" }
local NOT_PHONE = { "fax", "consent", "optin", "brand", "model", "ext", "extension", "type", "country", "code",
  "verified", "status", "allowed", "permission" }
local REGION = { "country", "region", "land", "pays", "pais", "país", "paese", "nation", "iso", "countrycode", "staat",
  "market" }
local COUNTRY = { "country", "countries", "land", "pays", "pais", "país", "paese", "nation", "staat" }
local NOT_REGION = { "state", "language", "lang", "locale", "currency", "province", "county" }
local CONSENT = { "consent", "optin", "opt in", "optedin", "permission", "subscribed", "subscriber status", "gdpr",
  "dsgvo", "einwilligung", "zustimmung", "consentement", "consentimiento", "consenso", "newsletter", "acceptsmarketing",
  "marketingallowed", "emailmarketing", "smsmarketing", "marketing" }
local REFUSAL = { "optout", "opt out", "optedout", "unsubscribed", "unsubscribe", "donot", "dnc", "dnd", "suppressed",
  "suppression", "blocked", "blacklist", "blocklist", "deleted", "bounced", "widerruf", "revoked", "withdrawn" }
local CLEAR_CONSENT = { "consent", "optin", "opt in", "optedin", "einwilligung", "consentement", "consentimiento",
  "acceptsmarketing" }
local ID = { "id", "ids", "nr", "no", "num", "number", "nummer", "key", "uuid", "guid", "identifier", "kennung",
  "identifiant", "numero", "número", "numéro", "ref", "code", "kundennr", "kdnr", "mitgliedsnr", "debitornr",
  "debitorennr" }
local PERSON = { "customer", "client", "kunde", "user", "member", "contact", "account", "subscriber", "external", "crm",
  "person", "profile", "mitglied", "cliente", "guest", "shopper", "buyer", "lead", "kontakt", "nutzer", "loyalty",
  "card", "kdnr", "debitor" }
local OTHER = { "order", "invoice", "product", "campaign", "store", "shop", "session", "transaction", "event", "device",
  "address", "parent", "zip", "postal", "post", "plz", "house", "street", "strasse", "straße", "vat", "tax", "sku",
  "item", "row", "household", "company", "phone", "mobile", "tel", "telefon", "amount", "count", "segment", "source",
  "country" }

-- Further words of which names of columns consist.
local COMMON = { "name", "first", "last", "firstname", "lastname", "fullname", "surname", "forename", "given", "family",
  "vorname", "nachname", "nom", "prenom", "prénom", "nombre", "apellido", "cognome", "city", "town", "ort", "stadt",
  "ville", "ciudad", "strasse", "straße", "birthday", "birthdate", "birth", "dob", "age", "gender", "sex", "date",
  "created", "updated", "title", "salutation", "anrede", "tag", "tags", "note", "notes", "value", "total", "spend",
  "revenue", "umsatz", "type", "category", "status", "score", "group", "hash", "sha256", "idfa", "gaid", "column" }

local known -- the words of all lists

local function known_words()
  known = {}
  for _, list in ipairs { EMAIL, PHONE, NOT_PHONE, REGION, NOT_REGION, CONSENT, REFUSAL, CLEAR_CONSENT, ID, PERSON,
    OTHER, COMMON } do
    for _, word in ipairs(list) do
      known[word] = true
    end
  end
  return known
end

--- Whether a name consists of words that names of columns consist of. "High Street" does not: half is too few.
---@param name string
---@return boolean
function names.is_known(name)
  local list, spaced = known or known_words(), words_of(name)
  if list[(spaced:gsub(" ", ""))] then
    return true
  end
  local all, hits = 0, 0
  for word in spaced:gmatch("[^ ]+") do
    all, hits = all + 1, hits + (list[word] and 1 or 0)
  end
  return hits > all / 2
end

--- Whether a name is an email, a phone or a hash, and so no name but data.
---@param name string
---@return boolean
function names.is_data(name)
  if name:find("[%w\128-\255]@[%w\128-\255]") or core.hashed(name) then
    return true
  end
  return name:find("^[0-9 +()./-]+$") ~= nil and select(2, name:gsub("[0-9]", "")) >= 7
end

--- Whether a key of JSON holds what may be of a person: data, an at sign, or five digits with nothing between them but
--- what parts those of phones.
---@param key string
---@return boolean
function names.holds_data(key)
  return names.is_data(key) or key:find("@", 1, true) ~= nil
    or key:gsub("[ ()./-]", ""):find "[0-9][0-9][0-9][0-9][0-9]" ~= nil
end

--- Whether a name is one of emails.
---@param name string
---@return boolean
function names.is_email(name)
  return has_one(name, EMAIL)
end

--- Whether a name is one of phones.
---@param name string
---@return boolean
function names.is_phone(name)
  return has_one(name, PHONE) and not has_one(name, NOT_PHONE)
end

--- Whether a name is one of countries; nil where it is one of something with the same codes, such as states.
---@param name string
---@return boolean?
function names.is_region(name)
  if has_one(name, NOT_REGION) then
    return nil
  end
  return has_one(name, REGION)
end

--- Whether a word of a name says countries and nothing else: "Land" does, "Bundesland" and "region" do not.
---@param name string
---@return boolean
function names.is_country(name)
  local spaced = words_of(name)
  for _, word in ipairs(COUNTRY) do
    if spaced:find(" " .. word .. " ", 1, true) then
      return names.is_region(name) == true
    end
  end
  return false
end

--- Whether a name speaks of consent: "clear" where nothing else can be meant, "unclear", or "refusal".
---@param name string
---@return "clear"|"unclear"|"refusal"|nil
function names.consent(name)
  if has_one(name, REFUSAL) then
    return "refusal"
  elseif has_one(name, CLEAR_CONSENT) then
    return "clear"
  end
  return has_one(name, CONSENT) and "unclear" or nil
end

--- How much a name is one of the ids of people.
---@param name string
---@return integer
function names.id_weight(name)
  local weight = 0
  if has_one(name, ID) then
    weight = 40
  end
  if has_one(name, PERSON) then
    weight = weight + (weight > 0 and 40 or 5)
  end
  if has_one(name, OTHER) then
    weight = weight - 60
  end
  return weight
end

return names
