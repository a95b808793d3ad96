-- A script with member(row): Lua decides what each row becomes.
--   scope3 run examples/consent.lua examples/customers.csv --sandbox --account 25 --wait
--
-- member(row) returns a member, a list of members, nil to skip the row, or nil and a reason to reject it.
-- `row` is read-only and valid during the call. It finds columns by name or number.
local scope3 = require "scope3"

return {
  audience = { id = "loyal", name = "Loyal customers", consent_basis = "consent" },

  member = function(row)
    if row["Customer Id"] == "" then
      return nil, "no customer id"
    end
    if not scope3.yes(row["Marketing consent"]) then -- "no" and "false" are true to Lua
      -- Consent was withdrawn or cannot be read, so the member is removed from the audience.
      return { external_id = row["Customer Id"], remove = true }
    end
    if row.Segment ~= "loyal" and (scope3.number(row["Lifetime value"]) or 0) < 2500 then
      return nil -- not for this audience
    end
    return {
      external_id = row["Customer Id"],
      email = row.Email,
      phone = row.Mobile,
      region = row.Country,
    }
  end,
}
