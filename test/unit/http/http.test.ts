/** Waits that servers ask for, and proxies as environments name them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { fetch } from 'undici';
import { askedWait } from '../../../src/http/patient-fetch';
import { proxyAgent } from '../../../src/http/proxy-agent';

const wait = (headers: Record<string, string>): number | null =>
  askedWait({ get: (name) => headers[name] ?? null }, Date.parse('2025-07-01T12:00:00Z'));

test.each([
  [{ 'retry-after': '7' }, 7000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': 'Tue, 01 Jul 2025 12:00:30 GMT' }, 30_000],
  [{ 'retry-after': 'Tue, 01 Jul 2025 11:00:00 GMT' }, 0],
  [{ ratelimit: '"api";r=0;t=55' }, 55_000],
  [{ 'retry-after': '3', ratelimit: '"api";r=0;t=55' }, 3000],
  [{ 'retry-after': 'soon' }, null],
  [{}, null],
])('%j asks for a wait of %s ms', (headers, expected) => {
  expect(wait(headers)).toBe(expected);
});

test.each(['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'])('%s without a scheme is used', async (name) => {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.url ?? '');
    response.end('direct');
  });
  server.on('connect', (request, client, head) => {
    seen.push(`CONNECT ${request.url ?? ''}`);
    if (request.url?.endsWith(':443')) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const upstream = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = proxyAgent({}, { [name]: ` 127.0.0.1:${port} ` });
  const scheme = name.toLowerCase().replace('_proxy', '');
  await fetch(`${scheme}://hub.invalid/file`, { dispatcher: agent }).catch(() => undefined);
  expect(seen[0]).toContain('hub.invalid');
  await agent.destroy();
  server.closeAllConnections();
  server.close();
});

test.each(['socks5://127.0.0.1:1080', 'http://', 'a b'])('a proxy that cannot be used is named: %s', (value) => {
  expect(() => proxyAgent({}, { HTTPS_PROXY: value })).toThrow(/HTTPS_PROXY is .*http:\/\/host:port/);
});

test.each(['socks5://user:p@ss@127.0.0.1:1080', 'user:p@ss@a b'])('nor are its user and password said: %s', (value) => {
  let said = '';
  try {
    void proxyAgent({}, { HTTPS_PROXY: value });
  } catch (error) {
    said = String(error);
  }
  expect(said).toContain('HTTPS_PROXY is');
  expect(said).not.toMatch(/user|p@ss|ss@/);
});
