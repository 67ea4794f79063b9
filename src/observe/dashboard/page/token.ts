/**
 * The token that lets the page act: from its address, out of which it is taken so that links to the page do not carry it on,
 * and kept for this tab; on other hosts than loopback from the page itself. '' where there is none: then it can only look.
 */
const KEY = 'zero-rl token';

function takeFromAddress(): string | null {
  const address = new URL(location.href);
  const given = address.searchParams.get('token');
  if (given === null) return null;
  address.searchParams.delete('token');
  history.replaceState(null, '', address);
  sessionStorage.setItem(KEY, given);
  return given;
}

const ofPage = document.querySelector<HTMLMetaElement>('meta[name=token]')?.content ?? '';

export const token = takeFromAddress() ?? (ofPage === '' ? (sessionStorage.getItem(KEY) ?? '') : ofPage);
