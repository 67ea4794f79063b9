/** Work allowed to one verdict. Counted, never timed: the same input gives the same verdict on any machine. */

/** Thrown by `Budget.spend`, caught at the top of `verify`. */
export class BudgetExceeded extends Error {}

export class Budget {
  #left: number;

  /** @param units About a microsecond of a slow core each. */
  constructor(units: number) {
    this.#left = units;
  }

  get left(): number {
    return this.#left;
  }

  /** Takes `units` before the work is done. @throws BudgetExceeded when not enough is left. */
  spend(units: number): void {
    if (!(units <= this.#left)) throw new BudgetExceeded('work budget of one verdict exceeded');
    this.#left -= units;
  }
}
