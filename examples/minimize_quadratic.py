"""The textbook's first search: the x with the least (x - 1)², drawn from a normal distribution, 500 evaluations."""

import tunesmith

result = tunesmith.minimize(lambda x: (x - 1) ** 2, tunesmith.normal(0, 10), strategy="tpe", trials=500)

print(f"best x {result.best_candidate['x']:.4f}, value {result.best_value:.2e}, {len(result.study.trials())} trials")
