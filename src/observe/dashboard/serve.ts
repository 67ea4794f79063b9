/** Starts and stops the dashboard's server. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { checkInteger, ZeroRlError } from '../../errors';
import { newToken } from './access';
import { makeApp } from './app';
import { loadAssets } from './assets';
import { RunList } from './run-list';

export const defaultPort = 4870;

export interface DashboardOptions {
  /** Folder with run folders in it, up to three levels down, or a run folder. */
  folder: string;
  /** Default 4870, or another that is free where that one is taken; 0: any. */
  port?: number;
  /** Name or address to listen on. Default 127.0.0.1; on another one pages need the token. */
  host?: string;
  /** Secret that lets the page act, and on other hosts than loopback look. Default: a new random one. */
  token?: string;
}

export interface Dashboard {
  /** With the token; whoever has this address may pause, save and stop runs. */
  url: string;
  close(): Promise<void>;
}

/** @throws ZeroRlError `ERR_ZERO_RL_CONFIG` where there is no such folder; `ERR_ZERO_RL_OUTPUT` where the port is taken */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { host = '127.0.0.1', token = newToken() } = options;
  const folder = resolve(options.folder);
  if (options.port !== undefined) checkInteger('port', options.port, 0, 65_535);
  if (!existsSync(folder))
    throw new ZeroRlError('ERR_ZERO_RL_CONFIG', `There is no folder ${folder}; give one that holds runs`);
  const { app, live } = makeApp(new RunList(folder), { host, token }, loadAssets());
  const server = createAdaptorServer({ fetch: app.fetch });
  const listen = (port: number): Promise<void> =>
    new Promise((done, fail) => {
      server.once('error', fail);
      server.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
        server.off('error', fail);
        done();
      });
    });
  const taken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
  try {
    await listen(options.port ?? defaultPort).catch((error: unknown) => {
      if (!taken(error) || options.port !== undefined) throw error;
      return listen(0);
    });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const at = `${host}:${options.port ?? defaultPort}`;
    throw new ZeroRlError('ERR_ZERO_RL_OUTPUT', `Cannot listen on ${at} (${code}); give another --port or --host`, {
      cause,
    });
  }
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : (options.port ?? defaultPort);
  const name = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
  return {
    url: `http://${name}:${port}/?token=${encodeURIComponent(token)}`,
    close: () =>
      new Promise((done) => {
        live.stop();
        server.close(() => done());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}
