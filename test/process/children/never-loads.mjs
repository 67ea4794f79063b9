// A module that waits for something for ever.
setInterval(() => undefined, 1000);
await new Promise(() => undefined);
export default () => 1;
