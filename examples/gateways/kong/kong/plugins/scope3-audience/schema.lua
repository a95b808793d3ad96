-- The configuration of the plugin, by Kong's conventions.
local typedefs = require "kong.db.schema.typedefs"

local FIELD = { type = "string", len_min = 1 } -- with variables, such as "$http_x_user_id"

return {
  name = "scope3-audience",
  fields = {
    { consumer = typedefs.no_consumer },
    { protocols = typedefs.protocols_http },
    { config = {
      type = "record",
      fields = {
        { account_id = { type = "string", required = true, len_min = 1 } },
        { api_key = { type = "string", required = true, encrypted = true, referenceable = true } },
        { base_url = { type = "string" } },
        { audience = { type = "string", required = true, len_min = 1 } },
        { consent_basis = { type = "string",
          one_of = { "consent", "legitimate_interest", "contract", "legal_obligation" } } },
        { consent = FIELD }, -- who has not said yes there is not added
        { fields = { type = "record", required = true, fields = {
          { external_id = { type = "string", required = true, len_min = 1 } }, { email = FIELD }, { phone = FIELD },
          { region = FIELD }, { hashed_email = FIELD }, { hashed_phone = FIELD },
        }, entity_checks = { { at_least_one_of = { "email", "phone", "hashed_email", "hashed_phone" } } } } },
        { region = { type = "string" } },
        { spool = { type = "string", required = true, len_min = 1 } }, -- plugins have no call when a worker ends
        { shared = { type = "string" } }, -- of nginx_http_lua_shared_dict
        { flush_seconds = { type = "number", gt = 0 } },
        { rate = { type = "integer", gt = 0 } },
      },
    } },
  },
}
