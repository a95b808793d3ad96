-- The bench's job as a script with member(row).
return {
  audience = "crm",
  member = function(row)
    return { external_id = row["Customer Id"], email = row.Email, phone = row["Phone 1"], region = row.Country }
  end,
}
