/** Tries to use the engine and prints the code and message of the error, or `loaded`. */
const { createPolicy } = require('./policy.cjs');

createPolicy().then(
  () => console.log(JSON.stringify({ loaded: true })),
  ({ name, code, message }) => console.log(JSON.stringify({ name, code, message })),
);
