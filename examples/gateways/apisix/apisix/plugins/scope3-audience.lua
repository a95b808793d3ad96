-- A plugin of Apache APISIX (3.x): visitors of a route become members of an audience.
local core = require "apisix.core"
local members = require "scope3_members"

local FIELD = { type = "string", minLength = 1 } -- with variables, such as "$http_x_user_id"

local schema = {
  type = "object",
  properties = {
    account_id = { type = "string", minLength = 1 },
    api_key = { type = "string", minLength = 1 }, -- or a reference, such as "$secret://vault/1/scope3/key"
    base_url = { type = "string" },
    audience = { type = "string", minLength = 1 },
    consent_basis = { type = "string",
      enum = { "consent", "legitimate_interest", "contract", "legal_obligation" } },
    consent = FIELD, -- who has not said yes there is not added
    fields = {
      type = "object",
      properties = { external_id = FIELD, email = FIELD, phone = FIELD, region = FIELD, hashed_email = FIELD,
        hashed_phone = FIELD },
      required = { "external_id" },
      additionalProperties = false,
    },
    region = { type = "string" },
    spool = { type = "string", minLength = 1 }, -- a folder that outlives a worker: plugins may end at any time
    shared = { type = "string" }, -- a dictionary of custom_lua_shared_dict
    flush_seconds = { type = "number", minimum = 0.1 },
    rate = { type = "integer", minimum = 1 },
  },
  required = { "account_id", "api_key", "audience", "fields", "spool" },
  additionalProperties = false,
  encrypt_fields = { "api_key" },
}

local plugin = {
  version = 0.1,
  priority = 90, -- 1 to 99 are left to plugins of one's own
  name = "scope3-audience",
  schema = schema,
}

function plugin.check_schema(conf)
  local fine, problem = core.schema.check(schema, conf)
  if not fine then
    return false, problem
  end
  -- A reference is resolved before log() has the configuration, and not yet here.
  if conf.fields.email or conf.fields.phone or conf.fields.hashed_email or conf.fields.hashed_phone then
    return true
  end
  return false, "fields needs one of email, phone, hashed_email, hashed_phone"
end

function plugin.log(conf, ctx)
  members.add(conf, ctx.var)
end

-- APISIX calls it when a worker ends, and before plugins are loaded anew.
function plugin.destroy()
  members.close_all()
end

return plugin
