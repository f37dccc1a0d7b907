"""Tables: columns and labels are understood, or the mistake is named with its line."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from tests.data.files import csv_text, encoding_of, people, prepared, write_csv
from tunesmith.errors import DataError


def refused(folder: Path, text: str, message: str, name: str = "table.csv", **settings: str) -> None:
    with pytest.raises(DataError, match=message):
        prepared(folder, write_csv(folder, text, name), **settings)


def lines(count: int, row: str) -> list[str]:
    """Return `count` rows made of a pattern with {i}, half of them labelled a, half b."""
    return [f"{row.format(i=i)},{'ab'[i % 2]}" for i in range(count)]


def test_a_ragged_row_is_named_with_its_line(tmp_path: Path):
    text = csv_text("a,label", ["1,x", '"2\n2",y', "3", "4,x"])
    refused(tmp_path, text, "table.csv: line 5: has 1 values, the header names 2 columns")


def test_an_unclosed_quote_is_named_with_its_line(tmp_path: Path):
    refused(tmp_path, csv_text("a,label", ["1,x", '"2,y', "3,x"]), "line 3: cannot be read as a row")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("a,b,a,label", "line 1: names columns twice: a"),
        ("1,2,3,4", r"line 1: has to name the columns, but holds only numbers \(1, 2, 3, 4\)"),
        ("a;b;c;label", "line 1: names a single column, 'a;b;c;label'; columns are separated by commas"),
    ],
)
def test_a_header_that_cannot_be_right_is_named(tmp_path: Path, header: str, message: str):
    refused(tmp_path, csv_text(header, ["1,2,3,4"]), message)


def test_a_header_alone_is_no_table(tmp_path: Path):
    refused(tmp_path, "a,label\n", "holds no examples")


def test_a_file_of_blank_lines_is_empty(tmp_path: Path):
    refused(tmp_path, "\n\n", "is empty; its first line has to name the columns")


def test_text_in_another_encoding_is_named(tmp_path: Path):
    (tmp_path / "table.csv").write_bytes("stadt,label\nKöln,1\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"is no UTF-8 text \(byte 0xf6"):
        prepared(tmp_path, str(tmp_path / "table.csv"))


@pytest.mark.parametrize("content", [gzip.compress(b"a,label\n" + b"1,x\n" * 999)[:-20], b"a,label\n1,x\n"])
def test_a_damaged_packed_file_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "table.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"table.csv.gz: is damaged or cut off"):
        prepared(tmp_path, str(tmp_path / "table.csv.gz"))


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "table.tsv", "TABLE.TSV.GZ"])
def test_packed_and_tabbed_tables_are_read_alike(tmp_path: Path, name: str):
    text = csv_text("age,city,label", people())
    text = text.replace(",", "\t") if ".tsv" in name.lower() else text
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.lower().endswith("gz") else b"\xef\xbb\xbf" + text.encode())
    assert (
        prepared(tmp_path, str(path)).info.fingerprint
        == prepared(tmp_path, write_csv(tmp_path, csv_text("age,city,label", people()))).info.fingerprint
    )


def test_a_label_that_is_not_there_is_named_with_what_was_meant(tmp_path: Path):
    refused(
        tmp_path,
        csv_text("age,city,label", people()),
        r"no column 'lable' .*columns: age, city, label \(did you mean 'label'",
        target="lable",
    )


def test_without_a_target_the_columns_are_listed(tmp_path: Path):
    refused(
        tmp_path,
        csv_text("age,city,income", people()),
        "no column is named like a label; name .* in data.target; its columns: age, city, income",
    )


def test_two_columns_named_like_labels_are_not_guessed_between(tmp_path: Path):
    refused(tmp_path, csv_text("age,class,y", people()), "class and y may all be the label")


@pytest.mark.parametrize("name", ["target", "Label", "class", "Y"])
def test_a_column_named_like_a_label_is_the_label(tmp_path: Path, name: str):
    assert prepared(tmp_path, write_csv(tmp_path, csv_text(f"age,city,{name}", people()))).info.target == name


def test_missing_labels_are_counted_and_named(tmp_path: Path):
    rows = people()
    for i in (3, 4, 7, 8, 20, 30, 40):
        rows[i] = rows[i].rsplit(",", 1)[0] + ",?"
    refused(tmp_path, csv_text("age,city,label", rows), "7 of 60 labels are missing: lines 5, 6, 9, 10, 22 and 2 more")


@pytest.mark.parametrize("missing", ["", "NA", "NaN", "nan", "null", "?", " ? "])
def test_a_missing_value_is_known_by_any_of_its_names(tmp_path: Path, missing: str):
    rows = [f"{missing if i % 5 == 0 else i * 7 % 31},{'ab'[i % 2]}" for i in range(40)]
    data = prepared(tmp_path, write_csv(tmp_path, csv_text("n,label", rows)))
    assert data.info.statistics["columns"]["n"]["missing"] == 8
    assert encoding_of(data).features == ["n", "n missing"]


@pytest.mark.parametrize(
    ("labels", "task", "classes"),
    [
        (["yes", "no"], "classification", ("no", "yes")),
        (["1.0", "0"], "classification", ("0", "1")),
        ([str(i) for i in range(10, -10, -1)], "classification", tuple(str(i) for i in range(-9, 11))),
        ([str(i) for i in range(21)], "regression", ()),
        (["0.5", "1"], "regression", ()),
    ],
)
def test_the_task_follows_from_the_labels(tmp_path: Path, labels: list[str], task: str, classes: tuple[str, ...]):
    rows = [f"{i * 37 % 101},{labels[i % len(labels)]}" for i in range(210)]
    info = prepared(tmp_path, write_csv(tmp_path, csv_text("n,y", rows))).info
    assert (info.task, info.classes) == (task, classes)


def test_the_task_can_be_forced(tmp_path: Path):
    rows = [f"{i * 37 % 101},{i % 4}" for i in range(80)]
    path = write_csv(tmp_path, csv_text("n,y", rows))
    assert prepared(tmp_path, path, task="regression").info.task == "regression"
    refused(
        tmp_path,
        csv_text("age,city,label", people()),
        r"a regression needs numbers as labels, got 'no': lines 2, 3, ",
        task="regression",
    )


def test_a_single_class_is_refused(tmp_path: Path):
    refused(
        tmp_path,
        csv_text("n,y", [f"{i},7" for i in range(20)]),
        "all 20 labels are '7'; a classification needs at least two classes",
    )


def test_a_constant_target_is_refused(tmp_path: Path):
    refused(tmp_path, csv_text("n,y", [f"{i},0.5" for i in range(20)]), "all 20 labels are 0.5; there is nothing to learn")


def test_columns_that_say_nothing_are_dropped_with_a_reason(tmp_path: Path):
    rows = [f"{i},7,x,,{'ab'[i % 2]},{'cd'[i % 2]}{i % 3},{'yn'[i % 2]}" for i in range(40)]
    data = prepared(tmp_path, write_csv(tmp_path, csv_text("id,seven,always,nothing,twin,kind,label", rows)))
    assert data.info.statistics["dropped"] == {
        "id": "counts the rows",
        "seven": "is always 7 in the training split",
        "always": "is always 'x' in the training split",
        "nothing": "holds no value in the training split",
    }
    assert [column.name for column in encoding_of(data).columns] == ["twin", "kind"]


def test_names_and_free_text_are_dropped(tmp_path: Path):
    rows = lines(60, "person {i},text {i},5{i}")
    info = prepared(tmp_path, write_csv(tmp_path, csv_text("name,remark,n,label", rows))).info
    assert set(info.statistics["dropped"]) == {"name", "remark"}
    assert "36 of 36 texts are different: a name or free text" in info.statistics["dropped"]["name"]


def test_a_table_with_nothing_to_learn_from_is_refused(tmp_path: Path):
    refused(
        tmp_path,
        csv_text("name,seven,label", lines(30, "person {i},7")),
        "no column is left to learn from: name .18 of 18.*, seven .is always 7",
    )


def test_rare_categories_count_as_other(tmp_path: Path):
    rows = [f"c{i % 80},{'ab'[i // 80 % 2]}" for i in range(800)]
    column = encoding_of(prepared(tmp_path, write_csv(tmp_path, csv_text("c,label", rows)))).columns[0]
    assert len(column.vocabulary) == 50
    assert column.other


def test_slips_in_a_column_of_numbers_count_as_missing_and_are_warned_of(tmp_path: Path):
    rows = [f"{'12;5' if i == 17 else i * 7},{'ab'[i % 2]}" for i in range(60)]
    info = prepared(tmp_path, write_csv(tmp_path, csv_text("n,label", rows))).info
    assert info.statistics["warnings"] == [
        "column 'n': 1 of 60 values are no numbers and count as missing, such as '12;5': line 19"
    ]


@pytest.mark.parametrize("number", ["inf", "1e300", "-Infinity"])
def test_an_infinite_number_is_named_with_its_line(tmp_path: Path, number: str):
    rows = [f"{number if i == 5 else i * 3},{'ab'[i % 2]}" for i in range(20)]
    refused(tmp_path, csv_text("n,label", rows), "column 'n' holds 1 infinite or too large numbers: line 7")


def test_a_column_of_split_names_is_the_split(tmp_path: Path):
    rows = [f"{'Test' if i % 3 == 0 else 'train'},{i * 5 % 41},{'ab'[i % 2]}" for i in range(60)]
    data = prepared(tmp_path, write_csv(tmp_path, csv_text("split,n,label", rows)))
    assert data.info.sizes == {"train": 28, "validation": 12, "test": 20}
    assert data.raw("test")["n"].tolist() == [i * 5 % 41 for i in range(0, 60, 3)]
    assert data.info.statistics["split"] == "kept as the column 'split' says: test, train"
    assert "split" not in data.info.statistics["columns"]


def test_a_column_named_split_of_other_words_is_an_ordinary_column(tmp_path: Path):
    rows = [f"{['banana', 'wood'][i % 3 == 0]},{'ab'[i % 2]}" for i in range(60)]
    data = prepared(tmp_path, write_csv(tmp_path, csv_text("split,label", rows)))
    assert encoding_of(data).features == ["split=banana", "split=wood"]


def test_a_row_without_a_split_is_named(tmp_path: Path):
    rows = [f"{'' if i == 9 else ['train', 'test'][i % 3 == 0]},{i},{'ab'[i % 2]}" for i in range(60)]
    refused(tmp_path, csv_text("split,n,label", rows), "column 'split' assigns no split to 1 rows: line 11")


def test_a_nameless_column_is_called_after_its_position(tmp_path: Path):
    rows = lines(40, "{i},5{i}")
    info = prepared(tmp_path, write_csv(tmp_path, csv_text(",n,label", rows))).info
    assert info.statistics["dropped"] == {"column 1": "counts the rows"}


def test_columns_may_be_named_like_anything(tmp_path: Path):
    data = prepared(tmp_path, write_csv(tmp_path, csv_text('file,"../a,b/c",label', lines(40, "4{i},5{i}"))))
    assert list(data.raw("test")) == ["file", "../a,b/c"]
    assert np.array_equal(encoding_of(data).encode(data.raw("test")), data.split("test")[0])


@pytest.mark.parametrize("task", ["auto", "regression"])
def test_slips_among_a_regressions_labels_are_named(tmp_path: Path, task: str):
    rows = [f"{i * i % 13},{'n.k.' if i == 4 else i * 7 + 0.5}" for i in range(60)]
    message = "1 of 60 labels are no numbers, such as 'n.k.': line 6; if they are classes"
    refused(tmp_path, csv_text("a,y", rows), message, task=task)


def test_many_columns_are_not_all_listed(tmp_path: Path):
    header = ",".join(f"c{i}" for i in range(100))
    refused(tmp_path, csv_text(header, [header]), r"its columns: c0, .*, c29 and 70 more$")
