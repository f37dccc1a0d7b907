"""A pipeline of two steps that need no training: one counts like a search, one fails as it is told."""

# pyright: reportCallIssue=false
# (kfp types a component as the function it was made of, whose outputs would have to be given)

from typing import Any

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Output


@dsl.component(base_image="python", install_kfp_package=False)
def count(number: int, seconds: float, data: Output[Dataset]) -> None:
    import time
    from pathlib import Path

    from tunesmith.pipeline_run.local_step import step, step_console

    @step
    def run() -> None:
        for i in range(number):
            step_console().print(f"search {i + 1}/{number}  [best] 1.0", markup=False)
            print("noise of a library")
            time.sleep(seconds)
        Path(data.path).write_text("counted")

    run()


@dsl.component(base_image="python", install_kfp_package=False)
def judge(data: Input[Dataset], error: str, page: Output[HTML]) -> None:
    from pathlib import Path

    from tunesmith import errors

    Path(page.path).write_text("<p>" + Path(data.path).read_text())
    if error:
        raise getattr(errors, error, ValueError)("accuracy 0.5 is below\n0.9")


@dsl.pipeline(name="demo")
def _demo(number: int = 2, seconds: float = 0.0, error: str = "", names: list[str] = ["a"], free: dict = {}) -> None:  # noqa: B006
    counted = count(number=number, seconds=seconds)
    judge(data=counted.outputs["data"], error=error)


demo: Any = _demo
