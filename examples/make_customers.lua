-- Writes examples/customers.csv:  lua examples/make_customers.lua > examples/customers.csv
-- It is a made-up CRM export. Domains are reserved by RFC 2606. Phones come from ranges that regulators reserve for
-- fiction, where there is one. The random numbers are the same on every Lua.
local seed = 20260801
local function random(n)
  seed = (seed * 16807) % 2147483647
  return seed % n + 1
end

local function pick(list)
  return list[random(#list)]
end

local function digits(n)
  local out = {}
  for i = 1, n do
    out[i] = random(10) - 1
  end
  return table.concat(out)
end

-- The country, and a function that returns a number as written abroad and at home.
local COUNTRIES = {
  { "United States", function() local l = "555-01" .. digits(2); return "+1 206-" .. l, "(206) " .. l end },
  { "Canada", function() local l = "555-01" .. digits(2); return "+1 (613) " .. l, "613-" .. l end },
  { "United Kingdom", function() local l = "496 0" .. digits(3); return "+44 113 " .. l, "0113 " .. l end },
  { "United Kingdom", function() local l = "0" .. digits(3); return "+44 20 7946 " .. l, "020 7946 " .. l end },
  { "Australia", function()
    local l = pick { "570 156", "570 157", "570 158", "570 159", "570 110" }
    return "+61 491 " .. l, "0491 " .. l
  end },
  { "France", function() local l = "00 " .. digits(2) .. " " .. digits(2); return "+33 1 99 " .. l, "01 99 " .. l end },
  { "Germany", function() local l = "39200" .. digits(2); return "+49 171 " .. l, "0171/" .. l end },
  { "Germany", function() local l = "23125 " .. digits(3); return "+49 30 " .. l, "030 " .. l end },
  { "Sweden", function()
    local l = "174 06 " .. pick { "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15" }
    return "+46 70 " .. l, "070-" .. l
  end },
  { "Norway", function()
    local l = "40 " .. digits(2) .. " " .. digits(2) .. " " .. digits(2)
    return "+47 " .. l, l
  end },
  { "Spain", function()
    local l = "6" .. digits(2) .. " " .. digits(3) .. " " .. digits(3)
    return "+34 " .. l, l
  end },
  { "Italy", function() local l = "333 " .. digits(3) .. " " .. digits(4); return "+39 " .. l, l end },
  { "Brazil", function() local l = "9" .. digits(4) .. "-" .. digits(4); return "+55 11 " .. l, "(11) " .. l end },
  { "Japan", function() local l = "2" .. digits(3) .. "-" .. digits(4); return "+81 90-" .. l, "090-" .. l end },
}

local FIRST = {
  "Ada", "Alan", "Amélie", "Björn", "Carla", "Chen", "Dagny", "Elif", "Emeka", "Fatima", "Grace", "Hiro",
  "Inês", "Jonas", "José", "Karin", "Lena", "Liam", "María", "Nia", "Olga", "Pavel", "Quinn", "Rosa", "Søren",
  "Tariq", "Uma", "Viktor", "Wen", "Zoë",
}
local LAST = {
  "Abara", "Bergström", "Costa", "Dubois", "Eriksen", "Fischer", "García", "Hughes", "Ito", "Jensen",
  "Kowalski", "Lopez", "Müller", "Nakamura", "O'Brien", "Pereira", "Quist", "Rossi", "Schmidt", "Tanaka",
  "Ueda", "Vargas", "Weber", "Young",
}
local PLAIN = { ["é"] = "e", ["ö"] = "o", ["ê"] = "e", ["í"] = "i", ["ø"] = "o", ["ë"] = "e", ["ü"] = "u", ["á"] = "a" }
local COMPANIES = {
  "Alder & Sons", "Birch, Fern and Oak", 'The "Cedar" Works', "Dogwood Ltd", "Elm GmbH", "Fir AB",
  "Ginkgo SARL", "Hazel Inc",
}
local SEGMENTS = { "new", "loyal", "lapsed", "vip" }

local function ascii(name)
  return (name:gsub("[\194-\244][\128-\191]*", PLAIN):gsub("[^%w]", ""):lower())
end

local function cell(value)
  return value:find('[,"\r\n]') and '"' .. value:gsub('"', '""') .. '"' or value
end

local HEADER = {
  "Customer Id", "First Name", "Last Name", "Company", "City", "Country", "Mobile", "Email", "Marketing consent",
  "Lifetime value", "Segment", "Signed up",
}
local CITY, COUNTRY, MOBILE, EMAIL, CONSENT = 5, 6, 7, 8, 9

-- Faults by row number.
local DIRT = {
  [17] = function(row) row[EMAIL] = "  " .. row[EMAIL] .. " " end,
  [41] = function(row) row[EMAIL] = row[EMAIL]:upper() end,
  [59] = function(row) row[EMAIL] = (row[EMAIL]:gsub("@", ".at.")) end,
  [83] = function(row) row[EMAIL] = row[EMAIL] .. "@example.org" end,
  [97] = function(row) row[EMAIL] = "n/a" end,
  [118] = function(row) row[EMAIL] = "NONE" end,
  [131] = function(row) row[EMAIL] = "" end,
  [149] = function(row) row[EMAIL], row[MOBILE] = "", "" end,
  [163] = function(row) row[EMAIL] = "JÖRG.Weiß@example.com" end,
  [171] = function(row) row[EMAIL] = "mailto:" .. row[EMAIL] end,
  [175] = function(row) row[EMAIL] = ("%s %s <%s>"):format(row[2], row[3], row[EMAIL]) end,
  [177] = function(row) row[EMAIL] = row[EMAIL] .. "," end,
  [181] = function(row) row[EMAIL] = "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514" end,
  [199] = function(row) row[EMAIL] = "B196432C7B989A2CA91C83799957C515DA53E6C13ABF20B78FEA94F117E90BF8" end,
  [223] = function(row) row[EMAIL] = "5d41402abc4b2a76b9719d911017c592" end,
  [241] = function(row) row[EMAIL] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" end,
  [263] = function(row) row[MOBILE] = "4.4771E+11" end,
  [281] = function(row) row[COUNTRY], row[MOBILE] = "United Kingdom", "+44 (0)20 7946 0123" end,
  [307] = function(row) row[COUNTRY], row[MOBILE] = "United States", "+1 206-555-0142 ext. 7" end,
  [331] = function(row) row[MOBILE] = "unknown" end,
  [353] = function(row) row[MOBILE] = "+49" end,
  [379] = function(row) row[MOBILE], row[EMAIL] = "call the office", "-" end,
  [401] = function(row) row[1] = "" end,
  [443] = function(row) row[1] = "" end,
  [487] = function(row) row[CITY] = "Lake\r\nDistrict" end,
  [521] = function(row) row[#row] = nil end,
  [563] = function(row) row[#row + 1] = "left over" end,
  [601] = function(row) row[EMAIL] = "ann@example.com; bob@example.com" end,
  [643] = function(row) row[EMAIL] = "sales@localhost" end,
}

local function make_row(i)
  local country = pick(COUNTRIES)
  local international, national = country[2]()
  local first, last = pick(FIRST), pick(LAST)
  local phone, dice = international, random(20)
  if dice <= 4 then
    phone = national
  elseif dice == 5 then
    phone = ""
  elseif dice <= 9 then
    phone = international:gsub("[ ()-]", "")
  elseif dice <= 11 then
    phone = international:gsub("[ -]", ".")
  end
  return {
    ("C%05d"):format(10000 + i), first, last, pick(COMPANIES), "Springfield", country[1], phone,
    ("%s.%s%d@%s"):format(ascii(first), ascii(last), i, pick { "example.com", "example.net", "example.org" }),
    random(5) > 1 and "yes" or "no", ("%d.%02d"):format(random(4000), random(100) - 1), pick(SEGMENTS),
    ("2025-%02d-%02d"):format(random(12), random(28)),
  }
end

local out = { table.concat(HEADER, ",") }
for i = 1, 1000 do
  local row = make_row(i)
  if DIRT[i] then
    row[CONSENT] = "yes" -- so that a script that asks for consent meets the dirt too
    DIRT[i](row)
  elseif i > 700 and i % 25 == 0 then
    row[1] = ("C%05d"):format(10000 + i - 650) -- the customer came back: this row is the newer one
  end
  for j = 1, #row do
    row[j] = cell(row[j])
  end
  out[#out + 1] = table.concat(row, ",")
end
io.stdout:write(table.concat(out, "\r\n"), "\r\n")
