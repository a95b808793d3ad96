-- The picture of the benchmark and its page say what the figures say, and nothing of their own.
local figures = require "bench.rows.figures"
local picture = require "bench.rows.picture"
local world = require "spec.support.world"

local HEAD = "# rows: a million rows\n# small: few rows\n# machine: nothing else to do\n"

-- A file of figures: each a name, what becomes of phones, and nanoseconds.
local function file_of(...)
  local lines = {}
  for i, one in ipairs { ... } do
    lines[i] = ("%s\t%s\t%d\t20\t37648\t37430\t100\n"):format(one[1], one[2], one[3])
  end
  return HEAD .. table.concat(lines)
end

-- The bars from the top: name, class, length, label.
local function bars_of(...)
  local svg, bars = picture.draw(figures.read(file_of(...))), {}
  for name, class, width, label in svg:gmatch('text%-anchor="end">([^<]*)</text>\n<rect class="([^"]*)" x="%d+" y="%d+"'
    .. ' width="(%d+)" height="%d+"/>\n<text class="value"[^>]*>([^<]*)</text>') do
    bars[#bars + 1] = { name = name, class = class, width = tonumber(width), label = label }
  end
  return bars, svg
end

describe("the picture of the benchmark", function()
  it("in the tree is what the program makes of the figures in the tree", function()
    assert.equal(picture.draw(figures.read(world.read "bench/figures.tsv")), world.read "bench/rows.svg")
  end)

  it("has bars of which each tenfold cost adds as much, the cheapest first", function()
    local bars = bars_of({ "scope3, map", "validated", 1000 }, { "slow", "digits", 100000 }, { "quick", "digits", 100 },
      { "slower", "validated", 10000 })
    local decade = bars[2].width
    assert.is_true(decade > 50)
    assert.same({
      { name = "quick", class = "peer hollow", width = 1, label = "100 ns, 0.10×" }, -- where the scale begins
      { name = "scope3, map", class = "ours", width = decade, label = "1.00 µs, 1.00×" },
      { name = "slower", class = "peer", width = 2 * decade, label = "10.0 µs, 10.0×" },
      { name = "slow", class = "peer hollow", width = 3 * decade, label = "100 µs, 100×" },
    }, bars)
  end)

  it("labels a bar with three digits, and with the ratio to the first line of the file", function()
    for _, case in ipairs {
      { 421, "421 ns, 1.00×" }, { 999, "999 ns, 2.37×" }, { 1447, "1.45 µs, 3.44×" }, { 9949, "9.95 µs, 23.6×" },
      { 9960, "10.0 µs, 23.7×" }, { 31231, "31.2 µs, 74.2×" }, { 99960, "100 µs, 237×" },
    } do
      local bars = bars_of({ "scope3, map", "validated", 421 }, { "other", "digits", case[1] })
      assert.equal(case[2], bars[2].label)
    end
  end)

  it("keeps programs of one cost in the order of the file, and one alone has a scale", function()
    local bars = bars_of({ "b", "digits", 500 }, { "a", "digits", 500 }, { "c", "digits", 500 })
    assert.same({ "b", "a", "c" }, { bars[1].name, bars[2].name, bars[3].name })
    local alone, svg = bars_of { "one", "digits", 1000 }
    assert.equal(1, #alone)
    assert.truthy(svg:find(">1 µs</text>", 1, true) and svg:find(">10 µs</text>", 1, true))
  end)

  it("writes what means something in SVG as text", function()
    local bars = bars_of { '<script>"a" & b', "digits", 500 }
    assert.equal("&lt;script&gt;&quot;a&quot; &amp; b", bars[1].name)
  end)

  it("has no script, takes nothing from elsewhere, and has a background for light and for dark", function()
    local svg = world.read "bench/rows.svg"
    for _, word in ipairs { "<script", "href", "url(", "@import", "onload" } do
      assert.is_nil(svg:find(word, 1, true), word)
    end
    local light, dark = svg:match "^(.-)@media %(prefers%-color%-scheme: dark%)(.*)</style>"
    assert.truthy(light:find ".page { fill: #ffffff" and dark:find ".page { fill: #0d1117")
  end)
end)

describe("the figures of the benchmark", function()
  it("come back from their file as they went into it", function()
    local text = world.read "bench/figures.tsv"
    assert.equal(text, figures.write(figures.read(text)))
  end)

  it("are refused where a line is none of theirs", function()
    for _, line in ipairs {
      "a\tdigits\t1\t2\t3\t4", "a\tdigits\t1\t2\t3\t4\t5\t6", "a\tguessed\t1\t2\t3\t4\t5", "\tdigits\t1\t2\t3\t4\t5",
      "a\tdigits\t0\t2\t3\t4\t5", "a\tdigits\t1.5\t2\t3\t4\t5", "a\tdigits\t-1\t2\t3\t4\t5", "a digits 1 2 3 4 5",
    } do
      local read, why = pcall(figures.read, HEAD .. line .. "\n")
      assert.is_false(read)
      assert.equal("a line of figures that cannot be read: " .. line, why)
    end
    assert.is_false((pcall(figures.read, HEAD)))
    assert.is_false((pcall(figures.read, "a\tdigits\t1\t2\t3\t4\t5\n")))
  end)

  it("are those that the page shows, with the machine that they are of", function()
    local list, page = figures.read(world.read "bench/figures.tsv"), world.read "bench/README.md"
    for _, text in ipairs { figures.tables(list), list.machine, "](rows.svg)" } do
      assert.truthy(page:find(text, 1, true), text)
    end
  end)
end)
