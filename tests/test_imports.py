"""What is loaded when: the front doors stay light, and optional packages are only needed where they are used."""

import subprocess
import sys

import tunesmith

HEAVY: tuple[str, ...] = ("grpc", "keras", "kfp", "kubernetes", "optuna", "sklearn.ensemble", "tensorflow")
OPTIONAL = (
    "google.protobuf",
    "grpc",
    "keras",
    "kfp",
    "kubernetes",
    "onnx",
    "onnxruntime",
    "optuna",
    "sklearn",
    "tensorflow",
    "tf2onnx",
)

BLOCK = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if any(name == package or name.startswith(package + ".") for package in {OPTIONAL!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""


def run_python(code: str, *arguments: str) -> str:
    """Run code in a fresh interpreter; return what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def heavy_modules_after(code: str) -> set[str]:
    report = "import atexit, sys; atexit.register(lambda: print('loaded', *sys.modules))\n"
    loaded = run_python(report + code).splitlines()[-1].split()
    assert loaded[0] == "loaded"
    return set(HEAVY) & set(loaded)


def test_importing_the_package_loads_nothing_heavy():
    assert heavy_modules_after("import tunesmith") == set()


def test_every_public_name_is_there():
    code = "import tunesmith; print(*(getattr(tunesmith, name).__name__ for name in tunesmith.__all__))"
    assert run_python(code).split() == tunesmith.__all__


def test_the_list_of_heavy_modules_is_seen_when_one_is_loaded():
    assert heavy_modules_after("import grpc") == {"grpc"}


def test_the_help_loads_nothing_heavy():
    code = "import runpy, sys; sys.argv = ['tunesmith', '--help']; runpy.run_module('tunesmith', run_name='__main__')"
    assert heavy_modules_after(code) == set()


def test_spaces_strategies_schedulers_and_engines_load_nothing_heavy():
    code = """
import importlib, pkgutil
for seam in ("advice", "data", "engines", "evaluation", "export", "report", "schedulers", "spaces", "strategies"):
    package = importlib.import_module(f"tunesmith.{seam}")
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
"""
    assert heavy_modules_after(code) == set()


def test_a_function_can_be_searched_without_any_optional_package():
    code = """
import tunesmith
for strategy in ("auto", "cmaes", "gp", "grid", "random", "sobol", "tpe"):
    space = {"x": tunesmith.uniform(-1, 1), "kind": tunesmith.choice(["a", "b"])}
    result = tunesmith.minimize(lambda candidate: candidate["x"] ** 2, space, strategy=strategy, trials=12)
    print(strategy, result.outcome.finished)
"""
    assert run_python(BLOCK + code).splitlines() == [
        "auto 12",
        "cmaes 12",
        "gp 12",
        "grid 10",
        "random 12",
        "sobol 12",
        "tpe 12",
    ]


def test_an_optional_package_that_is_absent_cannot_be_imported():
    code = f"""
import importlib
for name in {OPTIONAL!r}:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        print(error.name)
"""
    assert run_python(BLOCK + code).split() == list(OPTIONAL)
