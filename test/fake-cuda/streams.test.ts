/** Work of several policies on one device, whose order nothing but streams and events says. */
import { createTinyPolicy } from '../support/tiny-policy';

test('an average that follows a policy reads what its optimizer has written', async () => {
  const [policy, average] = await Promise.all([createTinyPolicy({ seed: 1 }), createTinyPolicy({ seed: 1 })]);
  try {
    const sequences = [{ tokens: [1, 2, 3, 4, 5], promptLength: 2, advantages: 1 }];
    for (let step = 0; step < 2; step++) {
      await policy.step(sequences, { learningRate: 1e-2 });
      await average.follow(policy, 1);
    }
    expect(await average.logProbs(sequences)).toEqual(await policy.logProbs(sequences));
  } finally {
    [policy, average].forEach((one) => one.dispose());
  }
});
