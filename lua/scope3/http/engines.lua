--- The libcurl engines of this Lua state, which clients share: one for each loop and each file of CA certificates.
local core = require "scope3.core"
local entries = require "scope3.util.entries"
local interpreted = require "scope3.util.interpreted"
local late = require "scope3.util.late"
local rare = require "scope3.util.rare"
local version = require "scope3.version"

interpreted(true, true) -- nothing here runs for each member

local engines = {}

local TURN = 0.0002 -- seconds for replies that have come, before others have their turn

---@class scope3.TransferResult  a transfer that has ended, as engine:result() gives it
---@field id integer
---@field status integer?  HTTP status; nil where no reply began
---@field headers table<string, string|string[]>  names in lowercase
---@field body string?
---@field code string?  libcurl's name of the failure; nil where the transfer is complete
---@field message string?  libcurl's text of it
---@field cause string?  why no connection came about: refused, unreachable, timeout, descriptors
---@field begun boolean  a request began, so that a reply is the host's and not a proxy's
---@field body_sent boolean  the whole request has left
---@field early boolean?  the reply came before the whole request had left
---@field uploaded integer  bytes of the body
---@field seconds number
---@field connections integer  that were made
---@field http_version string?
---@field redirect_url string?
---@field proxy_status integer?
---@field verify integer?  OpenSSL's number for why the certificate is not taken
---@field proxy_verify integer?
---@field secure boolean?  the base URL is of https
---@field proxy string?  through which the request went

---@class scope3.SharedEngine
---@field engine table?  made when it is first needed
---@field calls table<integer, scope3.Call>  those on the wire, by the id of their transfer
---@field awaiting table<scope3.Connection, true>  connections of bytes that somebody waits for
---@field of_waiters {__index: table}  the metatable of waiters: what loops call of them
local SharedEngine = {}
SharedEngine.__index = SharedEngine

--- The engine. Where it cannot be made it is tried again at the next request: there may be descriptors and memory then.
---@return table? engine
---@return string? why
function SharedEngine:open()
  if self.engine then
    return self.engine
  end
  local libcurl, why = late.load "scope3.engine" -- not before: what sends nothing needs no libcurl
  if not libcurl then
    return nil, why
  end
  self.engine, why = libcurl.engine { ca_file = self.ca_file, user_agent = "scope3-lua/" .. version }
  return self.engine, why
end

-- The call of a transfer that leaves the wire; nil where it is none of ours.
local function take_call(self, id)
  local call = self.calls[id]
  self.calls[id] = nil
  if call then
    call.waiter.calls[id] = nil
  end
  return call
end

-- Wakes those who wait for connections of which there are news.
local function wake_ready(awaiting)
  for connection in entries(awaiting) do
    if connection:is_ready() then
      awaiting[connection] = nil
      connection:wake()
    end
  end
end

--- Moves the transfers on and hands those that have ended to their calls.
---@param gently boolean?  in small parts
---@return boolean moved  false when nothing did
function SharedEngine:advance(gently)
  local engine = self.engine
  if not engine then
    return false
  end
  local _, moved = engine:step(gently)
  if next(self.awaiting) then
    wake_ready(self.awaiting)
  end
  local turn_ends
  for result in engine.result, engine do
    local call = take_call(self, result.id)
    if call then
      call:on_result(result)
    end
    local now = core.now()
    turn_ends = turn_ends or now + rare.number("turn", TURN)
    if now > turn_ends then
      engine:pollfd() -- more results may be there, so the descriptor stays readable
      return true
    end
  end
  return moved
end

--- Puts a call on the wire.
---@param call scope3.Call
---@param request table  as engine:submit() takes it
---@return integer? id
---@return string? why
function SharedEngine:submit(call, request)
  local id, why = self.engine:submit(request)
  if id then
    self.calls[id], call.waiter.calls[id] = call, call
  end
  return id, why
end

--- Takes a transfer off the wire.
---@param id integer
function SharedEngine:cancel(id)
  take_call(self, id)
  self.engine:cancel(id)
end

-- Cancels the calls of a waiter that will never run again.
local function cancel_calls_of(waiter)
  local abandoned = {}
  for _, call in entries(waiter.calls) do
    abandoned[#abandoned + 1] = call
  end
  for _, call in ipairs(abandoned) do
    call:abandon()
  end
end

local function new(ca_file)
  local self = setmetatable({ calls = {}, ca_file = ca_file }, SharedEngine)
  self.awaiting = setmetatable({}, { __mode = "k" }) -- nothing is kept of a coroutine that was dropped
  local function step(gently)
    return self:advance(gently)
  end
  self.of_waiters = { __index = { step = step, abandon = cancel_calls_of } }
  return self
end

local shared = {} -- by loop and CA file

--- The engine for a loop and a file of CA certificates.
---@param loop scope3.Loop
---@param ca_file string?
---@return scope3.SharedEngine
function engines.get(loop, ca_file)
  local key = loop.name .. "\0" .. (ca_file or "")
  shared[key] = shared[key] or new(ca_file)
  return shared[key]
end

return engines
