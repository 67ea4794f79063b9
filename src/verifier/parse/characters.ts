/**
 * Brings the many ways of writing one character to a single one: Unicode mathematics becomes TeX or ASCII, invisible
 * characters go, and control characters that a careless JSON escape made of `\frac` or `\text` are mended.
 */

/** TeX space for a thin or no-break space: it may separate thousands, and nothing else. */
const THIN_SPACES = /[\u00a0\u2007\u2009\u202f]/g;

/** Zero-width and direction marks, soft hyphens, control characters; and variation selectors. */
const INVISIBLE = /[\p{Cc}\p{Cf}]|[\ufe00-\ufe0f]/gu;
const visible = (character: string): string => (/[\t\n\v\f\r]/.test(character) ? ' ' : '');

const SPACES = /[\u1680\u2000-\u2006\u2008\u200a\u205f\u3000]/g;

/** `\f` of `\frac` and its like, read as an escape by somebody on the way. */
const DAMAGED: [RegExp, string][] = [
  [/\f(?=rac|box|loor)/g, '\\f'],
  [/\t(?=ext|imes|heta|frac|o\b|an\b|au\b)/g, '\\t'],
  [/[\b](?=oxed|eta|inom|egin|ar\b|mod|igl|igr)/g, '\\b'],
  [/\v(?=ec\b|ert|arnothing|arphi)/g, '\\v'],
  [/\r(?=ight|floor|angle|ceil)/g, '\\r'],
];

/** Full-width and small dollar signs are money, never delimiters. */
const WIDE_DOLLARS = /\\?[＄﹩]/g;

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱˣʸ';
const SUPERSCRIPT_OF = '0123456789+-nixy';
const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉₊₋ₙᵢₓₖ';
const SUBSCRIPT_OF = '0123456789+-nixk';

const FRACTIONS: Record<string, string> = {
  '½': '1/2', '⅓': '1/3', '⅔': '2/3', '¼': '1/4', '¾': '3/4', '⅕': '1/5', '⅖': '2/5', '⅗': '3/5', '⅘': '4/5',
  '⅙': '1/6', '⅚': '5/6', '⅐': '1/7', '⅛': '1/8', '⅜': '3/8', '⅝': '5/8', '⅞': '7/8', '⅑': '1/9', '⅒': '1/10',
}; // prettier-ignore

const REPLACEMENTS: Record<string, string> = {
  '−': '-', '–': '-', '—': '-', '‐': '-', '‑': '-', '﹣': '-', '－': '-',
  '×': '\\times ', '⋅': '\\cdot ', '·': '\\cdot ', '∙': '\\cdot ', '•': '\\cdot ', '∗': '*', '÷': '\\div ', '⁄': '/', '∕': '/',
  '√': '\\sqrt ', '∛': '\\sqrt[3] ', '∜': '\\sqrt[4] ',
  '≤': '\\le ', '⩽': '\\le ', '≦': '\\le ', '≥': '\\ge ', '⩾': '\\ge ', '≧': '\\ge ', '≠': '\\ne ', '≈': '\\approx ', '≅': '\\approx ',
  '≡': '\\equiv ', '∈': '\\in ', '∉': '\\notin ', '∪': '\\cup ', '∩': '\\cap ', '∖': '\\setminus ', '⊂': '\\subset ', '⊆': '\\subseteq ',
  '∅': '\\emptyset ', '⌀': '\\emptyset ', 'Ø': '\\emptyset ', '∞': '\\infty ', '±': '\\pm ', '∓': '\\mp ', '°': '\\degree ', 'º': '\\degree ',
  '′': "'", '’': "'", '‘': "'", '″': "''", '“': '"', '”': '"', '∣': '|', '｜': '|', '‖': '\\|', '⌊': '\\lfloor ', '⌋': '\\rfloor ', '⌈': '\\lceil ', '⌉': '\\rceil ',
  '⟨': '\\langle ', '⟩': '\\rangle ', '〈': '\\langle ', '〉': '\\rangle ', 'ℝ': '\\mathbb{R}', 'ℤ': '\\mathbb{Z}', 'ℕ': '\\mathbb{N}', 'ℚ': '\\mathbb{Q}', 'ℂ': '\\mathbb{C}',
  'π': '\\pi ', '∠': '\\angle ', '△': '\\triangle ', '…': '\\ldots ', '⋯': '\\ldots ', '∑': '\\sum ', '∏': '\\prod ', '∫': '\\int ',
  '→': '\\to ', '⇒': '\\Rightarrow ', '∶': ':', '：': ':', '，': ', ', '、': ', ', '；': '; ', '。': '. ', '（': '(', '）': ')', '％': '%',
  '⊥': '\\perp ', '⟂': '\\perp ', '∥': '\\parallel ', '∼': '\\sim ', '∽': '\\sim ', '∀': '\\forall ', '∃': '\\exists ', '∄': '\\nexists ', '∧': '\\land ', '∨': '\\lor ', '¬': '\\lnot ', 'µ': 'μ', 'ℓ': 'l', 'ⅈ': 'i', 'ⅇ': 'e', '¯': '\\overline ',
}; // prettier-ignore

/** Greek letters by their TeX names. */
const GREEK: Record<string, string> = {
  α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', ε: 'epsilon', ϵ: 'epsilon', ζ: 'zeta', η: 'eta', θ: 'theta', ϑ: 'theta', ι: 'iota', κ: 'kappa',
  λ: 'lambda', μ: 'mu', ν: 'nu', ξ: 'xi', ρ: 'rho', σ: 'sigma', τ: 'tau', φ: 'phi', ϕ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega',
  Γ: 'Gamma', Δ: 'Delta', Θ: 'Theta', Λ: 'Lambda', Ξ: 'Xi', Π: 'Pi', Σ: 'Sigma', Φ: 'Phi', Ψ: 'Psi', Ω: 'Omega',
}; // prettier-ignore

const NOT_ASCII = /[^\p{ASCII}]/u;
const NOT_ASCII_ALL = /[^\p{ASCII}]/gu;
const SCRIPT_RUN = /[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱˣʸ]+|[₀₁₂₃₄₅₆₇₈₉₊₋ₙᵢₓₖ]+/g;

function script(run: string): string {
  const raised = SUPERSCRIPTS.includes(run[0]);
  const [from, to] = raised ? [SUPERSCRIPTS, SUPERSCRIPT_OF] : [SUBSCRIPTS, SUBSCRIPT_OF];
  return `${raised ? '^' : '_'}{${Array.from(run, (character) => to[from.indexOf(character)]).join('')}}`;
}

function replacement(character: string): string {
  if (character in REPLACEMENTS) return REPLACEMENTS[character];
  if (character in FRACTIONS) return ` ${FRACTIONS[character]} `;
  if (character in GREEK) return `\\${GREEK[character]} `;
  // Full-width forms and mathematical alphabets have compatibility forms in ASCII or Greek.
  const plain = character.normalize('NFKC');
  if (plain === character) return character;
  return plain in GREEK || plain in REPLACEMENTS ? replacement(plain) : NOT_ASCII.test(plain) ? character : plain;
}

/** The text with one way of writing for each character. Length may change; text without odd characters comes back as it is. */
export function plainCharacters(text: string): string {
  let result = text;
  if (/[\f\t\b\v\r]/.test(result)) {
    for (const [damaged, mended] of DAMAGED) result = result.replace(damaged, mended);
  }
  if (!NOT_ASCII.test(result)) return result.replace(INVISIBLE, visible);
  return result
    .replace(INVISIBLE, visible)
    .replace(THIN_SPACES, '~')
    .replace(SPACES, ' ')
    .replace(WIDE_DOLLARS, () => '\\$')
    .replace(SCRIPT_RUN, script)
    .replace(NOT_ASCII_ALL, replacement);
}
