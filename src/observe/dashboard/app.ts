/** The routes of the dashboard. */
import { Hono, type Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { z } from 'zod';
import { request, withdraw } from '../../training/control';
import { actGuard, guard, pageToken, type Access } from './access';
import type { Assets } from './assets';
import { chartData, chartsOf, dataQuery, type LoadedRun } from './chart-data';
import { configTable } from './config-table';
import { eventRows } from './event-rows';
import { Live } from './live';
import { actions, rolloutKinds } from './protocol';
import { findRollout, listRollouts, rolloutName, rolloutQuery } from './rollout-query';
import type { RunList } from './run-list';

/** Runs that one request may name. */
const MOST_RUNS = 100;
/** Milliseconds between signs of life on a quiet stream. */
const HEARTBEAT = 15_000;

const rolloutSource = z.object({ run: z.string(), kind: z.enum(rolloutKinds).default('rollouts') });
const controlBody = z.object({ run: z.string(), action: z.enum(actions) });

/** A wrong parameter as a sentence. */
function refused(context: Context, error: z.ZodError): Response {
  const [{ path, message }] = error.issues;
  return context.json({ error: `Parameter ${path.join('.')}: ${message}` }, 400);
}

const unknownRun = (context: Context, id: string): Response =>
  context.json({ error: `There is no run ${id} in this folder` }, 404);

export function makeApp(runs: RunList, access: Access, assets: Assets | null): { app: Hono; live: Live } {
  const app = new Hono();
  const live = new Live(runs);
  runs.refresh();

  app.use(guard(access));
  app.use(async (context, next) => {
    await next();
    context.header('x-content-type-options', 'nosniff');
    context.header('referrer-policy', 'no-referrer');
    context.header('cache-control', 'no-cache');
    if (assets) context.header('content-security-policy', assets.policy);
  });
  app.onError((error, context) => context.json({ error: error.message }, 500));

  const asked = (context: Context): string[] => (context.req.queries('run') ?? []).slice(0, MOST_RUNS);
  const found = (context: Context): NonNullable<ReturnType<RunList['get']>>[] =>
    asked(context).flatMap((id) => runs.get(id) ?? []);
  const loaded = (context: Context): Promise<LoadedRun[]> =>
    Promise.all(found(context).map(async ({ info }) => ({ info, table: await runs.metrics(info.id) })));
  app.use('/api/*', async (context: Context, next) => {
    const unknown = asked(context).find((id) => !runs.get(id));
    return unknown === undefined ? next() : unknownRun(context, unknown);
  });

  if (assets) {
    app.get('/', (context) => context.html(assets.index(pageToken(access))));
    for (const [address, { type, content }] of assets.files)
      app.get(address, (context) => context.body(content, 200, { 'content-type': type }));
  }

  app.get('/api/live', (context) =>
    streamSSE(context, async (stream) => {
      // A client may be gone before anything is written, and nobody hears of an abort that came before.
      const gone = new Promise<void>((end) => stream.onAbort(end));
      if (stream.aborted) return;
      const everything = (): string => JSON.stringify(runs.all());
      let [writing, missed] = [false, false];
      // A client that does not read gets everything once it does, instead of a queue of changes that grows.
      const send = async (event: string, data: string): Promise<void> => {
        if (writing) {
          missed = true;
          return;
        }
        writing = true;
        await stream.writeSSE({ event, data });
        writing = false;
        if (!missed || stream.aborted) return;
        missed = false;
        await send('all', everything());
      };
      const end = live.listen((changes) => void send('runs', JSON.stringify(changes)));
      const alive = setInterval(() => void send('alive', ''), HEARTBEAT);
      void send('all', everything());
      await gone;
      clearInterval(alive);
      end();
    }),
  );
  app.get('/api/runs', (context) => {
    runs.refresh();
    return context.json(runs.all());
  });
  app.get('/api/charts', async (context) => {
    const all = await loaded(context);
    return context.json({ charts: chartsOf(all), damaged: all.reduce((sum, { table }) => sum + table.damaged, 0) });
  });
  app.get('/api/data', async (context) => {
    const query = dataQuery.safeParse(context.req.query());
    if (!query.success) return refused(context, query.error);
    const data = chartData(await loaded(context), query.data);
    return data ? context.json(data) : context.json({ error: 'There is no such chart' }, 404);
  });
  app.get('/api/rollouts', async (context) => {
    const source = rolloutSource.safeParse(context.req.query());
    const query = rolloutQuery.safeParse(context.req.query());
    if (!source.success) return refused(context, source.error);
    if (!query.success) return refused(context, query.error);
    return context.json(await listRollouts(await runs.rollouts(source.data.run, source.data.kind), query.data));
  });
  app.get('/api/rollout', async (context) => {
    const source = rolloutSource.safeParse(context.req.query());
    const name = rolloutName.safeParse(context.req.query());
    if (!source.success) return refused(context, source.error);
    if (!name.success) return refused(context, name.error);
    const rollout = await findRollout(await runs.rollouts(source.data.run, source.data.kind), name.data);
    if (rollout) return context.json(rollout);
    const { step, id, sample } = name.data;
    return context.json({ error: `The run has kept no sample ${sample} of ${id} at step ${step}` }, 404);
  });
  app.get('/api/events', async (context) => {
    return context.json(
      (await Promise.all(found(context).map(({ info, folder }) => eventRows(info.id, folder)))).flat(),
    );
  });
  app.get('/api/config', (context) => {
    return context.json(configTable(found(context).map(({ info, folder }) => ({ id: info.id, folder }))));
  });
  app.post('/api/control', actGuard(access), async (context) => {
    const body = controlBody.safeParse(await context.req.json().catch(() => null));
    if (!body.success) return context.json({ error: 'Expected a run and an action' }, 400);
    runs.refresh();
    const run = runs.get(body.data.run);
    if (!run) return unknownRun(context, body.data.run);
    if (run.info.state !== 'running' && run.info.state !== 'paused')
      return context.json({ error: 'No process of this machine is training this run' }, 409);
    if (body.data.action === 'resume') withdraw(run.folder, 'pause');
    else request(run.folder, body.data.action);
    live.look();
    return context.json({ asked: body.data.action });
  });
  app.notFound((context) => context.json({ error: 'There is no such address' }, 404));
  return { app, live };
}
