// `duckdb -c SQL` by DuckDB's library for Node, where the command itself is not installed:
//   node spec/support/duckdb.mjs FOLDER-OF-NODE_MODULES -c SQL
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, , sql] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(pathToFileURL(folder + '/'))('@duckdb/node-api');

try {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(sql);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
