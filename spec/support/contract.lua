-- JSON Schemas of what the service takes and answers, written from docs/contract.md sections 2 to 4. Requests are open:
-- unknown keys are not refused. Replies have every documented key.
local contract = {}

local function text(more)
  local rule = { type = "string" }
  for key, value in pairs(more or {}) do
    rule[key] = value
  end
  return rule
end

local function array(items, least, most)
  return { type = "array", items = items, minItems = least, maxItems = most }
end

-- An object; the names of `required` are separated by blanks.
local function object(required, properties)
  local names = {}
  for name in required:gmatch("%S+") do
    names[#names + 1] = name
    assert(properties[name], name)
  end
  return { type = "object", required = names, properties = properties }
end

local function nullable(rule)
  local made = {}
  for key, value in pairs(rule) do
    made[key] = value
  end
  made.nullable = true
  return made
end

-- --- requests ----------------------------------------------------------------------------------------------------

local HASH = text { pattern = "^[0-9a-f]*$", minLength = 64, maxLength = 64 }

local function member()
  return object("externalId", {
    externalId = text { minLength = 1 }, hashedEmail = HASH, hashedPhone = HASH,
    uids = array(object("type value", { type = text { minLength = 1 }, value = text { minLength = 1 } }), 1),
  })
end

-- What the prose asks of a member that is added, beside the schema.
local function added()
  local rule = member()
  rule.anyOf = { { required = { "hashedEmail" } }, { required = { "hashedPhone" } }, { required = { "uids" } } }
  return rule
end

local AUTHENTICATION = object("schemes credentials", {
  schemes = array({ enum = { "Bearer", "HMAC-SHA256" } }, 1, 1), credentials = text { minLength = 32 },
})

local function sync(of_added)
  return object("audiences", {
    audiences = array(object("audienceId", {
      audienceId = text { minLength = 1, maxLength = 255 }, name = text { maxLength = 255 },
      consentBasis = { enum = { "consent", "legitimate_interest", "contract", "legal_obligation" } },
      add = array(of_added, nil, 100000), remove = array(member(), nil, 100000), delete = { type = "boolean" },
    }), 1),
    deleteMissing = { type = "boolean" },
    pushNotificationConfig = object("url", {
      url = text { pattern = "^[Hh][Tt][Tt][Pp][Ss]?://[^/?#%s][^%c%s]*$" },
      operation_id = text { pattern = "^[A-Za-z0-9_.:-]+$", maxLength = 255 },
      token = text { minLength = 16, maxLength = 4096 }, authentication = AUTHENTICATION,
    }),
  })
end

--- POST …/audiences/sync, and the same where an audience is deleted, so that nothing becomes of its members.
contract.sync_request, contract.deletion_request = sync(added()), sync(member())

contract.syndicate_request = object("resourceType resourceId adcpAgentIds enabled", {
  resourceType = { enum = { "AUDIENCE" } }, resourceId = text { minLength = 1 },
  adcpAgentIds = array(text { minLength = 1 }, 1),
  enabled = { type = "boolean" },
})

-- Queries, whose values are texts.
local WHOLE = text { pattern = "^[0-9]+$", maxLength = 15 }
local STATUS = { enum = { "PENDING", "SYNCING", "COMPLETED", "FAILED", "DISABLED" } }

contract.audiences_query = object("", { take = WHOLE, skip = WHOLE })
contract.syndication_query = object("", {
  resourceType = { enum = { "AUDIENCE", "EVENT_SOURCE", "CATALOG" } }, resourceId = text { minLength = 1 },
  adcpAgentId = text { minLength = 1 }, enabled = { enum = { "true", "false" } }, status = STATUS, limit = WHOLE,
  offset = WHOLE,
})

--- The same without anything that the schema does not name: what a client sends holds no other keys, and no empty lists
--- of members.
function contract.closed(rule)
  local made = {}
  for key, value in pairs(rule) do
    made[key] = type(value) == "table" and contract.closed(value) or value
  end
  if made.properties and made.type == "object" then
    made.additionalProperties = false
  elseif made.maxItems == 100000 then
    made.minItems = 1
  end
  return made
end

-- --- replies -----------------------------------------------------------------------------------------------------

local NULL = { enum = {}, nullable = true }
local COUNT = { type = "integer", minimum = 0 }
local MOMENT = text { pattern = "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ$" }

contract.accepted = object("success accountId operationId taskId", {
  success = { type = "boolean" }, accountId = text { minLength = 1 }, operationId = text { minLength = 1 },
  taskId = text { minLength = 1 },
})

local TASK_ERROR = object("code message", {
  code = text(), message = text(), field = text(), suggestion = text(), retryAfter = { type = "number", minimum = 0 },
  details = { type = "object" }, recovery = { enum = { "transient", "correctable", "terminal" } },
})

contract.task = object("task", {
  task = object("taskId taskType status resourceType resourceId error response metadata retryAfterSeconds createdAt "
    .. "updatedAt", {
    taskId = text(), taskType = { enum = { "audience_sync", "media_buy_create", "creative_sync" } },
    status = { enum = { "submitted", "working", "completed", "failed", "input-required", "canceled", "rejected",
      "auth-required", "unknown" } },
    resourceType = nullable(text()), resourceId = nullable(text()), error = nullable(TASK_ERROR),
    response = nullable { type = "object" },
    metadata = nullable { type = "object" }, retryAfterSeconds = nullable { type = "number", minimum = 0 },
    createdAt = MOMENT, updatedAt = MOMENT,
  }),
})

local AUDIENCE = object("audienceId name accountId status deleted uploadedCount matchedCount createdAt updatedAt", {
  audienceId = text { minLength = 1, maxLength = 255 }, name = nullable(text()), accountId = text(),
  status = { enum = { "PROCESSING", "READY", "TOO_SMALL", "ERROR" } }, deleted = { type = "boolean" },
  uploadedCount = nullable(COUNT), matchedCount = nullable(COUNT), createdAt = MOMENT, updatedAt = MOMENT,
})

contract.audiences = object("audiences total take skip", { audiences = array(AUDIENCE), total = COUNT, take = COUNT,
  skip = COUNT })
contract.audiences_in_meta = object("audiences meta", {
  audiences = array(AUDIENCE),
  meta = object("pagination", { pagination = object("skip take total hasMore", {
    skip = COUNT, take = COUNT, total = COUNT, hasMore = { type = "boolean" },
  }) }),
})

local RECORD = object("id customerId advertiserId resourceType resourceId audienceId eventSourceId catalogId "
  .. "adcpAgentId adcpAgentAccountId enabled status errorMessage createdAt updatedAt", {
  id = text { minLength = 1 }, customerId = text(), advertiserId = text(), resourceType = { enum = { "AUDIENCE" } },
  resourceId = text(),
  audienceId = nullable(text()), eventSourceId = nullable(text()), catalogId = nullable(text()), adcpAgentId = text(),
  adcpAgentAccountId = nullable(text()), enabled = { type = "boolean" }, status = STATUS,
  errorMessage = nullable(text()),
  lastSyncedAt = nullable(MOMENT), createdAt = MOMENT, updatedAt = MOMENT,
})

contract.records = array(RECORD)
contract.syndicated = object("data", { data = contract.records })
contract.syndication_status = object("items total", { items = array(RECORD), total = COUNT })

contract.error = object("data error", {
  data = NULL,
  error = object("code message", {
    code = text { pattern = "^[A-Z][A-Z_]*$" }, message = text { minLength = 1 }, field = text(),
    details = object("issues", { issues = array(object("path message", { path = text(),
      message = text { minLength = 1 } }), 1) }),
  }),
})

--- Any of these in an envelope.
function contract.enveloped(rule)
  return object("data error", { data = rule, error = NULL })
end

contract.health = object("status version commitSha", { status = { enum = { "ok" } }, version = text(),
  commitSha = text() })

return contract
