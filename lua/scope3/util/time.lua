--- Times as text, read and written.
local core = require "scope3.core"

local time = {}

local DAY, HOUR, MINUTE = 86400, 3600, 60
local YEAR = 365.2425 * DAY -- on average
local MONTHS = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}
-- The forms of HTTP dates. Two are obsolete, and still to be read.
local IMF_DATE = "^[A-Z][a-z]+, (%d%d) ([A-Z][a-z][a-z]) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$"
local RFC850_DATE = "^[A-Z][a-z]+, (%d%d)%-([A-Z][a-z][a-z])%-(%d%d) (%d%d):(%d%d):(%d%d) GMT$"
local ASCTIME_DATE = "^[A-Z][a-z]+ ([A-Z][a-z][a-z]) ([ %d]%d) (%d%d):(%d%d):(%d%d) (%d%d%d%d)$"
local ISO_TIME = "^(%d%d%d%d)-(%d%d)-(%d%d)[Tt ](%d%d):(%d%d):(%d%d)(.*)$"
local LONGEST_ISO = 80 -- bytes of a text that are looked at

-- The least and the highest month, day, hour, minute and second. ISO 8601 has an hour 24 and a leap second.
local BOUNDS = { { 1, 12 }, { 1, 31 }, { 0, 24 }, { 0, 59 }, { 0, 60 } }

-- Days since 1970 of a date of the proleptic Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

-- Digits become numbers by tonumber(): arithmetic on texts depends on the locale.
local function in_seconds(hours, minutes, seconds)
  return tonumber(hours) * HOUR + tonumber(minutes) * MINUTE + tonumber(seconds)
end

-- Whether a date and a time exist: not the 30th of February, nor 25 o'clock. Not `local month, day = ...`, which LuaJIT
-- of March 2022 (Debian 12) reads wrongly after a compiled loop.
local function exists(year, month, day, hours, minutes, seconds)
  local values = { month, day, hours, minutes, seconds }
  for i = 1, #BOUNDS do
    local value, bounds = tonumber(values[i]), BOUNDS[i]
    if value < bounds[1] or value > bounds[2] then
      return false
    end
  end
  year, month = tonumber(year), tonumber(month)
  return days(year, month, tonumber(day)) < days(year, month + 1, 1)
end

-- Seconds since 1970, as if in UTC; nil where there is no such time.
local function seconds_of(year, month, day, hours, minutes, seconds)
  if exists(year, month, day, hours, minutes, seconds) then
    return days(tonumber(year), tonumber(month), tonumber(day)) * DAY + in_seconds(hours, minutes, seconds)
  end
end

-- The same with the name of a month.
local function seconds_of_named(year, month, ...)
  return MONTHS[month] and seconds_of(year, MONTHS[month], ...)
end

-- The same with two digits of a year: the latest of those years that is not over fifty years ahead.
local function seconds_of_short(now, digits, ...)
  local this_year = math.floor(1970 + now / YEAR)
  local newest = this_year - this_year % 100 + 100 + tonumber(digits)
  for year = newest, newest - 200, -100 do
    local at = seconds_of_named(year, ...)
    if at and at <= now + 50 * YEAR then
      return at
    end
  end
end

-- Seconds that a time zone is ahead of UTC; nil where the text is no zone. No zone counts as UTC.
local function zone_offset(zone)
  local sign, hours, minutes = zone:match("^([+-])(%d%d):?(%d%d)$")
  if sign then
    return (sign == "-" and -1 or 1) * in_seconds(hours, minutes, 0)
  end
  return (zone == "" or zone == "Z" or zone == "z") and 0 or nil
end

--- Seconds since 1970 of an HTTP date, in any of the three forms of RFC 9110 section 5.6.7.
---@param text string  such as "Sun, 06 Nov 1994 08:49:37 GMT"
---@param now? number  seconds since 1970, for a year of two digits; the time of this machine unless given
---@return number?  nil where the text has another form, or there is no such time
function time.http_date(text, now)
  local day, month, year, hours, minutes, seconds = text:match(IMF_DATE)
  if not day then
    month, day, hours, minutes, seconds, year = text:match(ASCTIME_DATE)
  end
  if day then
    return seconds_of_named(year, month, day, hours, minutes, seconds)
  end
  day, month, year, hours, minutes, seconds = text:match(RFC850_DATE)
  return day and seconds_of_short(now or core.time(), year, month, day, hours, minutes, seconds)
end

--- Seconds since 1970 of an ISO 8601 time. A time without an offset counts as UTC.
---@param text any  such as "2026-11-01T00:00:01.5+02:00"
---@return number?  nil where this is not the text of such a time
function time.iso(text)
  if type(text) ~= "string" then
    return nil
  end
  local year, month, day, hours, minutes, seconds, rest = text:sub(1, LONGEST_ISO):match(ISO_TIME)
  local at = year and seconds_of(year, month, day, hours, minutes, seconds)
  if not at then
    return nil
  end
  local fraction, zone = rest:match("^[.,](%d+)(.*)$")
  local offset = zone_offset(zone or rest)
  return offset and at + (fraction and core.number("0." .. fraction) or 0) - offset
end

local date = os.date -- a script may have replaced it

--- ISO 8601 in UTC, to the millisecond: "2026-11-29T09:05:01.250Z".
---@param seconds number  since 1970
---@return string
function time.utc(seconds)
  local whole = math.floor(seconds)
  return date("!%Y-%m-%dT%H:%M:%S", whole) .. (".%03.0fZ"):format(math.floor((seconds - whole) * 1000))
end

return time
