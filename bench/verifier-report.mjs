// Scores and prints what bench/verifier.mjs measured.

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const round = (value) => Number(value.toPrecision(value >= 100 ? 4 : 3));
const shorten = (text, length = 90) => (text.length > length ? `${text.slice(0, length)}… (${text.length})` : text);

const accepts = (row, correct) => correct === row.expected || (row.alsoAccept ?? []).includes(correct);

/** Counts per value of `key`, as { value: { agree, of } }. */
function agreementBy(key, rows) {
  const groups = {};
  for (const { row, agrees } of rows) {
    const group = (groups[row[key] ?? '-'] ??= { agree: 0, of: 0 });
    group.of++;
    if (agrees) group.agree++;
  }
  return groups;
}

/** Agreement, errors by sort, reasons, rate and latency of one set of cases; a case's time is its median over the timed passes. */
export function score(name, cases, { verdicts, rates, times, peakRssMiB, unstable = [], skipped = [] }) {
  const rows = cases.map((row) => {
    const timed = times?.[row.id];
    const verdict = { ...verdicts[row.id], ...(timed && { ms: quantile(sorted(timed), 0.5) }) };
    return { row, verdict, agrees: accepts(row, verdict.correct) };
  });
  const wrong = rows.filter(({ agrees }) => !agrees);
  const ids = (test) =>
    wrong.filter(({ row, verdict }) => test(row.expected, verdict.correct)).map(({ row }) => row.id);
  const reasons = {};
  for (const { verdict } of rows) {
    const key = `${verdict.correct} ${verdict.reason || '-'}`;
    reasons[key] = (reasons[key] ?? 0) + 1;
  }
  const ordered = sorted(times ? Object.values(times).flat() : rows.map(({ verdict }) => verdict.ms));
  const ranked = rates && sorted(rates);
  return {
    name,
    cases: cases.length,
    agree: rows.length - wrong.length,
    falsePositives: ids((expected, correct) => correct === true && expected !== true),
    falseNegatives: ids((expected, correct) => correct === false && expected === true),
    unexpectedNulls: ids((expected, correct) => correct === null && expected !== null),
    missedNulls: ids((expected, correct) => correct === false && expected === null),
    nulls: rows.filter(({ verdict }) => verdict.correct === null).length,
    byKind: agreementBy('kind', rows),
    byLabel: agreementBy('label', rows),
    reasons,
    rate: ranked && { median: quantile(ranked, 0.5), min: ranked[0], max: ranked.at(-1) },
    ms: { p50: quantile(ordered, 0.5), p99: quantile(ordered, 0.99), max: ordered.at(-1) },
    agreeWithinOneSecond: rows.filter(({ verdict, agrees }) => agrees && verdict.ms <= 1000).length,
    overOneSecond: rows.filter(({ verdict }) => verdict.ms > 1000).map(({ row }) => row.id),
    peakRssMiB,
    unstable,
    skipped,
    verdicts,
    times,
    disagreements: wrong.map(({ row, verdict }) => ({
      id: row.id,
      kind: row.kind,
      label: row.label,
      expected: row.expected,
      correct: verdict.correct,
      reason: verdict.reason,
      gold: shorten(row.gold),
      extracted: verdict.extracted && shorten(verdict.extracted),
      completion: shorten(row.completion.slice(-90)),
    })),
  };
}

function printDisagreement({ id, expected, correct, reason, gold, extracted, completion }) {
  console.log(`    ${id}: ${correct} instead of ${expected} (${reason || '-'})`);
  console.log(`      gold ${JSON.stringify(gold)}`);
  console.log(`      ${extracted === undefined ? '…' : 'extracted'} ${JSON.stringify(extracted ?? completion)}`);
}

/** One side's report of one set; `verbose` lists all disagreements, else only those on rows labelled `policy`. */
export function printReport(side, report, { verbose = false, kinds = false } = {}) {
  const percent = ((100 * report.agree) / report.cases).toFixed(1);
  console.log(`\n${report.name}: ${side} agrees on ${report.agree} of ${report.cases} (${percent} %)`);
  if (report.agreeWithinOneSecond < report.agree) console.log(`  within 1 s each: ${report.agreeWithinOneSecond}`);
  const labels = Object.entries(report.byLabel).filter(([label]) => label !== '-');
  if (labels.length > 0) {
    console.log(`  by label: ${labels.map(([label, { agree, of }]) => `${label} ${agree}/${of}`).join(', ')}`);
  }
  const shown = Object.entries(report.byKind).filter(([, { agree, of }]) => kinds || agree < of);
  if (shown.length > 0) {
    const list = shown.map(([kind, { agree, of }]) => `${kind} ${agree}/${of}`).join(', ');
    console.log(`  ${kinds ? 'by kind' : 'kinds with disagreements'}: ${list}`);
  }
  const listed = [
    ['false positives', report.falsePositives],
    ['false negatives', report.falseNegatives],
    ['null, not expected', report.unexpectedNulls],
    ['null expected, but false', report.missedNulls],
    ['over 1 s', report.overOneSecond],
    ['verdict changes between passes', report.unstable],
    ['hang or crash', report.skipped],
  ];
  for (const [name, ids] of listed) {
    if (ids.length > 0) console.log(`  ${name}: ${ids.length} (${ids.join(' ')})`);
  }
  const reasons = Object.entries(report.reasons).sort((a, b) => b[1] - a[1]);
  console.log(`  ${report.nulls} null verdicts; reasons: ${reasons.map(([key, n]) => `${key} ${n}`).join(', ')}`);
  const { p50, p99, max } = report.ms;
  const { median, min, max: best } = report.rate ?? {};
  const rate = report.rate ? `${round(median)}/s (${round(min)}–${round(best)}), ` : '';
  const memory = report.peakRssMiB ? `, peak RSS ${Math.round(report.peakRssMiB)} MiB` : '';
  console.log(`  ${rate}p50 ${round(p50)} ms, p99 ${round(p99)} ms, max ${round(max)} ms${memory}`);

  const policy = report.disagreements.filter(({ label }) => label === 'policy');
  const rest = report.disagreements.filter(({ label }) => label !== 'policy');
  if (policy.length > 0) {
    console.log(`  disagreements on policy:`);
    policy.forEach(printDisagreement);
  }
  if (verbose && rest.length > 0) {
    console.log(`  disagreements:`);
    rest.forEach(printDisagreement);
  }
}

/** How we compare with the peer on one set. Speeds are left out where the peer ran each case in a cold child. */
export function printRatios(ours, peer, isolated) {
  const times = (value) => `${round(value)}×`;
  console.log(`  ours beside Math-Verify on ${ours.name}:`);
  if (!isolated) {
    const rate = ours.rate.median / peer.rate.median;
    const low = ours.rate.min / peer.rate.max;
    const high = ours.rate.max / peer.rate.min;
    const latency = `p50 ${times(peer.ms.p50 / ours.ms.p50)} and p99 ${times(peer.ms.p99 / ours.ms.p99)} shorter`;
    console.log(`    rate ${times(rate)} (${times(low)}–${times(high)}), ${latency}`);
  }
  console.log(
    `    agreement ${ours.agree} against ${peer.agree} of ${ours.cases}, ` +
      `within 1 s each ${ours.agreeWithinOneSecond} against ${peer.agreeWithinOneSecond}, ` +
      `false positives ${ours.falsePositives.length} against ${peer.falsePositives.length}`,
  );
}
