/** Runs command lines, a JSON list of lists on standard input, in this process; prints how each ended as a JSON list. */
const path = require('node:path');
const { main } = require(path.join(__dirname, '../../../dist/cli/main.js'));

async function run(argv) {
  const written = { stdout: '', stderr: '' };
  const { stdout, stderr } = process;
  const kept = [stdout.write, stderr.write];
  stdout.write = (text) => ((written.stdout += text), true);
  stderr.write = (text) => ((written.stderr += text), true);
  try {
    return { code: await main(argv), ...written };
  } finally {
    [stdout.write, stderr.write] = kept;
    process.exitCode = undefined;
  }
}

let input = '';
process.stdin.on('data', (text) => (input += text));
process.stdin.on('end', async () => {
  const ended = [];
  for (const argv of JSON.parse(input)) ended.push({ argv, ...(await run(argv)) });
  process.stdout.write(JSON.stringify(ended));
  process.exitCode = 0;
});
