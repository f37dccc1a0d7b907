"""What a search shows of itself on a console."""

from io import StringIO

from rich.console import Console

from tunesmith.progress import ConsoleProgress


def test_a_note_is_printed_once_however_often_it_comes_and_whatever_comes_between() -> None:
    printed = StringIO()
    progress = ConsoleProgress(Console(file=printed, width=80))
    for text in ("ErrImagePull", "ImagePullBackOff") * 3:
        progress.note(text)
    assert printed.getvalue().split() == ["ErrImagePull", "ImagePullBackOff"]
