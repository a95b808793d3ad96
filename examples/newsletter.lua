-- A transformation script with a map: columns go to fields by name, and no Lua runs for a row that `where` lets pass.
--   scope3 run examples/newsletter.lua examples/customers.csv --sandbox --account 25 --wait
return {
  audience = { id = "newsletter", name = "Newsletter readers", consent_basis = "consent" },

  where = function(row)
    return row["Marketing consent"] == "yes"
  end,

  map = {
    external_id = "Customer Id",
    email = "Email",
    phone = "Mobile",
    region = "Country",
  },
}
