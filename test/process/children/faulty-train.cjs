/**
 * Trains with a fault in the file layer: faulty-train.cjs <options as JSON>. `killAt`: the process kills itself before its
 * killAt-th file operation, or in the midst of it where it is an append or a write. `fullAt`: from the time a checkpoint of that step is written on, no
 * bytes fit. `again`: the checkpoint of that step is asked for once more when it is saved. Prints the step
 * that it goes on after on standard output, then the operation of the kill; with `log`, all operations, one a line.
 */
const fs = require('node:fs');
const promises = require('node:fs/promises');

const { config, resume, killAt = 0, fullAt = null, again = null, log = false } = JSON.parse(process.argv[2]);
const operations = [];
/** Of the open files, by descriptor. */
const paths = new Map();
let full = false;

/** Counts an operation; `torn` does half of it before the kill. */
function strike(name, path, torn = () => undefined) {
  if (fullAt !== null && String(path).includes(`.step-${fullAt}.partial`)) full = true;
  operations.push(`${name} ${path}\n`);
  if (operations.length !== killAt) return;
  torn();
  fs.writeSync(1, operations[killAt - 1]);
  process.kill(process.pid, 'SIGKILL');
  // The signal is on its way; nothing may happen until it is there.
  for (;;);
}

const half = (data) => Buffer.from(data).subarray(0, Buffer.from(data).length >> 1);
const noSpace = () =>
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });

const { appendFile, open } = promises;
promises.appendFile = async (path, data, ...rest) => {
  strike('appendFile', path, () => fs.appendFileSync(path, half(data)));
  if (full) throw noSpace();
  return appendFile(path, data, ...rest);
};
promises.open = async (path, ...rest) => {
  strike('open', path);
  const handle = await open(path, ...rest);
  const { write } = handle;
  handle.write = async (bytes, offset = 0, length = bytes.byteLength, ...others) => {
    strike('write', path, () => fs.writeSync(handle.fd, bytes, offset, length >> 1));
    if (full) throw noSpace();
    return write.call(handle, bytes, offset, length, ...others);
  };
  paths.set(handle.fd, path);
  return handle;
};
const { fsync } = fs;
fs.fsync = (descriptor, done) => {
  strike('fsync', paths.get(descriptor));
  fsync(descriptor, done);
};
for (const name of ['rename', 'mkdir', 'rm', 'copyFile']) {
  const original = promises[name];
  promises[name] = (path, ...rest) => {
    strike(name, path);
    return original(path, ...rest);
  };
}
for (const name of ['rmSync', 'renameSync', 'mkdirSync']) {
  const original = fs[name];
  fs[name] = (path, ...rest) => {
    strike(name, path);
    return original(path, ...rest);
  };
}

const { train } = require('../../../dist/index.js');
const { parse } = require('yaml');

(async () => {
  const given = resume ? parse(fs.readFileSync(`${resume}/config.resolved.yaml`, 'utf8')) : config;
  let folder;
  let asked = false;
  const onEvent = (event) => {
    if (event.type === 'start') fs.writeSync(1, `${event.step}\n`);
    if (event.type === 'start') ({ folder } = event);
    if (event.type !== 'checkpoint' || event.step !== again || asked) return;
    asked = true;
    fs.mkdirSync(`${folder}/control`, { recursive: true });
    fs.writeFileSync(`${folder}/control/checkpoint`, '');
  };
  for await (const step of train(given, { resume, onEvent })) void step;
  if (log) process.stdout.write(operations.join(''));
})().catch((error) => {
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
});
