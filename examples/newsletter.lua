-- A script with conditions and a map. C selects the rows and maps their columns; no Lua runs for a row.
--   scope3 run examples/newsletter.lua examples/customers.csv --sandbox --account 25 --wait
return {
  audience = { id = "newsletter", name = "Newsletter readers", consent_basis = "consent" },

  where = { ["Marketing consent"] = "yes" },

  map = {
    external_id = "Customer Id",
    email = "Email",
    phone = "Mobile",
    region = "Country",
  },
}
