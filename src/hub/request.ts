/** Requests to the hub, through the proxy that the environment names; what goes wrong is one sentence that says what to do. */
import type { Response } from 'undici';
import { ZeroRlError } from '../errors';
import { askedWait, isBusy, patientFetch } from '../http/patient-fetch';
import { proxyAgent } from '../http/proxy-agent';
import { repositoryTitle, type Repository } from './repository';
import type { HubSettings } from './settings';

/** Seconds until a server must have begun its answer. */
const HEADERS_SECONDS = 60;

/** There is no answer, or none but that the hub is busy: what the cache has may serve instead. */
export class HubUnreachable extends ZeroRlError {}
/** The hub was asked again and again. */
export class HubBusy extends HubUnreachable {}

/** Why a call failed, from the system where it says so. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return cause.message || String((cause as NodeJS.ErrnoException).code);
}

function refusal({ status, headers }: Response, url: string, repository: Repository, hasToken: boolean): ZeroRlError {
  const title = repositoryTitle(repository);
  if (status === 401 || status === 403) {
    const hint = hasToken
      ? 'the token of HF_TOKEN may not read it; accept its terms on the hub or use another token'
      : 'it does not exist, is private or is gated; check the name and set HF_TOKEN to a token that may read it';
    return new ZeroRlError('ERR_ZERO_RL_HUB', `The hub refuses the ${repository.type} ${title} (${status}): ${hint}.`);
  }
  if (status === 404) {
    return new ZeroRlError(
      'ERR_ZERO_RL_HUB',
      `The hub has no ${repository.type} ${title} (404 for ${url}); check the name and the revision.`,
    );
  }
  if (!isBusy(status))
    return new ZeroRlError('ERR_ZERO_RL_HUB', `The hub answered ${status} for ${url}; try again later.`);
  const wait = askedWait(headers);
  const when = wait === null || wait === 0 ? 'later' : `in ${Math.ceil(wait / 1000)} s`;
  const limit = status === 429 && !hasToken ? '; HF_TOKEN raises its limit of requests' : '';
  return new HubBusy('ERR_ZERO_RL_HUB', `The hub is busy (${status} for ${url}); try again ${when}${limit}.`);
}

export class HubClient {
  private readonly agent = proxyAgent({ headersTimeout: HEADERS_SECONDS * 1000 });

  constructor(
    readonly settings: HubSettings,
    private readonly repository: Repository,
    private readonly signal?: AbortSignal,
  ) {}

  /** Address of a file of the repository at `commit`. */
  fileUrl(commit: string, file: string): string {
    const { type, name } = this.repository;
    const place = file.split('/').map(encodeURIComponent).join('/');
    return `${this.settings.endpoint}/${type === 'dataset' ? 'datasets/' : ''}${name}/resolve/${commit}/${place}`;
  }

  /** Address of the description of the repository at its revision. */
  infoUrl(): string {
    const { type, name, revision } = this.repository;
    return `${this.settings.endpoint}/api/${type}s/${name}/revision/${encodeURIComponent(revision)}`;
  }

  /**
   * The answer of the server; redirects are followed unless `redirect` is `manual`. The token is not sent to another host.
   *
   * @throws HubUnreachable when there is no answer; HubBusy when it stays busy; ZeroRlError `ERR_ZERO_RL_HUB` for a status of 400 and above
   */
  async request(
    url: string,
    options: { method?: 'GET' | 'HEAD'; headers?: Record<string, string>; redirect?: 'follow' | 'manual' } = {},
  ): Promise<Response> {
    const { token } = this.settings;
    const headers = {
      'user-agent': 'zero-rl',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...options.headers,
    };
    let response: Response;
    try {
      response = await patientFetch(url, { ...options, headers, dispatcher: this.agent, signal: this.signal });
    } catch (cause) {
      if (this.signal?.aborted) throw cause;
      throw new HubUnreachable(
        'ERR_ZERO_RL_HUB',
        `${this.settings.endpoint} cannot be reached for the ${this.repository.type} ${repositoryTitle(this.repository)} (${reasonOf(cause)}); give the path of a folder or file instead, or check the network and HF_ENDPOINT.`,
        { cause },
      );
    }
    if (response.status >= 400 && response.status !== 416) {
      await response.body?.cancel();
      throw refusal(response, url, this.repository, token !== undefined);
    }
    return response;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}
