"""What a planner sees when a scenario is wrong: exact texts, hostile files, no tracebacks."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccsim.errors import ScenarioError
from ccsim.scenario import TEMPLATE, read_all, read_case, yaml_reader

GOLDEN = Path(__file__).parent / "golden" / "errors"
BROKEN = sorted(path.stem for path in GOLDEN.glob("*.txt"))
IN_TIME = 2.0
"""Seconds in which any file is refused; design section 8."""


def refusal(path: Path | str, **arguments: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        read_all(path, **arguments)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("name", BROKEN)
def test_what_the_user_sees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    expected = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")
    assert refusal(f"{name}.yaml") + "\n" == expected


def test_every_broken_file_has_its_text() -> None:
    files = {path.stem for path in GOLDEN.glob("*.yaml")} - {"base"}
    assert files == set(BROKEN)
    assert len(files) >= 14


def test_every_problem_says_where_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    for name in BROKEN:
        with pytest.raises(ScenarioError) as caught:
            read_all(f"{name}.yaml")
        places = [(p.file, p.line or 0, p.column or 0) for p in caught.value.problems]
        assert places == sorted(places)
        for problem in caught.value.problems:
            assert problem.file
            assert "\n" not in problem.message
            assert len(str(problem)) < 450


# Files made to hurt -------------------------------------------------------------------------


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        aliases = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{aliases}]")
    return "\n".join(lines)


HOSTILE = {
    "huge": (b"name: x\n" + b"# more\n" * 30_000, "larger than 128 KiB"),
    "a_long_series": (b"demand: [" + b"1.5, " * 40_000 + b"]", "larger than 128 KiB"),
    "binary": (b"PK\x03\x04\x00\x00\xff\xfe" * 100, "not UTF-8 text"),
    "null_bytes": (b"name: \0\0\0", "a binary file"),
    "utf16": ("name: Büro".encode("utf-16"), "not UTF-8 text"),
    "empty": (b"", "the file is empty"),
    "only_a_comment": (b"# nothing\n", "the file is empty"),
    "a_list": (b"- 1\n- 2\n", "a scenario is fields with values"),
    "billion_laughs": (bomb(10).encode(), "aliases ('*name') stand for more than 100000 values"),
    "many_aliases": (b"a: &a x\nb: [" + b"*a, " * 1001 + b"]", "more than 1000 aliases"),
    "deep": (b"[" * 100_000, "nested more than 64 levels"),
    "deep_mapping": (b"{a: " * 30_000, "nested more than 64 levels"),
    "deep_dashes": (b"- " * 60_000, "nested more than 64 levels"),
    "deep_by_aliases": (
        b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d" % (n - 1) if n else b"x") for n in range(80)),
        "nested more than 64 levels",
    ),
    "contains_itself": (b"a: &a {b: *a}\n", "'*a' contains itself"),
    "unknown_alias": (b"a: *b\n", "'*b' is not defined"),
    "python_object": (b"a: !!python/object/apply:os.system [ls]\n", "unknown tag '!!python/"),
    "two_documents": (b"a: 1\n---\nb: 2\n", "a second document"),
    "list_as_key": (b"? [a, b]\n: c\n", "a key must be one word"),
    "alias_as_key": (b"a: &a x\n*a : c\n", "a key must be one word"),
    "open_quote": (b'name: "' + b"x " * 60_000, "not valid YAML"),
    "tab": (b"a:\n\tb: 1\n", "a tab; indent with spaces"),
    "large_number": (b"version: " + b"9" * 100_000, "version"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_time(name: str, tmp_path: Path) -> None:
    content, expected = HOSTILE[name]
    path = tmp_path / "scenario.yaml"
    path.write_bytes(content)
    read_all(GOLDEN / "base.yaml")  # imports are not on the clock
    began = time.perf_counter()
    text = refusal(path)
    assert expected in text
    assert time.perf_counter() - began < IN_TIME


@pytest.mark.parametrize("name", ["deep", "many_aliases", "python_object"])
def test_limits_stop_before_any_tree_is_built(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("built a tree")

    monkeypatch.setattr(yaml_reader, "_build", never)
    with pytest.raises(ScenarioError):
        yaml_reader.parse_yaml(HOSTILE[name][0], "scenario.yaml")


def test_a_large_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    padding = "# a comment of a careful planner\n" * 3500
    path.write_text(TEMPLATE + padding, encoding="utf-8")
    assert len(path.read_bytes()) < yaml_reader.MAXIMUM_BYTES
    assert len(read_all(path)) == 3


def test_ten_kilobytes_take_less_than_a_second(tmp_path: Path) -> None:
    """`ccsim check` answers at once; 0.15 s when this was written, so the bound is wide."""
    types = "".join(
        f"  line_{n}:\n    open: {{mon-fri: '08:00-20:00'}}\n    demand: {{rate: {n} calls/h}}\n"
        f"    talk_time: {{lognormal: {{mean: 4 min, cv: 0.8}}}}\n    wrap_up: 30 s\n"
        f"    targets: ['80% answered within 20 s, over each day']\n"
        for n in range(1, 50)
    )
    skills = ", ".join(f"line_{n}: {{}}" for n in range(1, 50))
    text = TEMPLATE.replace("\nagent_groups:", f"{types}\nagent_groups:")
    path = tmp_path / "scenario.yaml"
    path.write_text(text.replace("{sales: {}}", f"{{sales: {{}}, {skills}}}"), encoding="utf-8")
    assert len(path.read_bytes()) > 10_000
    read_case(GOLDEN / "base.yaml")
    began = time.perf_counter()
    read_case(path)
    assert time.perf_counter() - began < 1.0


# Files and folders --------------------------------------------------------------------------


def test_no_file_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "week.yaml").write_text(TEMPLATE, encoding="utf-8")
    assert "no such file; did you mean 'week.yaml'?" in refusal(tmp_path / "weak.yaml")
    assert "is a folder" in refusal(tmp_path)
    assert "no such file" in refusal("nowhere\0.yaml") or "cannot be read" in refusal("nowhere\0")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a thing of Unix")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert "no such file" in refusal(tmp_path / "pipe.yaml")


@pytest.mark.parametrize(
    "name", ["../base.yaml", "/etc/hostname", "link.yaml", "sub/../../base.yaml"]
)
def test_extends_stays_in_the_folder(name: str, tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "base.yaml", tmp_path / "base.yaml")
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    (folder / "link.yaml").symlink_to(tmp_path / "base.yaml")
    (folder / "week.yaml").write_text(f"extends: {name}\n", encoding="utf-8")
    assert "lies outside the scenario's folder" in refusal(folder / "week.yaml")


def test_extends_has_an_end(tmp_path: Path) -> None:
    shutil.copy(GOLDEN / "base.yaml", tmp_path / "s0.yaml")
    for n in range(1, 12):
        (tmp_path / f"s{n}.yaml").write_text(f"extends: s{n - 1}.yaml\n", encoding="utf-8")
    assert read_case(tmp_path / "s10.yaml").scenario == read_case(tmp_path / "s0.yaml").scenario
    assert "more than 10 files extend one another" in refusal(tmp_path / "s11.yaml")


def test_unknown_variants_and_overrides() -> None:
    path = GOLDEN / "base.yaml"
    for arguments, expected in [
        ({"variant": "x"}, "no variant 'x'; the variants here: none"),
        ({"overrides": ["horizon.days"]}, "write a field and its value"),
        ({"overrides": ["horizon.days="]}, "no value after '='"),
        (
            {"overrides": ["horizon.dayz=7"]},
            "--set horizon.dayz=7: horizon.dayz: unknown field; did",
        ),
        ({"overrides": ["horizon.days=[7"]}, "not valid YAML"),
        ({"overrides": ["horizon.days=0"]}, "0 is too small; the least is 1"),
    ]:
        with pytest.raises(ScenarioError) as caught:
            read_case(path, **arguments)  # type: ignore[arg-type]
        assert expected in str(caught.value)


def test_a_problem_of_the_base_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_text(TEMPLATE.replace("cv: 0.8", "cv: -1"), encoding="utf-8")
    assert refusal(path).count("\n") == 0


# Anything at all ----------------------------------------------------------------------------


def read_or_refuse(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        read_all(path)
    except ScenarioError as error:
        said = error
    else:
        return
    assert said.problems
    assert str(said)


@settings(deadline=None, max_examples=150)
@given(
    text=st.text(st.sampled_from("ab1 :-[]{}&*!?|>'\"#%@`\n\t,~<") | st.characters(), max_size=60)
)
def test_arbitrary_text_is_read_or_refused(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "arbitrary.yaml"
    read_or_refuse(path, text.encode("utf-8", "surrogatepass"))


VALUES = st.sampled_from(
    (
        *(
            "null",
            "0",
            "-1",
            "1e400",
            ".nan",
            "[]",
            "{}",
            "[[]]",
            "{a: 1}",
            "off",
            "true",
            "é",
            "''",
        ),
        *("99999999999999999999", "1 h/h", "5 if", "1 lambda", "9999 weeks", "99999 d", "8:00"),
        *("100%", "0 EUR", "sun-thu", "always", "10 min", "[mon, tue]", "'\\0'", '"\\uD800"'),
        *("2026-09-31", "0001-01-01", "20260906", "'80% answered within 1 h 1 h, over each day'"),
    )
)


@settings(deadline=None, max_examples=250)
@given(line=st.integers(0, TEMPLATE.count("\n") - 1), value=VALUES, flow=st.integers(0, 3))
def test_a_changed_value_is_read_or_refused(
    line: int, value: str, flow: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Put something else behind one ':' of a good file, in the line or in its braces."""
    lines = TEMPLATE.split("\n")
    parts = lines[line].split(": ")
    at = 1 + flow % max(1, len(parts) - 1)
    if len(parts) > at:
        tail = "".join(mark for mark in parts[at] if mark in "{}[],")
        closing = tail.lstrip("{[") if parts[at][:1] not in "{[" else tail[1:]
        parts[at] = value + closing
    lines[line] = ": ".join(parts)
    path = tmp_path_factory.getbasetemp() / "changed.yaml"
    read_or_refuse(path, "\n".join(lines).encode())


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(TEMPLATE.encode())
    start = data.draw(st.integers(0, len(content) - 1))
    length = data.draw(st.integers(0, 40))
    content[start : start + length] = data.draw(st.binary(max_size=10))
    read_or_refuse(tmp_path_factory.getbasetemp() / "damaged.yaml", bytes(content))


@settings(deadline=None, max_examples=100)
@given(
    content=st.binary(max_size=200)
    | st.text(st.sampled_from('weekday,start;\t\n"mon0:18,5-e. é'), max_size=120).map(str.encode),
    name=st.sampled_from(
        ["calls.csv", "calls.xlsx", "calls.xls", "calls.ods", "calls.txt", "calls.pdf"]
    ),
)
def test_any_series_is_read_or_refused(
    content: bytes, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / name).write_bytes(content)
    text = (GOLDEN / "base.yaml").read_text().replace("rate: 120 calls/h", f"file: {name}")
    read_or_refuse(folder / "series.yaml", text.encode())
