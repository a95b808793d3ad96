-- A made-up export of customers: the same bytes every time.   lua bench/make_data.lua ROWS > customers.csv
local rows = tonumber(arg[1]) or 1000000

-- A generator of our own, because math.random differs between Lua versions. 2^31 - 1 and 48271: exact in doubles.
local state = 20261124
local function below(n)
  state = state * 48271 % 2147483647
  return state % n
end

local function pick(list)
  return list[below(#list) + 1]
end

-- A country as exports name it, and a valid number as people there write it; # is any digit.
local COUNTRIES = {
  { "United States", "(206) 555-0###" }, { "United States", "+1 415 555 01##" },
  { "Germany", "030 23######" }, { "Germany", "0151 2#######" }, { "France", "01 42 ## ## ##" },
  { "United Kingdom", "020 7946 0###" }, { "United Kingdom", "+44 7911 12####" },
  { "Norway", "40 ## ## ##" }, { "Italy", "02 3####### " }, { "Spain", "612 ### ###" },
  { "Netherlands", "020 6######" }, { "Sweden", "070-1## ## ##" }, { "Brazil", "(11) 9####-####" },
  { "India", "98######## " }, { "Japan", "090-1###-####" }, { "Australia", "0412 ### ###" },
  { "Switzerland", "044 6## ## ##" },
}
local FIRST = {
  "Anna", "Bob", "Carla", "David", "Elena", "Farid", "Grace", "Hiro",
  "Ines", "Jonas", "Kim", "Lucia", "Marek", "Nadia", "Omar", "Petra",
}
local LAST = {
  "Smith", "Garcia", "Ng", "Rossi", "O'Brien", "Yamamoto", "van der Berg",
  "Kowalski", "Silva", "Andersson", "Khan", "Dubois", "Novak", "Larsen",
}
local COMPANY = {
  "Acme Ltd", '"Horn, Shepard and Watson"', "Umbrella",
  '"The ""Best"" Shop"', "Initech", "Globex Corporation", "Stark and Sons",
}
local CITY = { "Springfield", "Lake Jeffborough", "Aaronville", "Port Jean", "West Holly", "New Kristen" }
local HOST = { "example.com", "example.org", "mail.example.net", "shop.example.co.uk" }

io.stdout:setvbuf("full", 65536)
io.write("Customer Id,First Name,Last Name,Company,City,Country,Phone 1,Phone 2,Email,Subscription Date,Website\n")
for i = 1, rows do
  local country, first, last = pick(COUNTRIES), pick(FIRST), pick(LAST)
  local phone = country[2]:gsub("#", function()
    return below(10)
  end)
  local mailbox = (first .. "." .. last:gsub("[' ]", "") .. i)
  if below(4) > 0 then
    mailbox = mailbox:lower()
  end
  io.write(("%08X%07X,%s,%s,%s,%s,%s,%s,,%s@%s,20%02d-%02d-%02d,https://%s/\n"):format(i, below(268435456), first, last,
    pick(COMPANY), pick(CITY),
    country[1], phone, mailbox, pick(HOST), below(26), below(12) + 1, below(28) + 1, pick(HOST)))
end
