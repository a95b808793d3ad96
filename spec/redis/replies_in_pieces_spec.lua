-- Replies of Redis mean the same however their bytes are cut, and what is none ends in a problem, in linear time.
local resp = require "scope3.redis.resp"
local seed = require "spec.support.seed"

-- Reads a text that comes in pieces: the replies, and the problem.
local function read(pieces, limits)
  local decoder, replies = resp.decoder(limits), {}
  for _, piece in ipairs(pieces) do
    decoder:feed(piece)
    while true do
      local there, value = decoder:next()
      if there then
        replies[#replies + 1] = value
      elseif there == nil then
        return replies, value, decoder
      else
        break
      end
    end
  end
  return replies, nil, decoder
end

-- A text cut at random places.
local function cut(text)
  local pieces, at = {}, 1
  local most = math.random(1, 3) == 1 and 1 or math.random(1, #text)
  while at <= #text do
    local n = math.random(1, most)
    pieces[#pieces + 1] = text:sub(at, at + n - 1)
    at = at + n
  end
  return pieces
end

local function line()
  local out = {}
  for i = 1, math.random(0, 12) do
    out[i] = string.char(math.random(32, 126))
  end
  return table.concat(out)
end

-- A random value, and how Redis writes it.
local function random_value(depth)
  local kind = math.random(1, depth < 4 and 8 or 6)
  if kind == 1 then
    local text = line()
    return text, "+" .. text .. "\r\n"
  elseif kind == 2 then
    local n = math.random(-2000000000, 2000000000)
    return n, (":%d\r\n"):format(n)
  elseif kind == 3 then
    return false, math.random(2) == 1 and "$-1\r\n" or "*-1\r\n"
  elseif kind == 4 then
    local text = line()
    return { refused = text }, "-" .. text .. "\r\n"
  elseif kind <= 6 then
    local out = {}
    for i = 1, math.random(0, 40) do
      out[i] = ("\r\n$*+-:1\0x"):sub(math.random(1, 10)):sub(1, 1)
    end
    local text = table.concat(out)
    return text, "$" .. #text .. "\r\n" .. text .. "\r\n" -- the format of 5.1 ends texts at a NUL
  end
  local list, wire = {}, {}
  for i = 1, math.random(0, 5) do
    list[i], wire[i] = random_value(depth + 1)
  end
  return list, "*" .. #list .. "\r\n" .. table.concat(wire)
end

local LIMITS = { refuse = function(text)
  return { refused = text }
end }

describe("replies of Redis", function()
  it("are the same however they are cut (SCOPE3_SEED=" .. seed .. ")", function()
    math.randomseed(seed)
    for _ = 1, 300 do
      local expected, wire = {}, {}
      for i = 1, math.random(1, 6) do
        expected[i], wire[i] = random_value(0)
      end
      local replies, problem, decoder = read(cut(table.concat(wire)), LIMITS)
      assert.is_nil(problem)
      assert.same(expected, replies)
      assert.equal(0, decoder:held())
    end
  end)

  it("that are damaged give values or a problem, and never raise (SCOPE3_SEED=" .. seed .. ")", function()
    math.randomseed(seed)
    local problems = 0
    for _ = 1, 500 do
      local _, wire = random_value(0)
      local at = math.random(1, #wire)
      wire = wire:sub(1, at - 1) .. string.char(math.random(0, 255)) .. wire:sub(at + math.random(0, 2))
      local whole, problem_of_whole = read({ wire }, LIMITS)
      local pieces, problem_of_pieces = read(cut(wire), LIMITS)
      assert.same(whole, pieces)
      assert.equal(problem_of_whole, problem_of_pieces)
      problems = problems + (problem_of_whole and 1 or 0)
    end
    assert.is_true(problems > 20, problems .. " problems")
  end)

  it("may come in thousands of pieces", function()
    local text, pieces = ("0123456789abcdef"):rep(400), {}
    local wire = "+" .. text .. "\r\n$" .. #text .. "\r\n" .. text .. "\r\n"
    for i = 1, #wire do
      pieces[i] = wire:sub(i, i)
    end
    assert.same({ text, text }, (read(pieces)))
  end)

  it("have numbers that every Lua holds, and texts of larger ones", function()
    assert.same({ 9007199254740991, -9007199254740991, "9007199254740992", "9223372036854775807", 0 },
      read { ":9007199254740991\r\n:-9007199254740991\r\n:9007199254740992\r\n:9223372036854775807\r\n:-0\r\n" })
  end)

  for what, wire in pairs {
    ["HTTP"] = "HTTP/1.1 400 Bad Request\r\n",
    ["a type of another protocol"] = "%1\r\n+a\r\n+b\r\n",
    ["a line that ends without a return"] = "+OK\n",
    ["an empty line"] = "\r\n",
    ["a number with letters"] = ":12a\r\n",
    ["a number in hexadecimal"] = ":0x10\r\n",
    ["no number"] = ":\r\n",
    ["a length below -1"] = "$-2\r\n",
    ["a length with a sign"] = "$+3\r\nabc\r\n",
    ["a text that is longer than was said"] = "$3\r\nabcd\r\n",
    ["a list below -1"] = "*-5\r\n",
    ["a line without an end"] = "+" .. ("x"):rep(70000),
    ["a text of many terabytes"] = "$99999999999999\r\n",
    ["a list of a billion"] = "*1000000000\r\n",
    ["lists in lists without an end"] = ("*1\r\n"):rep(17),
  } do
    it("are refused as " .. what, function()
      local replies, problem = read { wire }
      assert.same({}, replies)
      assert.is_string(problem)
      assert.is_nil((problem:find("Bad Request", 1, true)))
      local _, again = read(cut(wire))
      assert.equal(problem, again)
    end)
  end

  it("stay where what makes an error of a refusal raises, and are nobody else's meanwhile", function()
    local calls, decoder = 0, nil
    decoder = resp.decoder { refuse = function(said)
      calls = calls + 1
      for _, method in ipairs { "feed", "next", "held", "close" } do
        assert.error_matches(function()
          decoder[method](decoder, "x")
        end, "while it makes a reply")
      end
      return calls == 2 and { said } or error("the first time", 0)
    end }
    decoder:feed "*3\r\n$1\r\na\r\n-ERR b\r\n:3\r\n+c\r\n"
    local ok, problem = pcall(decoder.next, decoder)
    assert.same({ false, "the first time" }, { ok, problem })
    assert.same({ true, { "a", { "ERR b" }, 3 } }, { decoder:next() })
    assert.same({ true, "c" }, { decoder:next() })
    assert.same({ false }, { decoder:next() })
    decoder:close()
    decoder:close()
  end)

  it("are capped in bytes and in values, those inside lists too", function()
    local limits = { bytes = 100, values = 5 }
    assert.same({ ("x"):rep(80) }, (read({ "$80\r\n" .. ("x"):rep(80) .. "\r\n" }, limits)))
    assert.is_string((select(2, read({ "$200\r\n" }, limits))))
    assert.is_string((select(2, read({ "*2\r\n$60\r\n" .. ("x"):rep(60) .. "\r\n$60\r\n" }, limits))))
    assert.is_string((select(2, read({ "*2\r\n+" .. ("x"):rep(60) .. "\r\n+" .. ("x"):rep(60) .. "\r\n" }, limits))))
    assert.is_string((select(2, read({ "*3\r\n*1\r\n:1\r\n*3\r\n" }, limits))))
    assert.same({ { { 1, 2 }, 3 } }, (read({ "*2\r\n*2\r\n:1\r\n:2\r\n:3\r\n" }, limits)))
    assert.is_string((select(2, read({ "*2\r\n*2\r\n*1\r\n:1\r\n:2\r\n:3\r\n" }, limits)))) -- each list alone has room
    -- Each reply counts for itself.
    assert.same({ 1, 1, 1, 1, 1, 1, 1, 1 }, (read({ (":1\r\n"):rep(8) }, limits)))
  end)

  it("cost no more for each byte when they are longer, in whatever pieces", function()
    if rawget(_G, "jit") then
      return -- compiled code runs no hook
    end
    local function steps(n, make)
      local count = 0
      local decoder = resp.decoder()
      debug.sethook(function()
        count = count + 1
      end, "", 100)
      for _, piece in ipairs(make(n)) do
        decoder:feed(piece)
        decoder:next()
      end
      debug.sethook()
      return count
    end
    local shapes = {
      text = function(n)
        local pieces = { ("$%d\r\n"):format(n) }
        for i = 1, n do
          pieces[i + 1] = "x"
        end
        return pieces
      end,
      line = function(n)
        local pieces = { "+" }
        for i = 1, n do
          pieces[i + 1] = "x"
        end
        return pieces
      end,
      list = function(n)
        local pieces = { ("*%d\r\n"):format(n) }
        for i = 1, n do
          pieces[i + 1] = ":1\r\n"
        end
        return pieces
      end,
    }
    for what, make in pairs(shapes) do
      local few, many = steps(2000, make), steps(16000, make)
      assert.is_true(many < few * 10, ("%s: %d and %d"):format(what, few, many))
    end
  end)
end)
