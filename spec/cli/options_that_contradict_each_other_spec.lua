-- Options of the command that contradict each other, or that nothing would look at: they are refused before anything is
-- read or sent, with the reason.
local world = require "spec.support.world"

local MAPPED = { "--audience", "a", "--map", "external_id=id", "--map", "email=mail" }

-- Command lines and what is said of them. FILE is a file of rows, SCRIPT a script, OTHER no file yet.
local CASES = {
  { "sync FILE --sandbox --base-url http://127.0.0.1:1", "--sandbox and --base-url contradict each other" },
  { "sync FILE --sandbox --ca-file FILE", "--ca-file has no effect with --sandbox" },
  { "sync FILE --base-url http://127.0.0.1:1 --ca-file FILE", "--ca-file has no effect on a --base-url of plain http" },
  { "sync FILE --sandbox --require-ready", "--require-ready needs --wait" },
  { "sync FILE --dry-run --wait", "--wait has no effect with --dry-run, which sends nothing" },
  { "sync FILE --dry-run --wait --require-ready", "--wait has no effect with --dry-run" },
  { "sync FILE --dry-run --limiter OTHER", "--limiter has no effect on a dry run, which talks to nobody" },
  { "sync FILE --dry-run --ca-file FILE", "--ca-file has no effect on a dry run, which talks to nobody" },
  { "sync FILE --dry-run --metrics OTHER.prom", "--metrics has no effect with --dry-run, which sends nothing" },
  { "sync FILE --sandbox --metrics OTHER", "--metrics takes the name of a file that ends in .prom" },
  { "sync FILE --sandbox --metrics -", "--metrics takes the name of a file that ends in .prom" },
  { "sync FILE --sandbox --metrics spec/.prom", "--metrics takes the name of a file that ends in .prom" },
  { "sync FILE --dry-run --rejects - --json", "--rejects - has no effect with --json" },
  { "sync FILE --dry-run --events - --json", "--events - has no effect with --json" },
  { "sync FILE --dry-run --rejects - --events -", "--rejects - has no effect with --events -" },
  { "wait task_1 --events - --json", "--events - has no effect with --json" },
  { "wait task_1 --events OTHER --limiter OTHER", "--events and --limiter are the same file" },
  { "sync FILE --dry-run --report report.pdf", "--report takes the name of a file that ends in" },
  { "sync FILE --dry-run --report -", "--report takes the name of a file that ends in" },
  { "sync FILE --dry-run --report .txt", "--report takes the name of a file that ends in" },
  { "sync FILE --dry-run --max-rejected many", "--max-rejected takes a number of rows, or a share such as 5%" },
  { "sync FILE --dry-run --min-accepted 0", "--min-accepted takes a whole number of members, 1 or more" },
  { "sync FILE --sandbox --wait -1", "--wait takes a number that is not negative" },
  { "sync FILE --dry-run --format jsonl --delimiter ,", "--delimiter" },
  { "sync FILE --dry-run --region Atlantis", "region" },
  { "run SCRIPT FILE --dry-run --limiter OTHER", "--limiter has no effect on a dry run, which talks to nobody" },
  { "wait task_1 --require-ready", "--require-ready needs --audience: a task alone is not READY" },
  { "wait task_1 --sandbox", "--sandbox has no effect on wait: a private sandbox has no tasks" },
  { "wait task_1 --timeout -1", "--timeout takes a number that is not negative" },
  { "wait a/b", "the id has not the form of a task's" },
  { "task a/b", "the id has not the form of a task's" },
  { "task task_1 --sandbox", "--sandbox has no effect on task: a private sandbox has no tasks" },
  { "task task_1 --quiet --json", "--quiet has no effect with --json" },
  { "doctor --quiet --json", "--quiet has no effect with --json" },
  { "hash email a@example.org --json --explain", "--explain has no effect with --json" },
  { "hash phone +12065550142 --no-repair", "--no-repair is for emails and ids" },
  { "hash email a@example.org --ids hash", "--ids is for ids" },
}

describe("the command", function()
  teardown(world.clean)
  local paths

  setup(function()
    paths = {
      FILE = world.file("id,mail\n1,a@example.org\n", ".csv"), OTHER = world.path ".limiter",
      SCRIPT = world.file("return { audience = 'a', map = { external_id = 'id', email = 'mail' } }", ".lua"),
    }
  end)

  for _, case in ipairs(CASES) do
    it("refuses: " .. case[1], function()
      local words = {}
      for word in case[1]:gmatch "%S+" do
        words[#words + 1] = paths[word] or word
      end
      for _, word in ipairs(words[1] == "sync" and MAPPED or {}) do
        words[#words + 1] = word
      end
      local code, out, said = world.command(words)
      assert.equal(2, code, said)
      assert.truthy((said .. out):find(case[2], 1, true), said .. out)
    end)
  end
end)
