-- Dates and waits that the service writes, against the C library's calendar and RFC 9110.
local retry_after = require "scope3.http.retry_after"
local time = require "scope3.util.time"

local DAY = 86400

describe("a date", function()
  it("of any day from 1970 to 2099 is the second that the calendar says", function()
    for day = 0, 47481 do -- 31 December 2099
      local at = day * DAY + day % DAY
      assert(time.http_date(os.date("!%a, %d %b %Y %H:%M:%S GMT", at)) == at, os.date("!%c", at))
      assert(time.iso(os.date("!%Y-%m-%dT%H:%M:%SZ", at)) == at, os.date("!%c", at))
    end
  end)

  it("of another form is none", function()
    for _, text in ipairs {
      "", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Foo 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    } do
      assert.is_nil(time.http_date(text), text)
    end
  end)
end)

describe("Retry-After", function()
  local NOW = 1700000000 -- Tue, 14 Nov 2023 22:13:20 GMT

  -- The field, the field Date; the seconds to wait, and those asked for where they are more than an hour.
  for what, case in pairs {
    ["in seconds"] = { "120", nil, 120 },
    ["of 0 seconds"] = { "0", nil, 0 },
    ["with a fraction"] = { "1.5", nil, 1.5 },
    ["of an hour"] = { "3600", nil, 3600 },
    ["of over an hour is an hour"] = { "7200", nil, 3600, 7200 },
    ["as a date"] = { "Tue, 14 Nov 2023 22:14:50 GMT", nil, 90 },
    ["as a date counts from the service's own clock"] =
      { "Thu, 01 Feb 2024 00:01:00 GMT", "Thu, 01 Feb 2024 00:00:30 GMT", 30 },
    ["as a date at the end of February"] =
      { "Fri, 01 Mar 2024 00:00:10 GMT", "Thu, 29 Feb 2024 23:59:30 GMT", 40 },
    ["as a date at the end of a January"] =
      { "Thu, 01 Feb 2024 00:00:10 GMT", "Wed, 31 Jan 2024 23:59:30 GMT", 40 },
    ["as a date that has passed"] = { "Tue, 14 Nov 2023 22:13:19 GMT", nil, 0 },
    ["as a date a day ahead is an hour"] = { "Wed, 15 Nov 2023 22:13:20 GMT", nil, 3600, DAY },
    ["as a second since 1970"] = { "1700000060", nil, 60 },
    ["as a millisecond since 1970"] = { "1700000060000", nil, 60 },
    ["as a second since 1970 that has passed"] = { "1699999999", nil, 0 },
    ["as a millisecond since 1970 that has passed"] = { "1699999999000", nil, 0 },
    ["below 0 says nothing"] = { "-5", nil, nil },
    ["with a plus says nothing"] = { "+5", nil, nil },
    ["in hex says nothing"] = { "0x10", nil, nil },
    ["with an exponent says nothing"] = { "1e3", nil, nil },
    ["with a word says nothing"] = { "soon", nil, nil },
    ["with a unit says nothing"] = { "5s", nil, nil },
    ["that is empty says nothing"] = { "", nil, nil },
    ["with two points says nothing"] = { "1.5.5", nil, nil },
  } do
    it(what, function()
      local seconds, longer = retry_after.read({ headers = { ["retry-after"] = case[1], date = case[2] } }, NOW)
      assert.same({ case[3], case[4] }, { seconds, longer })
    end)
  end

  it("that is not there says nothing", function()
    assert.is_nil(retry_after.read({ headers = {} }, NOW))
  end)
end)
