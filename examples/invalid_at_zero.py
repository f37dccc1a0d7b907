"""An objective that is invalid at some places: it says so with a status, or simply fails, and the search goes on."""

import tunesmith


def objective(x: int) -> dict:
    if x == 0:
        return {"status": "fail", "reason": "1/x is not defined at 0"}
    return {"loss": 1 / x, "status": "ok", "square": x * x}


result = tunesmith.minimize(objective, tunesmith.integer(-5, 5), strategy="random", trials=11)

for trial in result.study.trials():
    print(f"x = {trial.candidate['x']:>2}  {trial.state}  {trial.metrics.get('loss', trial.reason)}")
print(f"best x {result.best_candidate['x']}, value {result.best_value:g}")
