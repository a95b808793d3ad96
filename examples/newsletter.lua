-- A transformation script with conditions and a map: rows are chosen and columns go to fields by name, and no Lua runs for a row.
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
