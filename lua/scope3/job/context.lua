--- What a job, a wait and a listing need of their client: where requests go, how to wait, and whom to tell.

---@class scope3.Context
---@field loop scope3.Loop  how to wait, and the clock: `now()` gives seconds
---@field foreign_loop boolean  the loop is the host's own, and may raise
---@field base string  URL of the service, without a slash at its end
---@field account_id? string  numeric id of the advertiser
---@field has_key boolean  whether there is an API key, or a function that gives one
---@field secret fun(): string?  the key that was given last, so that no text shows it
---@field sample? fun(parts: scope3.Part[])  of the command: called in a dry run with what would be sent
---@field emit fun(event: scope3.Event)  the client's listener, for jobs and waits without one of their own
---@field counters scope3.Counters  of what the client did
---@field private client scope3.Client
local Context = {}
Context.__index = Context

local context = {}

--- The context of a client.
---@param client scope3.Client
---@return scope3.Context
function context.of(client)
  client.context = client.context or setmetatable({
    loop = client.loop,
    foreign_loop = client.foreign_loop,
    base = client.base,
    account_id = client.account_id,
    has_key = client.has_key,
    secret = client.secret,
    emit = client.on_event,
    counters = client.counters,
    sample = client.sample,
    client = client,
  }, Context)
  return client.context
end

--- The client's transport. It is made at the first use, so that a dry run starts no engine.
---@return scope3.Transport
function Context:transport()
  return self.client:transport()
end

--- Waits for a result: result:wait() calls this.
---@param what scope3.Result
---@param opts scope3.WaitOptions  checked
---@return scope3.Result?
---@return scope3.Error? err
function Context:follow(what, opts)
  return self.client:follow(what, opts)
end

return context
