// DuckDB, one thread, as one would write it in SQL: trimmed, lowercased, digits of phones behind a plus. Run from the folder that
// holds node_modules.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(process.cwd() + '/'));
const { DuckDBInstance } = require('@duckdb/node-api');

const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
// Members come out one a line: putting them into bodies would make it hold the whole file.
await connection.run(`
  COPY (
    SELECT '{"externalId":"' || "Customer Id" || '","hashedEmail":"' || sha256(lower(trim(Email))) || '","hashedPhone":"'
      || sha256('+' || regexp_replace("Phone 1", '[^0-9]', '', 'g')) || '"},'
    FROM read_csv('${process.argv[2].replaceAll("'", "''")}', header = true, all_varchar = true)
  ) TO '/dev/null' (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\\t')`);
