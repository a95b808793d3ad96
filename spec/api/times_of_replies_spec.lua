-- Times in replies mean what RFC 9110 (Date, Retry-After) and RFC 3339 (created_at, updated_at) say, on every day of
-- the calendar; what is no such time is passed over.
local retry_after = require "scope3.http.retry_after"
local time = require "scope3.util.time"

local NOW = 1795990400 -- Sun, 29 Nov 2026 22:13:20 GMT

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local WEEKDAYS = { "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday" } -- 1970 began on one

-- The calendar as it is taught: days are counted one after the other.
local LENGTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- Calls a function with each day from 1970 up to a year, and the number of days before it.
local function each_day(last_year, visit)
  local before = 0
  for year = 1970, last_year do
    for month, length in ipairs(LENGTHS) do
      for day = 1, month == 2 and is_leap(year) and 29 or length do
        visit(before, year, month, day)
        before = before + 1
      end
    end
  end
end

-- What a Retry-After asks for.
local function asked(value, date)
  return retry_after.read({ headers = { ["retry-after"] = value, date = date } }, NOW)
end

describe("a time in a reply", function()
  it("is the second that the three forms of RFC 9110 name in its own example", function()
    for _, text in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    } do
      assert.equal(784111777, time.http_date(text), text)
    end
  end)

  it("is right on each day of 1970 to 2110, in each form that has its year", function()
    each_day(2110, function(before, year, month, day)
      local weekday, expected = WEEKDAYS[before % 7 + 1], before * 86400 + 43201
      local short, name = weekday:sub(1, 3), MONTHS[month]
      local imf = ("%s, %02d %s %d 12:00:01 GMT"):format(short, day, name, year)
      local asctime = ("%s %s %2d 12:00:01 %d"):format(short, name, day, year)
      local iso = ("%d-%02d-%02dT12:00:01Z"):format(year, month, day)
      local read = { time.http_date(imf), time.http_date(asctime), time.iso(iso) }
      for form = 1, 3 do
        if read[form] ~= expected then -- asserted only then, because there are 51,500 days
          assert.same({ expected, expected, expected }, read, imf)
        end
      end
    end)
  end)

  it("knows leap years by the hundred, the four hundred, and before 1970", function()
    for text, seconds in pairs {
      ["2000-02-29T00:00:00Z"] = 951782400, ["2000-03-01T00:00:00Z"] = 951868800,
      ["2100-02-28T00:00:00Z"] = 4107456000, ["2100-03-01T00:00:00Z"] = 4107542400,
      ["2024-02-29T23:59:59Z"] = 1709251199, ["2024-12-31T23:59:60Z"] = 1735689600,
      ["1969-12-31T23:59:59Z"] = -1, ["1900-03-01T00:00:00Z"] = -2203891200, ["9999-12-31T23:59:59Z"] = 253402300799,
    } do
      assert.equal(seconds, time.iso(text), text)
    end
  end)

  it("of two digits of a year is none of over fifty years ahead", function()
    for text, seconds in pairs {
      ["Sunday, 29-Nov-26 22:13:20 GMT"] = NOW,
      ["Monday, 30-Nov-26 22:13:20 GMT"] = NOW + 86400,
      ["Tuesday, 01-Jan-30 00:00:00 GMT"] = 1893456000,
      ["Wednesday, 01-Jan-76 00:00:00 GMT"] = 3345062400, -- 2076: 49 years ahead
      ["Thursday, 31-Dec-76 00:00:00 GMT"] = 220838400, -- 1976: 2076 would be 50 years ahead, and a month
      ["Friday, 31-Dec-99 23:59:59 GMT"] = 946684799,
      ["Saturday, 01-Jan-00 00:00:00 GMT"] = 946684800,
      ["Tuesday, 29-Feb-00 00:00:00 GMT"] = 951782400, -- 2100 has none
    } do
      assert.equal(seconds, time.http_date(text, NOW), text)
    end
    assert.equal(4102444800, time.http_date("Friday, 01-Jan-00 00:00:00 GMT", 4102444799)) -- 2100, a second before it
  end)

  it("is by its offset from UTC, and to the fraction that it has", function()
    for text, seconds in pairs {
      ["2026-11-01T12:00:00Z"] = 1793534400, ["2026-11-01t12:00:00z"] = 1793534400,
      ["2026-11-01 12:00:00"] = 1793534400, ["2026-11-01T12:00:00"] = 1793534400,
      ["2026-11-01T12:00:00+00:00"] = 1793534400, ["2026-11-01T12:00:00-00:00"] = 1793534400,
      ["2026-11-01T14:00:00+02:00"] = 1793534400, ["2026-11-01T08:00:00-0400"] = 1793534400,
      ["2026-11-01T17:30:00+05:30"] = 1793534400, ["2026-11-01T02:30:00-09:30"] = 1793534400,
      ["2026-11-02T02:00:00+14:00"] = 1793534400, ["2026-10-31T23:59:00-12:01"] = 1793534400,
      ["2026-11-01T12:00:00.25Z"] = 1793534400.25, ["2026-11-01T12:00:00,5+00:00"] = 1793534400.5,
      ["2026-11-01T14:00:00.125+02:00"] = 1793534400.125,
      ["2026-11-01T14:00:00." .. ("0"):rep(54) .. "+02:00"] = 1793534400, -- of the 80 bytes that are looked at
    } do
      assert.equal(seconds, time.iso(text), text)
    end
  end)

  it("is none where the text is of another form, or names a time that does not exist", function()
    for _, text in ipairs {
      "", "now", "1994", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET",
      "Sun, 06 Nov 1994 08:49:37 +0100",
      "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
      "Sun, 06 Foo 1994 08:49:37 GMT", "06 Nov 1994 08:49:37 GMT", " Sun, 06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49:37 GMT and more", "Sunday, 06-Nov-1994 08:49:37 GMT", "Sunday, 06-Foo-94 08:49:37 GMT",
      "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 94", "Sun Nov  6 08:49:37 1994 GMT", "Sun Foo  6 08:49:37 1994",
      "Thu, 00 Nov 1994 08:49:37 GMT", "Thu, 31 Nov 1994 08:49:37 GMT", "Wed, 29 Feb 2023 08:49:37 GMT",
      "Mon, 29 Feb 2100 00:00:00 GMT", "Fri, 32 Dec 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT",
      "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun Nov 31 08:49:37 1994",
    } do
      assert.is_nil(time.http_date(text, NOW), text)
    end
    for _, text in ipairs {
      "", "2026-11-01", "2026-11-01T12:00Z", "2026-11-01T12:00:00 CET", "2026-11-01T12:00:00+2",
      "2026-11-01T12:00:00.Z",
      "2026-11-01T12:00:00+02:00x", "26-11-01T12:00:00Z", "2026-1-1T12:00:00Z", "2026-11-01_12:00:00Z",
      "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-31T00:00:00Z",
      "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-12-32T00:00:00Z", "2026-11-01T25:00:00Z",
      "2026-11-01T12:60:00Z", "2026-11-01T12:00:61Z", 1793534400, false, {},
    } do
      assert.is_nil(time.iso(text), tostring(text))
    end
    assert.is_nil(time.iso(nil))
  end)

  it("to wait is in seconds with or without a fraction, or a date in any form, and an hour at most", function()
    for value, seconds in pairs {
      ["0"] = 0, ["1"] = 1, ["007"] = 7, ["0.5"] = 0.5, ["1.25"] = 1.25, ["3."] = 3, ["3599.5"] = 3599.5,
      ["3600"] = 3600, ["Sun, 29 Nov 2026 22:14:20 GMT"] = 60, ["Sunday, 29-Nov-26 22:14:20 GMT"] = 60,
      ["Sun Nov 29 22:14:20 2026"] = 60,
      ["Sun, 29 Nov 2026 23:13:20 GMT"] = 3600, ["Sun, 29 Nov 2026 22:13:20 GMT"] = 0,
      ["Sun, 29 Nov 2026 22:13:19 GMT"] = 0, ["Thu, 01 Jan 1970 00:00:00 GMT"] = 0,
    } do
      assert.same({ seconds }, { asked(value) }, value)
    end
    for value, longer in pairs {
      ["3600.5"] = 3600.5, ["3601"] = 3601, ["999999999"] = 999999999, ["99999999999999999999999999"] = 2 ^ 53,
      ["Sun, 29 Nov 2026 23:13:21 GMT"] = 3601, ["Sun Nov 29 23:13:21 2026"] = 3601,
    } do
      assert.same({ 3600, longer }, { asked(value) }, value)
    end
  end)

  it("to wait is by the clock of the service where that tells its Date, in any form", function()
    for _, date in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    } do
      assert.same({ 23 }, { asked("Sun, 06 Nov 1994 08:50:00 GMT", date) }, date)
      assert.same({ 0 }, { asked("Sun, 06 Nov 1994 08:49:00 GMT", date) }, date)
    end
    assert.same({ 60 }, { asked("Sun, 29 Nov 2026 22:14:20 GMT", "yesterday") })
  end)

  it("to wait is none where the text is below zero or no number", function()
    for _, value in ipairs {
      "", " ", "-1", "-0.5", "-0", "+5", "1e3", "0x10", "1,5", "5 s", ".5", "inf", "nan", "1.2.3", "12 34",
      "Sun, 31 Nov 2026 22:14:20 GMT",
    } do
      assert.is_nil((asked(value)), value)
    end
    assert.is_nil((asked(nil)))
  end)
end)
