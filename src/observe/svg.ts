/** Text for HTML and SVG: escaping and number formats, the only ways by which data gets into a page. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters but tab and newline. */
const FORBIDDEN = /[^\P{Cc}\t\n]/gu;

/** Escapes for element content and quoted attributes; control characters, which a page must not hold, become U+FFFD. */
export function escapeHtml(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/** A coordinate with at most two decimals. */
export function coordinate(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** `96.2 %` */
export function formatPercent(share: number | null | undefined, decimals = 1): string {
  return share === null || share === undefined ? '–' : `${(100 * share).toFixed(decimals)} %`;
}

/** Percents of an interval: `[10.0, 14.0]`; empty for none. */
export function formatInterval(interval: readonly number[] | null): string {
  return interval === null ? '' : `[${interval.map((share) => (100 * share).toFixed(1)).join(', ')}]`;
}

/** `12.3 % [10.0, 14.0]`; – for what is not known. */
export function formatEstimate(value: number | null, interval: readonly number[] | null): string {
  return `${formatPercent(value)} ${formatInterval(interval)}`.trimEnd();
}

/** Three significant digits, thousands separated: `0.0123`, `36.4`, `12,300`. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(Number(value.toPrecision(3))).toLocaleString('en-US');
  return value === 0 ? '0' : size < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/** `3 min 24 s` */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? seconds.toFixed(1) : whole} s`;
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}
