/** TeX commands and plain words that mean something to the parser. */
import type { FunctionName } from '../node';
import type { TokenType } from './token';

const table = (type: TokenType, names: Record<string, string>): [string, { type: TokenType; text: string }][] =>
  Object.entries(names).map(([name, text]) => [name, { type, text }]);

const same = (type: TokenType, names: string): [string, { type: TokenType; text: string }][] =>
  names.split(' ').map((name) => [name, { type, text: name }]);

/** Function names in TeX and in plain text. */
const functions: Record<string, FunctionName> = {
  sin: 'sin', cos: 'cos', tan: 'tan', cot: 'cot', sec: 'sec', csc: 'csc', cosec: 'csc', tg: 'tan', ctg: 'cot',
  arcsin: 'arcsin', arccos: 'arccos', arctan: 'arctan', arccot: 'arccot', arcsec: 'arcsec', arccsc: 'arccsc', arctg: 'arctan',
  asin: 'arcsin', acos: 'arccos', atan: 'arctan', acot: 'arccot',
  sinh: 'sinh', cosh: 'cosh', tanh: 'tanh', coth: 'coth', sech: 'sech', csch: 'csch', sh: 'sinh', ch: 'cosh',
  arcsinh: 'arcsinh', arccosh: 'arccosh', arctanh: 'arctanh', asinh: 'arcsinh', acosh: 'arccosh', atanh: 'arctanh',
  arsinh: 'arcsinh', arcosh: 'arccosh', artanh: 'arctanh',
  ln: 'ln', log: 'log', lg: 'log', exp: 'exp', abs: 'abs', sgn: 'sign', sign: 'sign', floor: 'floor', ceil: 'ceil', round: 'round',
  gcd: 'gcd', lcm: 'lcm', max: 'max', min: 'min', Re: 'real', Im: 'imaginary', arg: 'argument', det: 'determinant', tr: 'trace',
  cis: 'cis', factorial: 'factorial', conj: 'conjugate',
}; // prettier-ignore

const greek =
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma varsigma tau ' +
  'upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega';

const VARIANTS: Record<string, string> = {
  varepsilon: 'epsilon', vartheta: 'theta', varrho: 'rho', varsigma: 'sigma', varphi: 'phi',
}; // prettier-ignore

/** What each command after a backslash becomes. Commands that are not here are unknown, and an answer with one does not parse. */
export const commands = new Map<string, { type: TokenType; text: string }>([
  ...table('function', functions),
  ...same('symbol', greek).map(([name, token]): [string, { type: TokenType; text: string }] => [
    name,
    { ...token, text: VARIANTS[name] ?? name },
  ]),
  ...table('symbol', {
    ell: 'l',
    hbar: 'hbar',
    imath: 'i',
    jmath: 'j',
    partial: '∂',
    nabla: '∇',
    star: '⋆',
    aleph: 'ℵ',
  }),
  ...table('constant', { pi: 'pi', infty: 'infinity', infin: 'infinity', i: 'i', e: 'e' }),
  ...same('command', 'frac sqrt binom sum prod int lim pmod bmod mod overline boxed not choose over'),
  ...table('command', {
    dfrac: 'frac', tfrac: 'frac', cfrac: 'frac', sfrac: 'frac', dbinom: 'binom', tbinom: 'binom', iint: 'int', oint: 'int',
    fbox: 'boxed', framebox: 'boxed', bar: 'overline', root: 'sqrt',
  }), // prettier-ignore
  ...table('operator', {
    cdot: '*', times: '*', ast: '*', div: '÷', pm: '±', mp: '∓', le: '≤', leq: '≤', leqslant: '≤', leqq: '≤', lt: '<', ge: '≥', geq: '≥',
    geqslant: '≥', geqq: '≥', gt: '>', ne: '≠', neq: '≠', approx: '≈', simeq: '≈', thickapprox: '≈', doteq: '≈', cong: '≈', sim: '∼', perp: '⊥', bot: '⊥',
    equiv: '≡', in: '∈', notin: '∉', cup: '∪', bigcup: '∪', cap: '∩', bigcap: '∩', setminus: '∖', smallsetminus: '∖', backslash: '∖',
    subset: '⊂', subseteq: '⊆', mid: 'mid', vert: '|', lvert: '|', rvert: '|', Vert: '‖', lVert: '‖', rVert: '‖', parallel: '∥', to: '→',
    rightarrow: '→', longrightarrow: '→', Rightarrow: '⇒', implies: '⇒', Longrightarrow: '⇒', colon: ':', percent: '%', degree: '°', degrees: '°',
    circ: '∘', prime: "'", ldots: '…', dots: '…', cdots: '…', dotsc: '…', vdots: '…', ddots: '…', land: '∧', wedge: '∧', lor: '∨', vee: '∨', neg: '¬', lnot: '¬', forall: '∀', exists: '∃', nexists: '∄', quad: 'quad',
    qquad: 'quad', newline: 'row', cr: 'row', mathord: '*', bullet: '*', dollar: '$', iff: '⇔', Leftrightarrow: '⇔',
  }), // prettier-ignore
  ...table('open', { lbrace: '\\{', lfloor: '⌊', lceil: '⌈', langle: '⟨', lparen: '(', lbrack: '[' }),
  ...table('close', { rbrace: '\\}', rfloor: '⌋', rceil: '⌉', rangle: '⟩', rparen: ')', rbrack: ']' }),
  ...table('set', {
    emptyset: 'empty', varnothing: 'empty', R: 'reals', Z: 'integers', N: 'naturals', Q: 'rationals', C: 'complexes',
    reals: 'reals', Reals: 'reals', integers: 'integers',
  }), // prettier-ignore
  ...table('currency', { euro: '€', pounds: '£', yen: '¥' }),
]);

/** Commands that only change how things look. */
export const ignoredCommands = new Set(
  (
    'left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr displaystyle textstyle scriptstyle ' +
    'scriptscriptstyle limits nolimits nonumber notag rm bf it sf tt cal mathstrut strut hfill hfil noindent centering ' +
    'angle measuredangle triangle therefore because relax bold em normalsize large Large LARGE huge Huge small allowbreak hline ' +
    'negthinspace thinspace medspace thickspace enspace'
  ).split(' '),
);

/** Commands whose argument is text. */
export const textCommands = new Set(
  'text textbf textit textrm textsf texttt textnormal textup textsl emph mbox hbox mathrm mathit mathsf mathtt operatorname rm textcolor underline'.split(
    ' ',
  ),
);

/** Accents on a letter: part of its name. */
export const accentCommands = new Map([
  ['vec', 'vec'], ['overrightarrow', 'vec'], ['hat', 'hat'], ['widehat', 'hat'], ['tilde', 'tilde'], ['widetilde', 'tilde'],
  ['dot', 'dot'], ['ddot', 'ddot'], ['mathbf', 'bold'], ['boldsymbol', 'bold'], ['bm', 'bold'], ['mathcal', 'cal'], ['mathscr', 'cal'], ['mathfrak', 'frak'],
  ['overarc', 'arc'], ['overset', 'over'],
]); // prettier-ignore

/** Plain words outside TeX that mean what the command of some name means. */
export const plainWords = new Map<string, { type: TokenType; text: string }>([
  ...table('function', functions),
  ...same('symbol', 'alpha beta gamma delta epsilon theta lambda mu sigma tau phi psi omega rho'),
  ...table('constant', { pi: 'pi', Pi: 'pi', PI: 'pi', infinity: 'infinity', Infinity: 'infinity', inf: 'infinity', infty: 'infinity', oo: 'infinity' }),
  ...table('command', { sqrt: 'sqrt', cbrt: 'cbrt', binom: 'binom', binomial: 'binom', mod: 'mod', choose: 'chooses' }),
  ...table('operator', { and: 'and', AND: 'and', And: 'and', or: 'or', OR: 'or', Or: 'or', cup: '∪', union: '∪', percent: '%', pct: '%', percentage: '%', degrees: '°', degree: '°', deg: '°', in: '∈', times: '*' }),
]); // prettier-ignore
