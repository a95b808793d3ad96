--- The report of --report FILE.html: one page that needs no network and no script, for screens, phones and paper.
---
--- Names of columns, files and audiences, and words of the service are of others: each text is escaped.
local report = require "scope3.cli.report"
local report_charts = require "scope3.cli.report_charts"
local report_head = require "scope3.cli.report_head"
local report_style = require "scope3.cli.report_style"
local report_summary = require "scope3.cli.report_summary"
local report_svg = require "scope3.cli.report_svg"
local result = require "scope3.result"
local text = require "scope3.cli.text"
local version = require "scope3.version"

local report_html = {}

local escape = report_svg.escape

-- A text of several lines.
local function lines_of(words)
  local lines = {}
  for line in words:gmatch("[^\n]+") do
    lines[#lines + 1] = escape(line)
  end
  return table.concat(lines, "<br>")
end

local function cells_of(row, right)
  local cells = {}
  for i, cell in ipairs(row) do
    cells[i] = ("<td%s>%s</td>"):format(right[i] and ' class="n"' or "", escape(cell))
  end
  return "<tr>" .. table.concat(cells) .. "</tr>"
end

-- Rows whose first cell says what the others are of.
local function table_of(caption, head, rows)
  local lines = {}
  for i, row in ipairs(rows) do
    local cells = {}
    for k = 2, #row do
      cells[#cells + 1] = ('<td class="n">%s</td>'):format(escape(row[k]))
    end
    lines[i] = ('<tr><th scope="row">%s</th>%s</tr>'):format(escape(row[1]), table.concat(cells))
  end
  local titles = {}
  for i, title in ipairs(head) do
    titles[i] = ('<th scope="col"%s>%s</th>'):format(i > 1 and ' class="n"' or "", escape(title))
  end
  return ('<table><caption class="hidden">%s</caption><thead><tr>%s</tr></thead><tbody>%s</tbody></table>'):format(
    escape(caption), table.concat(titles), table.concat(lines, "\n"))
end

-- A table that is long scrolls beside its chart, also by keys.
local function figure_of(figure)
  local cells = table_of(figure.title, figure.head, figure.rows)
  if figure.tall then
    cells = ('<div class="tall" tabindex="0" role="region" aria-label="%s">%s</div>'):format(escape(figure.title),
      cells)
  end
  return ('<section class="figure"><h2>%s</h2><div class="pair"><div class="chart">%s%s</div>%s</div></section>')
    :format(escape(figure.title), figure.svg, figure.aside and "<p>" .. escape(figure.aside) .. "</p>" or "", cells)
end

local function pairs_of(rows)
  local parts = {}
  for i, row in ipairs(rows) do
    parts[i] = ("<dt>%s</dt><dd>%s</dd>"):format(escape(row[1]), escape(row[2]))
  end
  return "<dl>" .. table.concat(parts, "\n") .. "</dl>"
end

-- The numbers that are looked at first.
local function tiles_of(res)
  local tiles = { { "rows", res.rows } }
  local is_night = res.mirror ~= nil
  if res.prepared then
    tiles[2] = { "prepared", res.prepared }
  elseif res.would_send then
    tiles[2] = { "would be sent", res.would_send }
  else
    tiles[2] = { res.removed > 0 and "accepted or removed" or "accepted", res.accepted }
  end
  tiles[3] = { "rows rejected", result.total(res.rejected) }
  tiles[4] = is_night and { "unchanged", res.mirror.unchanged } or { "identifiers dropped", result.total(res.dropped) }
  local lost = res.failed + res.unknown + res.rejected_by_service
  tiles[5] = { "members not taken", lost }
  local parts = {}
  for i, tile in ipairs(tiles) do
    parts[i] = ('<li><b>%s</b> <span>%s</span></li>'):format(text.count(tile[2]), tile[1])
  end
  return '<ul class="tiles">' .. table.concat(parts) .. "</ul>"
end

local function list_of(class, title, sentences)
  local parts = {}
  for i, sentence in ipairs(sentences) do
    parts[i] = "<li>" .. escape(sentence) .. "</li>"
  end
  return #parts > 0 and ('<section class="%s"><h2>%s</h2><ul>%s</ul></section>'):format(class, title,
    table.concat(parts)) or ""
end

local function warnings_of(res)
  local sentences = {}
  for i, warning in ipairs(res.warnings) do
    sentences[i] = warning.message
  end
  return list_of("notes", "Warnings", sentences)
end

-- The tables that no chart has.
local function tables_of(sections)
  local parts = {}
  for _, section in ipairs(sections) do
    if #section.rows > 0 and not section.drawn then
      local rows = {}
      for i, row in ipairs(section.rows) do
        rows[i] = cells_of(row, section.right or {})
      end
      local title = escape((section.title:gsub(":$", "")))
      parts[#parts + 1] = ('<section><h2>%s</h2><div class="wide"><table class="list"><caption class="hidden">%s'
        .. "</caption><tbody>%s</tbody></table></div></section>"):format(title, title, table.concat(rows, "\n"))
    end
  end
  return table.concat(parts, "\n")
end

-- What the report says of a result.
local function body_of(res, about)
  local parts = { tiles_of(res), warnings_of(res) }
  for _, figure in ipairs(report_charts.of(res, about)) do
    parts[#parts + 1] = figure_of(figure)
  end
  for _, figure in ipairs(about.nights and require("scope3.cli.report_nights").figures(about.nights, res) or {}) do
    parts[#parts + 1] = figure_of(figure)
  end
  parts[#parts + 1] = tables_of(report.tables(res))
  parts[#parts + 1] = "<section><h2>All numbers</h2>" .. pairs_of(report_summary.rows(res, about)) .. "</section>"
  parts[#parts + 1] = list_of("notes", "And", report.sentences(res, about))
  return table.concat(parts, "\n")
end

-- What the report says of a command that sends no rows.
local function words_of(body)
  return table.concat({ tables_of(body.tables or {}), list_of("notes", "And", body.sentences or {}),
    "<section><h2>In short</h2>" .. pairs_of(body.rows) .. "</section>" }, "\n")
end

local NOTHING = "<p>The job did not begin, so there are no numbers.</p>"

local PAGE = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>%s</title>
<style>
%s</style>
</head>
<body>
<header>
<p class="status %s">%s</p>
<h1>%s</h1>
%s%s
</header>
<main>
%s
</main>
<footer>scope3 %s for Lua. This page holds no personal data.</footer>
</body>
</html>
]]

--- The report as a page of HTML.
---@param ended scope3.cli.Ended
---@param about scope3.cli.ReportContext
---@return string
function report_html.of(ended, about)
  local head = report_head.of(ended, about)
  local facts = head.facts
  table.insert(facts, 1, { "Job", about.title })
  return PAGE:format(escape(head.subject), report_style, head.tone, escape(head.word), escape(head.subject),
    head.message and '<p class="message" role="alert">' .. lines_of(head.message) .. "</p>\n" or "", pairs_of(facts),
    head.has_result and body_of(ended.fields, about) or about.body and words_of(about.body) or NOTHING,
    version)
end

return report_html
