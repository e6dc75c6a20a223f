/**
 * Lets one subject after the other measure, round after round: what disturbs the machine disturbs them alike. Every other round
 * backwards, so that nobody always comes after the same neighbor.
 * @returns for each subject, what it measured, by round
 */
export async function interleave(subjects, rounds, measure) {
  const values = subjects.map(() => []);
  for (let round = 0; round < rounds; round++) {
    const order = [...subjects.keys()];
    if (round % 2 === 1) order.reverse();
    for (const i of order) values[i].push(await measure(subjects[i]));
  }
  return values;
}
