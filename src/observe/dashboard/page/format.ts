/** Numbers as people read them. */
import type { Format, RunState } from '../protocol.js';

const minus = (text: string): string => text.replace('-', '−');

export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const size = Math.abs(value);
  if (size >= 1e9) return minus(`${(value / 1e9).toPrecision(3)}B`);
  if (size >= 1e6) return minus(`${(value / 1e6).toPrecision(3)}M`);
  if (size >= 1e4) return minus(`${(value / 1e3).toPrecision(3)}k`);
  if (value === 0) return '0';
  if (size < 1e-3) return minus(value.toExponential(1).replace('e-', 'e−'));
  return minus(String(Number(value.toPrecision(3))));
}

export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 100) return `${Number(seconds.toPrecision(3))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatValue(value: number | null | undefined, format: Format): string {
  if (value === null || value === undefined) return '–';
  if (format === 'percent') return minus(`${Number((100 * value).toPrecision(3))} %`);
  if (format === 'memory') return value >= 1024 ? `${(value / 1024).toPrecision(3)} GiB` : `${Math.round(value)} MiB`;
  return formatNumber(value);
}

/** Ticks of an axis: as few digits as tell them apart. */
export function formatTick(value: number, format: Format): string {
  if (format === 'percent') return minus(`${Number((100 * value).toPrecision(4))} %`);
  if (format === 'memory') return value >= 1024 ? `${Number((value / 1024).toPrecision(3))} GiB` : `${value}`;
  const size = Math.abs(value);
  if (size >= 1e6) return minus(`${Number((value / 1e6).toPrecision(4))}M`);
  if (size >= 1e4) return minus(`${Number((value / 1e3).toPrecision(4))}k`);
  if (size > 0 && size < 1e-3) return minus(value.toExponential());
  return minus(String(Number(value.toPrecision(6))));
}

export function formatTime(time: string | null): string {
  const date = time === null ? NaN : Date.parse(time);
  return Number.isNaN(date) ? '–' : new Date(date).toLocaleString('sv-SE').replace('T', ' ');
}

export const stateNames: Record<RunState, string> = {
  running: 'running',
  paused: 'paused',
  finished: 'finished',
  stopped: 'stopped',
  interrupted: 'not running',
};

/** As many colours as style.css has. */
const COLOURS = 8;
export const colourOf = (place: number): string => `var(--c${place % COLOURS})`;
