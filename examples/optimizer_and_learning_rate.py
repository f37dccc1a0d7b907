"""Optimizer × learning rate: a nested space, each optimizer with its own range, and a network of scikit-learn's."""

from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier

import tunesmith

images, labels = load_digits(return_X_y=True)
images = images[:600] / 16.0
labels = labels[:600]

space = {
    "optimizer": tunesmith.choice(
        {
            "sgd": {"sgd_rate": tunesmith.loguniform(1e-3, 1), "momentum": tunesmith.uniform(0, 0.99)},
            "adam": {"adam_rate": tunesmith.loguniform(1e-4, 0.1)},
        }
    ),
}


def error(candidate: dict) -> float:
    rate = candidate.get("sgd_rate") or candidate.get("adam_rate")
    network = MLPClassifier(
        (16,),
        solver=candidate["optimizer"],
        learning_rate_init=rate,
        momentum=candidate.get("momentum", 0.9),
        max_iter=15,
        random_state=0,
    )
    return 1 - cross_val_score(network, images, labels, cv=3).mean()


result = tunesmith.minimize(error, space, trials=20, parallel=2, timeout=60)
print(f"best {result.best_candidate}, error {result.best_value:.3f}")
