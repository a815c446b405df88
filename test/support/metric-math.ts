/** A data point for each period, the oldest first; undefined where there is none. */
export type Series = readonly (number | undefined)[];

/**
 * The part of CloudWatch's metric maths that alarms and the dashboard use, of metrics with one period: numbers, ids, arithmetic, comparisons, AND, OR, IF, FILL,
 * RUNNING_SUM, SUM(METRICS()), SUM([a, b]) and PERIOD. An operation on a data point that is missing gives none, a sum is of those that are there, and FILL
 * doesn't fill a series without any.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function evaluateMath(expression: string, metrics: Readonly<Record<string, Series>>, period = 60): Series {
  const length = Math.max(...Object.values(metrics).map(series => series.length));
  const tokens = expression.match(/\d+(\.\d+)?|[A-Za-z_]\w*|[<>=!]=|[-+*/(),<>[\]]/g) ?? [];
  if (tokens.join('') !== expression.replace(/\s/g, '')) throw new Error(`Metric maths of this kind is not known here: ${expression}`);
  let next = 0;

  const expect = (token: string) => {
    if (tokens[next++] !== token) throw new Error(`${token} is missing in ${expression}`);
  };
  const binary = (operand: () => Series, operators: Record<string, (a: number, b: number) => number>): Series => {
    let left = operand();
    while (tokens[next] in operators) {
      const operator = operators[tokens[next++]];
      left = combine([left, operand()], ([a, b]) => operator(a, b));
    }
    return left;
  };
  const or = (): Series => binary(and, { OR: (a, b) => Number(a !== 0 || b !== 0) });
  const and = (): Series => binary(comparison, { AND: (a, b) => Number(a !== 0 && b !== 0) });
  const comparison = (): Series => binary(sum, {
    '<': (a, b) => Number(a < b), '<=': (a, b) => Number(a <= b), '>': (a, b) => Number(a > b), '>=': (a, b) => Number(a >= b),
  });
  const sum = (): Series => binary(product, { '+': (a, b) => a + b, '-': (a, b) => a - b });
  const product = (): Series => binary(atom, { '*': (a, b) => a * b, '/': (a, b) => a / b });
  const atom = (): Series => {
    const token = tokens[next++];
    if (token === '(') {
      const inner = or();
      expect(')');
      return inner;
    }
    if (/^\d/.test(token)) return Array.from({ length }, () => Number(token));
    if (tokens[next] === '(') return call(token);
    if (!(token in metrics)) throw new Error(`No metric has the id ${token} in ${expression}`);
    return metrics[token];
  };
  const list = (): Series[] => {
    const items: Series[] = [];
    do {
      next++;
      items.push(or());
    } while (tokens[next] === ',');
    expect(']');
    return items;
  };
  const call = (name: string): Series => {
    expect('(');
    if (name === 'SUM') {
      const summands = tokens[next] === '[' ? list() : Object.values(metrics);
      if (tokens[next] === 'METRICS') for (const token of ['METRICS', '(', ')']) expect(token);
      expect(')');
      return Array.from({ length }, (_, index) => {
        const there = summands.map(series => series[index]).filter(value => value !== undefined);
        return there.length === 0 ? undefined : there.reduce((total, value) => total + value, 0);
      });
    }
    if (name === 'PERIOD') {
      const id = tokens[next++];
      if (!(id in metrics)) throw new Error(`No metric has the id ${id} in ${expression}`);
      expect(')');
      return Array.from({ length }, () => period);
    }
    const parts = [or()];
    while (tokens[next] === ',') {
      next++;
      parts.push(or());
    }
    expect(')');
    if (name === 'IF') return combine([parts[0]], ([condition], index) => (condition === 0 ? parts[2] : parts[1])[index]);
    if (name === 'FILL') return parts[0].every(value => value === undefined) ? parts[0] : parts[0].map((value, index) => value ?? parts[1][index]);
    if (name === 'RUNNING_SUM') {
      let total = 0;
      return parts[0].map(value => (value === undefined ? undefined : total += value));
    }
    throw new Error(`${name} is not known here: ${expression}`);
  };
  return or();
}

function combine(series: readonly Series[], operator: (values: number[], index: number) => number | undefined): Series {
  return series[0].map((_, index) => {
    const values = series.map(one => one[index]);
    return values.some(value => value === undefined) ? undefined : operator(values as number[], index);
  });
}
