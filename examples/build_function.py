"""Your own `build(choose)` function and a data function: back come the best candidate and the best trained model."""

import keras
import numpy as np
from sklearn.datasets import load_digits

import tunesmith


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    images, labels = load_digits(return_X_y=True)
    images = images.astype("float32") / 16
    return images[:1200], labels[:1200], images[1200:], labels[1200:]


def build(choose) -> tunesmith.Training:
    model = keras.Sequential([keras.Input((64,))])
    for layer in range(choose.int("layers", 1, 3)):
        model.add(keras.layers.Dense(choose.logint(f"units{layer}", 16, 256), activation="relu"))
        model.add(keras.layers.Dropout(choose.uniform(f"dropout{layer}", 0, 0.5)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    rate = choose.loguniform("rate", 1e-4, 1e-2)
    model.compile(keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return tunesmith.Training(model, batch_size=choose.choice("batch", [32, 64, 128]))


if __name__ == "__main__":
    result = tunesmith.design(build, data, trials=6, epochs=5, parallel=2)
    _, _, images, labels = data()
    accuracy = (result.best_model.predict(images, verbose=0).argmax(axis=1) == labels).mean()
    print(f"best {result.best_candidate}")
    print(f"validation accuracy {result.best_value:.3f}, the model's own {accuracy:.3f}")
