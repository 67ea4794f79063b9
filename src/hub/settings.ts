/** What the environment says about the Hugging Face hub; the variables are those of Python's huggingface_hub. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

export interface HubSettings {
  /** `HF_ENDPOINT`, default https://huggingface.co; without a slash at the end. */
  endpoint: string;
  /** `HF_TOKEN`, else the file `HF_TOKEN_PATH` (default `$HF_HOME/token`) that `hf auth login` writes. */
  token: string | undefined;
  /** `HF_HUB_OFFLINE` is 1, true, yes or on: only the cache is used. */
  offline: boolean;
  /** `HF_HUB_CACHE`, else `$HF_HOME/hub`, else `$XDG_CACHE_HOME/huggingface/hub`, else `~/.cache/huggingface/hub`. */
  cache: string;
}

function readToken(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** A variable as a path; `~` is the home folder. */
function folder(value: string): string {
  return path.resolve(value === '~' || value.startsWith('~/') ? path.join(homedir(), value.slice(1)) : value);
}

export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const { HF_ENDPOINT, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_TOKEN, HF_TOKEN_PATH, XDG_CACHE_HOME } = environment;
  const home = HF_HOME ? folder(HF_HOME) : path.join(XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'huggingface');
  return {
    endpoint: (HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    token: HF_TOKEN?.trim() || readToken(HF_TOKEN_PATH ? folder(HF_TOKEN_PATH) : path.join(home, 'token')),
    offline: /^(1|true|yes|on)$/i.test(HF_HUB_OFFLINE ?? ''),
    cache: HF_HUB_CACHE ? folder(HF_HUB_CACHE) : path.join(home, 'hub'),
  };
}
