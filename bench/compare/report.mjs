/** Ratios with their spread, and the table. */

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function spread(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

/** Peer's seconds over ours, round by round. */
export function ratios(ours, theirs) {
  return spread(ours.map((seconds, round) => theirs[round] / seconds));
}

const number = (value) => (value >= 100 ? String(Math.round(value)) : value.toPrecision(3));
const range = ({ median: middle, least, most }) => `${number(middle)} (${number(least)}-${number(most)})`;

function settingsText({ environment = {}, ...settings }) {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [...Object.entries(settings).map(([name, value]) => `${name} ${value}`), ...variables].join(', ');
}

export function rowText({ name, workload, sides }) {
  const { batch, group, prompt, tokens } = workload;
  const lines = [`${name}: ${batch} x (${prompt} + ${tokens}), groups of ${group}`];
  for (const [side, result] of Object.entries(sides)) {
    if (result.failed) {
      lines.push(`  ${side.padEnd(14)} failed: ${result.failed.split('\n').at(-1)}`);
      continue;
    }
    const ratio = result.ratio ? `  we are ${range(result.ratio)} times as fast` : '';
    const memory = `${Math.round(result.peakRssMiB)} MiB`;
    lines.push(
      `  ${side.padEnd(14)} ${range(result.tokensPerSecond).padStart(24)} tokens/s  ${memory.padStart(9)}${ratio}`,
    );
    lines.push(`  ${''.padEnd(14)} ${result.version}; ${settingsText(result.settings)}`);
    if (result.roofline) {
      const { fraction, flopsFraction, steady, drift } = result.roofline;
      const percent = (value) => `${(100 * value).toFixed(1)} %`;
      const doubt = steady ? '' : `; NOT STEADY, the machine's own speed changed by ${percent(drift)}`;
      lines.push(
        `  ${''.padEnd(14)} ${percent(fraction)} of the roofline, ${percent(flopsFraction)} of the peak${doubt}`,
      );
    }
  }
  return lines.join('\n');
}
