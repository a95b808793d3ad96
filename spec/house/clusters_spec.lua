-- The recipes of docs/clusters.md, as their page writes them. Slurm, Kubernetes and Spark are not here: small programs
-- stand in for their commands, and keep to what these document of environments, numbers, partitions and exit codes.
local pages = require "spec.support.pages"
local recipes = require "spec.support.recipes"
local world = require "spec.support.world"

local PAGE = "docs/clusters.md"
local FILES = 8

-- A job array runs the script once for each number, here all at once. With --parsable the number of the job is printed.
-- A job after another one begins where that ended well, and else never ends unless it is told to.
local SBATCH = [[
parsable= from= to= failed= kill=
while :; do
  case $1 in
    --parsable) parsable=1 ;;
    --array=*) range=${1#--array=} from=${range%-*} to=${range#*-} ;;
    --dependency=afterok:*) test "$(cat slurm.code)" = 0 || failed=1 ;;
    --kill-on-invalid-dep=yes) kill=1 ;;
    --*) ;;
    *) break ;;
  esac
  shift
done
if [ "$failed" ]; then
  echo "DependencyNeverSatisfied" >&2
  if [ "$kill" ]; then exit 1; else exit 99; fi # it would wait for ever
fi
if [ -z "$from" ]; then exec sh "$1"; fi
jobs= code=0
for i in $(seq "$from" "$to"); do
  SLURM_ARRAY_JOB_ID=4711 SLURM_ARRAY_TASK_ID=$i sh "$1" >&2 & jobs="$jobs $!"
done
for job in $jobs; do wait "$job" || code=1; done
echo $code > slurm.code
if [ "$parsable" ]; then echo 4711; fi
]]

-- An indexed job starts its command with each number, and may do so twice at once. One pod is killed and started again.
-- A job that is there already is not run again.
local KUBECTL = [[
if [ "$1" = wait ]; then exit "$(cat kube.code)"; fi
if [ "$1" = delete ]; then rm -f kube.code; exit; fi
if [ -e kube.code ]; then echo "job.batch/prepare unchanged"; exit; fi
command=$(sed -n 's/.*command: \["sh", "-c", "\(.*\)"\]/\1/p' "$3" | sed 's/\\"/"/g')
last=$(($(sed -n 's/.*completions: //p' "$3") - 1)) jobs= code=0
JOB_COMPLETION_INDEX=2 timeout -s KILL 0.02 sh -c "$command" 2>/dev/null
for i in $(seq 0 "$last") 3 5; do JOB_COMPLETION_INDEX=$i sh -c "$command" & jobs="$jobs $!"; done
for job in $jobs; do wait "$job" || code=1; done
echo $code > kube.code
]]

-- What pipe() does with partitions: the first of them is empty, and an exit code counts only with checkCode. Its
-- environment is the one that is given, and here where this tree is.
local SPARK = [[
set -e
command=$(sed -n 's/^ *"\(.*\)"$/\1/p' "$1" | tr -d '\n')
grep -q 'pipe(PREPARE, env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, checkCode=True)' "$1"
grep -q 'jsonGenerator.ignoreNullFields", "false"' "$1"
mkdir members
i=0
for partition in partitions/*; do
  env -i PATH="$PWD/bin:/usr/local/bin:/usr/bin:/bin" LUA_PATH="$LUA_PATH" LUA_CPATH="$LUA_CPATH" sh -c "exec $command" < "$partition" \
    > "members/part-0000$i" || { echo "Pipe function exited with error code" >&2; exit 1; }
  i=$((i + 1))
done
touch members/_SUCCESS
]]

describe("a recipe for clusters", function()
  if os.getenv "ASAN_OPTIONS" then
    return -- shells and their programs have leaks of their own
  end
  local sandbox = world.around(setup, teardown, before_each)
  local kitchen

  local function text_of(heading)
    return pages.section(world.read(PAGE), heading)
  end

  local function blocks(heading)
    return pages.blocks(PAGE, text_of(heading))
  end

  before_each(function()
    sandbox:configure { task_seconds = 0, audience_seconds = 0, log_bodies = true }
    kitchen = recipes.new(sandbox.url)
    for _, block in ipairs(pages.blocks(PAGE, world.read(PAGE))) do
      if block.file then
        kitchen:write(block.file, block.text)
      end
    end
    kitchen:sh "mkdir export"
    local step = recipes.ROWS / FILES
    for i = 1, FILES do
      kitchen:write(("export/customers-%d.csv"):format(i), recipes.people((i - 1) * step + 1, i * step))
    end
  end)
  after_each(function()
    kitchen:close()
  end)

  -- The requests since this was asked last.
  local function sent()
    local bodies = {}
    for i, request in ipairs(sandbox:requests "sync") do
      bodies[i] = request.body
    end
    sandbox:reset()
    sandbox:configure { task_seconds = 0, audience_seconds = 0, log_bodies = true }
    return bodies
  end

  -- The requests of one job over the raw files.
  local function of_one_job()
    local code, printed = kitchen:sh("scope3 sync export/*.csv --audience crm --wait --quiet --map external_id=id "
      .. "--map email=email --map phone=phone --map region=country")
    assert.same({ 0, "" }, { code, printed })
    return sent()
  end

  local function cook(heading)
    for _, block in ipairs(blocks(heading)) do
      if block.language == "sh" and not block.file then
        local code, printed = kitchen:sh(block.text)
        assert.equal(0, code, printed)
      end
    end
  end

  local function is_as_one_job()
    local came = sent()
    assert.same(of_one_job(), came)
    assert.equal(1, #came)
  end

  it("begins with a list on one machine, for the command and for Lua", function()
    local code, printed = kitchen:sh(pages.blocks(PAGE, world.read(PAGE))[1].text)
    assert.equal(0, code, printed)
    assert.is_true(#sandbox:ids "crm" > 900)
    for _, block in ipairs(pages.blocks(PAGE, world.read(PAGE))) do
      if block.language == "lua" then
        kitchen:write("page.lua", block.text)
        code, printed = kitchen:sh(os.getenv "SCOPE3_LUA_BIN" .. " page.lua")
        assert.same({ 0, block.prints }, { code, printed })
      end
    end
  end)

  it("of parallel sends what one job would", function()
    cook "## One machine"
    is_as_one_job()
    assert.equal("", kitchen:files "members.part")
  end)

  it("of parallel sends nothing where one file cannot be prepared", function()
    kitchen:write("export/customers-3.csv", "id,mail\nC1,a@example.com\n")
    local code = kitchen:sh(blocks("## One machine")[1].text)
    assert.is_true(code > 0)
    assert.same({}, sent())
    assert.equal("", kitchen:files "members.jsonl")
  end)

  it("of Slurm sends what one job would, also where a part runs again", function()
    kitchen:program("sbatch", SBATCH)
    cook "### Slurm"
    kitchen:sh "SLURM_ARRAY_TASK_ID=3 sh array.sh"
    sent()
    assert.same({ 0, "" }, { kitchen:sh "sh send.sh >/dev/null" })
    is_as_one_job()
  end)

  it("of Slurm sends nothing where a part failed", function()
    kitchen:program("sbatch", SBATCH)
    kitchen:write("export/customers-8.csv", "id,email,phone,country\n" .. ("C1,nobody,,\n"):rep(20))
    local code, printed = kitchen:sh(blocks("### Slurm")[2].text)
    assert.equal(1, code, printed)
    assert.same({}, sent())
    assert.equal(FILES - 1, select(2, kitchen:files("members/*"):gsub("\n", "")))
    assert.equal(1, (kitchen:sh "sh send.sh"))
  end)

  it("of a part fails with words where its number is missing or none, and prepares no other part", function()
    kitchen:sh "ls export/*.csv > files.txt; mkdir members"
    for _, command in ipairs { "sh array.sh", "SLURM_ARRAY_TASK_ID= sh array.sh", "sh part.sh one", "sh part.sh 8" } do
      local code, printed = kitchen:sh("unset SLURM_ARRAY_TASK_ID; " .. command)
      assert.is_true(code > 0 and printed:find "%a+ %a+" ~= nil, command .. ": " .. printed)
      assert.equal("", kitchen:files "members/*")
    end
    assert.equal(0, (kitchen:sh "SLURM_ARRAY_TASK_ID=0 sh array.sh"))
    assert.equal("members/00000.jsonl\n", kitchen:files "members/*")
  end)

  it("of Kubernetes sends what one job would, where numbers run twice and a pod is killed", function()
    kitchen:program("kubectl", KUBECTL)
    cook "### Kubernetes"
    is_as_one_job()
    assert.equal(FILES, select(2, kitchen:files("members/*"):gsub("\n", "")))
  end)

  for heading, program in pairs { ["### Slurm"] = { "sbatch", SBATCH }, ["### Kubernetes"] = { "kubectl", KUBECTL } } do
    it(("of %s sends what there is now, where it runs another time"):format(heading:match "%a+"), function()
      kitchen:program(program[1], program[2])
      cook(heading)
      sent()
      for i = 1, FILES do
        kitchen:write(("export/customers-%d.csv"):format(i), recipes.people(i, i))
      end
      cook(heading)
      is_as_one_job()
    end)
  end

  it("of Spark sends each row once, with an empty partition and without a header", function()
    kitchen:program("spark-submit", SPARK)
    local partitions = { [0] = {} }
    for i = 1, recipes.ROWS do
      partitions[i % 4] = partitions[i % 4] or {}
      table.insert(partitions[i % 4], ('{"id":"%s","email":%s,"phone":"+44 20 7946 %04d","country":"GB"}\n'):format(
        recipes.id(i), i % 5 == 0 and "null" or ('"person%d@example.com"'):format(i), i % 1000))
    end
    kitchen:sh "mkdir partitions"
    kitchen:write("partitions/0", "")
    for i = 0, 3 do
      kitchen:write("partitions/" .. i + 1, table.concat(partitions[i]))
    end
    kitchen:write("partitions/5", '{"id":"P1","email":null,"phone":null,"country":null}\n')
    cook "## Spark"
    assert.equal(recipes.ROWS, #sandbox:ids "crm")
  end)

  it("of Spark fails where a partition does", function()
    kitchen:program("spark-submit", SPARK)
    kitchen:sh "mkdir partitions"
    kitchen:write("partitions/0", '{"key":"P1"}\n')
    assert.equal(1, (kitchen:sh(blocks("## Spark")[2].text)))
    assert.same({}, sent())
  end)
end)
