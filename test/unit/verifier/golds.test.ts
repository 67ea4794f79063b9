/** Clean golds in all their forms are readable, and a completion that states one as it is written is right. */
import { isReadableGold, verify } from '../../../src/verifier';

const numbers = [
  '0', '7', '-13', '42', '1000', '1,000', '12,345,678', '0.5', '-3.75', '.25', '3.14', '1e6', '2.5 \\times 10^{-3}', '\\frac{3}{4}', '-\\frac{7}{9}',
  '\\dfrac{22}{7}', '\\frac12', '3/8', '2\\frac{1}{3}', '5 \\frac{1}{2}', '0.\\overline{36}', '0.\\dot{3}', '12.5\\%', '50\\%', '7!', '\\binom{8}{3}', '2^{10}',
  '10^{-4}', '3^{100}', '\\sqrt{2}', '3\\sqrt{5}', '\\frac{\\sqrt{3}}{2}', '\\sqrt[3]{4}', '2+\\sqrt{3}', '\\frac{1+\\sqrt{5}}{2}', '\\pi', '\\frac{\\pi}{6}', '4\\pi',
  'e', 'e^2', '\\ln 2', '\\log_2 3', '\\log_{10} 5', '\\sin 20^\\circ', '\\cos\\frac{\\pi}{7}', '3+4i', '-i', '\\frac{1}{2}-\\frac{\\sqrt{3}}{2}i', '\\pm 3', '2 \\pm \\sqrt{7}',
  '\\lfloor 2.7 \\rfloor', '|{-3}|', 'twelve', '\\infty', '-\\infty', '\\quad 8', '9.', '$15$', '\\(16\\)', 'C_{9}^{2}', 'A_6^3', '{}_7C_2', '1:2', '2:3:5', '0x2A', '0b110',
]; // prettier-ignore

const letters = [
  'a', 'x', 'n+1', '2a', 'ab', 'a b', '3 a b', 'abc', '2ax+b', 'ax^2+bx+c', 'Ax+B', 'Ce^{x}', 'Ce^{-kt}', 'y=Ce^{2x}', 'mg', 'mgh', 'mg\\sin\\theta', 'ma', 'qvB', '\\frac{mv}{qB}',
  '\\frac{mv^2}{r}', '2\\pi rh', '2\\pi Rh', '\\pi r^2 h', 'R^2-2Rr', '\\frac{2Rr}{R+r}', 'at^2', 'v+at', 'v_0t+\\frac{1}{2}at^2', 'N2^{-N}', 'n2^n', 'nRT', '\\frac{nRT}{V}', 'kx', 'IR', 'I^2R',
  '\\frac{GMm}{r^2}', '\\sqrt{2gh}', '\\sqrt{\\frac{k}{m}}', '\\frac{h}{mv}', '\\lambda mg', '\\mu mg', 'x^2+y^2', '(x-1)(x+2)', '\\frac{n(n+1)}{2}', 'n^2-n-1', '2^{n+1}-1', '\\frac{a+b}{a-b}',
  '\\frac{ab}{a+b}', 'a_n', 'a_{n+1}', 'x_1+x_2', '\\alpha+\\beta', 'k\\pi', '\\sin x', '\\sin^2 x', '2\\sin x\\cos x', '\\ln(x+1)', 'e^{-x^2}', '\\log_a b', '\\frac{x}{x^2+1}', 'x\\ln x-x+C',
  '\\frac{x^3}{3}+C', 'a \\cdot b', '3 a ( a + 2 ) ( a - 2 )', '\\frac { a } { b }', '- a', 'a ^ { 2 }', '\\overline{z}', '\\vec{a}', '|a-b|', '\\max(a,b)', 'C_1e^x+C_2e^{-x}',
]; // prettier-ignore

const relations = [
  'x=5', 'x = -3', 'y=2x+1', 'f(x)=x^2', 'f(x)=2x+3', 'P(x)=x^3-1', 'a_n=2n-1', 'x=1, y=2', '(x,y)=(1,2)', 'x^2+y^2=4', '2x-3y+1=0', 'x>3', 'x \\le 2', 'a \\geq 4', '-2 \\leq a \\leq 6', '0<x<1',
  'x \\neq 2', 'a<b<c', '1<x<2<y', 'x<1 \\text{ or } x>3', 'a \\geq 4 \\text{ or } a \\leq -2', 'x \\in (0,1)', 'x\\in\\mathbb{R}', 'k \\in \\mathbb{Z}', 'x=k\\pi, k\\in\\mathbb{Z}',
  'f(x)_{\\max}=3', 'f(x)_{\\min}=-1', 'm_{\\max}=n^2-1', 'y_{\\min}=0', 'S_{ABC}=6', '|AB|=5', 'AB=CD', '\\angle A=60^\\circ', 'l \\perp \\alpha', 'AB \\perp CD', 'a \\parallel b', 'AB \\parallel CD',
  'AB // CD', '\\triangle ABC \\sim \\triangle DEF', '\\triangle ABC \\cong \\triangle DEF', 'A \\subset B', 'A \\subseteq B', '7 \\pmod{10}', 'x \\equiv 3 \\pmod{7}', 'f(x)\\equiv 0',
  '\\neg p', 'p \\land q', 'p \\lor q', 'p \\Rightarrow q', '(\\neg p) \\land q', '\\forall x \\in \\mathbb{R}, x^2 \\geq 0', '\\exists x \\in \\mathbb{R}, x^2+1=0', '\\frac{x^2}{4}+\\frac{y^2}{9}=1',
]; // prettier-ignore

const sets = [
  '\\{1,2,3\\}', '\\{ -1, 1 \\}', '\\\\{1,2\\\\}', '\\{x \\mid x>2\\}', '\\{x \\in \\mathbb{R} : x \\neq 0\\}', '\\{n \\mid n=3k, k\\in\\mathbb{N}^*\\}', '\\emptyset', '\\varnothing', '\\mathbb{R}',
  '\\mathbb{Z}', '\\mathbb{N}', '\\mathbb{N}^*', '\\mathbb{Z}^+', '\\mathbb{R}^+', '\\mathbb{Z}_8', '\\mathbb{R}^2', '\\mathbb{R}\\setminus\\{0\\}', '(0,1)', '[0,1]', '[0,1)', '(-\\infty,2]', '(2,+\\infty)',
  '(-\\infty,-1)\\cup(1,\\infty)', '[1,2]\\cup[3,4]', 'A \\cup B', 'A \\cap B', '(1,2,3)', '(1,-2)', '(1,234)', '\\left(\\frac{1}{2},3\\right)', '(a,b)', '1, 2, 3', '1 \\text{ and } 2', '3,4,5', '2; 5',
  '(1,2),(3,4)', '\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '\\begin{bmatrix}1\\\\0\\end{bmatrix}', '\\langle 1,2,3\\rangle', '(1,2) \\text{ or } (2,1)', '[1,2,3]',
  '\\begin{cases} x & x>0 \\\\ 0 & x\\le 0 \\end{cases}', '\\begin{cases} x & \\text{if } x>0 \\\\ 0 & \\text{otherwise} \\end{cases}', 'f(x)=\\begin{cases} x, & x\\ge 1 \\\\ 2-x, & x<1 \\end{cases}',
  '\\begin{cases} 1 & \\text{if } n \\text{ is even} \\\\ 0 & \\text{if } n \\text{ is odd} \\end{cases}', '\\begin{cases} x=1 \\\\ y=2 \\end{cases}',
]; // prettier-ignore

const quantities = [
  '5 \\text{ cm}', '5\\text{ cm}^2', '12 cm', '3.5 kg', '60 \\text{ km/h}', '9.8 \\text{ m/s}^2', '\\$12', '\\$3.50', '20 \\text{ dollars}', '15 \\text{ apples}', '30^\\circ', '45^{\\circ}', '63^{\\circ} 45^{\\prime}',
  "10^\\circ 30'", "16''", "5'", '25^\\circ\\text{C}', '5 \\text{ hours } 30 \\text{ minutes}', '2 h 15 min', '3:45', '4:30 \\text{ p.m.}', '100 \\text{ mL}', '7 \\text{ ft } 2 \\text{ in}', '\\frac{1}{2} \\text{ mile}', '5 m', '2600 g',
  '5.88\\%', '5.88\\\\%', '12\\frac{1}{2}\\%', '1011_2', '32_{(8)}', '204_5', '3A7_{16}', '11_{10}', '6th', '21st', '\\text{March 5}', '5 March', '\\text{July 4, 2020}', '3 \\text{ million}', '€40',
]; // prettier-ignore

const words = [
  'A', 'C', '(B)', '\\text{D}', '\\text{(E)}', 'AC', '\\text{BD}', 'A, C', 'A C', 'C. 12', '\\text{A. } 4', '(C) 12', 'B. Paris', 'yes', 'No', '\\text{True}', 'False', '\\text{Evelyn}', 'Monday', 'even', 'odd', '\\text{neither}',
  '\\text{DNE}', 'does not exist', '\\text{undefined}', '\\text{no solution}', '\\text{infinitely many}', '\\text{isosceles}', 'isosceles triangle', 'increasing', 'the elephant', 'Paris, France', 'red and blue', '\\text{parabola}',
  '充分不必要条件', '等腰三角形', '甲', '星期三', '不存在', '②③', '①④', '必要条件', 'x轴', '第二象限', '120元', '5厘米', '3 个', '2:1', 'Tom and Jerry', '\\text{2F}', '5 red balls and 3 blue balls', 'n is prime',
]; // prettier-ignore

const pool = Object.entries({ numbers, letters, relations, sets, quantities, words });

describe.each(pool)('%s', (_, golds) => {
  test.each(golds)('%s', (gold) => {
    expect(isReadableGold(gold)).toBe(true);
    expect(verify(gold, `Working it out gives $\\boxed{${gold}}$.`).correct).toBe(true);
    expect(verify(gold, `<think>Some steps.</think><answer>${gold}</answer>`).correct).toBe(true);
    // Another answer is wrong, not unscored.
    expect(verify(gold, '\\boxed{271828.5}').correct).toBe(false);
  });
});

test('stated in a sentence nearly all are right as well', () => {
  const golds = pool.flatMap(([, list]) => list);
  const missed = golds.filter((gold) => {
    const stated = /\\|\^|_/.test(gold) && !gold.includes('$') && !gold.startsWith('\\(') ? `$${gold}$` : gold;
    return verify(gold, `We are done. The answer is ${stated}.`).correct !== true;
  });
  expect(missed.length / golds.length).toBeLessThan(0.03);
});

test('a gold that cannot be read is compared as text', () => {
  const gold = '\\underset{x}{\\arg\\min} f';
  expect(isReadableGold(gold)).toBe(false);
  expect(verify(gold, '\\boxed{\\underset{x}{\\arg\\min}\\, f}').correct).toBe(true);
  expect(verify(gold, '\\boxed{\\underset{x}{\\arg\\max}\\, f}')).toMatchObject({
    correct: null,
    reason: 'unparsable-gold',
  });
});
