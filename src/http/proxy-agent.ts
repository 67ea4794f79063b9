/** The proxy that the environment names, also where it is written as host and port alone. */
import { EnvHttpProxyAgent } from 'undici';
import { ZeroRlError } from '../errors';

/** `proxy:3128` is `http://proxy:3128`, as curl and pip read it. */
function proxyUrl(name: string, value: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (/^https?:/i.test(url) && URL.canParse(url)) return url;
  throw new ZeroRlError(
    'ERR_ZERO_RL_CONFIG',
    // Without the user and password, which are no text for a log.
    `${name} is ${JSON.stringify(value.replace(/^(.*:\/\/)?.*@/, '$1'))}, and only HTTP proxies can be used; set it to http://host:port or unset it`,
  );
}

/**
 * An agent for one use of the network; whoever makes it destroys it. Names in lower case come first, as in curl.
 * @throws ZeroRlError `ERR_ZERO_RL_CONFIG` for a proxy of another kind
 */
export function proxyAgent(
  options: EnvHttpProxyAgent.Options = {},
  environment: NodeJS.ProcessEnv = process.env,
): EnvHttpProxyAgent {
  const find = (...names: string[]): string | undefined => {
    const name = names.find((each) => environment[each]?.trim());
    return name === undefined ? undefined : proxyUrl(name, environment[name]?.trim() ?? '');
  };
  const httpProxy = find('http_proxy', 'HTTP_PROXY');
  const httpsProxy = find('https_proxy', 'HTTPS_PROXY');
  return new EnvHttpProxyAgent({ ...options, ...(httpProxy && { httpProxy }), ...(httpsProxy && { httpsProxy }) });
}
