"""The report's files and tables, from hand-written records."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from samtta_app.bench.click_rows import ClickRow, read_click_rows, write_records
from samtta_app.bench.report.report import (
    build_report,
    figures_csv,
    page,
    report_markdown,
    show_report,
    summary,
    write_report,
)
from samtta_app.bench.report.tables import LEGEND
from samtta_app.errors import DatasetError
from tests.unit.bench.recorded import FAILED, clicks, solved, stream

ROOT = Path(__file__).parents[3]

PAIR = [*stream([FAILED, solved(4)], strategy="frozen"), *stream([solved(2), solved(4)], learning=1.5)]
WOUNDS = [*stream([solved(5)], strategy="frozen", name="wounds"), *stream([solved(1)], name="wounds")]


def sheet(records: list[ClickRow], title: str) -> list[dict[str, str]]:
    """The rows of the table of this title, by head."""
    (found,) = (each for each in build_report(records).sheets if each.title == title)
    assert all(len(row) == len(found.heads) for row in found.rows)
    return [dict(zip(found.heads, row, strict=True)) for row in found.rows]


def shown(records: list[ClickRow]) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_report(console, records)
    return console.file.getvalue()  # type: ignore[attr-defined]


class Page(HTMLParser):
    """Tags that are open, and whether all were closed in order; texts of cells."""

    void = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "td":
            self.cells.append(data)


def test_clicks_and_failures_have_a_row_per_run_with_intervals() -> None:
    frozen, adapted = sheet(PAIR, "Clicks and failures")
    assert (frozen["strategy"], frozen["NoC"], frozen["FR %"]) == ("frozen", "4.50 [4.00, 5.00]", "50.0 [0.0, 100.0]")
    assert (adapted["NoC"], adapted["FR %"], adapted["objects"]) == ("3.00 [2.00, 4.00]", "0.0 [0.0, 0.0]", "2")


def test_adapted_against_frozen_by_hand() -> None:
    (row,) = sheet(PAIR, "Adapted against frozen")
    assert row["NoC reduction %"].startswith("+33.3 [")
    assert row["FR reduction %"].startswith("+100.0 [")
    assert row["FR difference, points"] == "-50.0 [-100.0, +0.0]"
    assert row["fewer / equal / more %"] == "50 / 50 / 0"


def test_what_is_not_defined_is_a_dash() -> None:
    (row,) = sheet([*stream([solved(2)], strategy="frozen"), *stream([solved(1)])], "Adapted against frozen")
    assert row["FR reduction %"] == "-"
    assert sheet(PAIR, "Time")[0]["adaptation p50, ms"] == "-"
    assert sheet(PAIR, "Time")[1]["adaptation p50, ms"] == "1500 [1500, 1500]"


def test_means_over_sets_come_after_their_sets() -> None:
    rows = sheet([*PAIR, *WOUNDS], "Clicks and failures")
    assert [(row["set"], row["strategy"]) for row in rows] == [
        *(("cells", "frozen"), ("cells", "samtta"), ("wounds", "frozen"), ("wounds", "samtta")),
        *(("mean of sets", "frozen"), ("mean of sets", "samtta")),
    ]
    assert rows[-1]["NoC"].startswith("2.00 [")


def test_a_clicker_is_named_where_there_are_several() -> None:
    assert "clicker" not in sheet(PAIR, "Clicks and failures")[0]
    rows = sheet([*PAIR, *stream([solved(1)], clicker="schoen")], "Clicks and failures")
    assert [row["clicker"] for row in rows] == ["ritm", "ritm", "schoen"]


def test_models_are_kept_apart_wherever_the_report_groups() -> None:
    small = [*stream([FAILED, solved(4)], strategy="frozen", model="small"), *stream([solved(2)] * 2, model="small")]
    large = [*stream([solved(2)] * 2, strategy="frozen", model="large"), *stream([solved(1)] * 2, model="large")]
    rows = sheet([*small, *large], "Clicks and failures")
    assert [(row["model"], row["strategy"], row["NoC"][:4]) for row in rows] == [
        *(("small", "frozen", "4.50"), ("small", "samtta", "2.00")),
        *(("large", "frozen", "2.00"), ("large", "samtta", "1.00")),
    ]
    pairs = {row["model"]: row["NoC reduction %"][:5] for row in sheet([*small, *large], "Adapted against frozen")}
    assert pairs == {"small": "+55.6", "large": "+50.0"}
    found = build_report([*small, *large])
    assert not found.alone
    assert "model large, small" in found.scope
    assert page(found).count("model small</h2>") == 1
    rows = list(csv.DictReader(io.StringIO(figures_csv(found))))
    assert {row["model"] for row in rows} == {"small", "large"}
    assert len(rows) == 4


def test_one_model_needs_no_column_and_other_models_are_no_twin() -> None:
    records = [*stream([solved(2)], strategy="frozen", model="small"), *stream([solved(1)], model="large")]
    assert "model" not in sheet(stream([solved(2)], model="small"), "Clicks and failures")[0]
    assert len(build_report(records).alone) == 2
    assert build_report(records).comparisons == ()


def test_the_stream_is_shown_in_parts_for_both_sides() -> None:
    records = [*stream([solved(4)] * 3, strategy="frozen"), *stream([solved(4), solved(2), solved(1)])]
    frozen, adapted, gain = sheet(records, "NoC over the stream")
    assert adapted["side"] == "adapted"
    parts = ("first third", "middle third", "last third")
    assert [row[part].split()[0] for row in (frozen, adapted) for part in parts] == [
        *("4.00", "4.00", "4.00"),
        *("4.00", "2.00", "1.00"),
    ]
    assert [gain[part].split()[0] for part in parts] == ["+0.0", "+50.0", "+75.0"]


def test_strategies_are_given_as_multiples_of_the_seed() -> None:
    records = [*PAIR, *stream([solved(4), solved(4)], strategy="schoen2024")]
    ours, seed = sheet(records, "Strategies, mean of sets")
    assert ours["x schoen2024"].startswith("1.00 [")  # both reduce FR from one half to nothing
    assert seed["strategy"] == "schoen2024"
    assert sheet(PAIR, "Strategies, mean of sets")[0]["x schoen2024"] == "-"


def test_a_chain_is_shown_beside_a_fresh_start() -> None:
    chain = [*clicks(solved(1), 0, name="a>b"), *clicks(solved(3), 1, name="a>b", number=5)]
    (row,) = sheet([*chain, *clicks(solved(2), 0, name="b", number=5)], "Second half of a chain, beside a fresh start")
    assert (row["set"], row["pairs"], row["NoC fresh"], row["NoC chained"]) == (
        *("a>b", "1"),
        *("2.00 [2.00, 2.00]", "3.00 [3.00, 3.00]"),
    )


def test_a_strategy_without_its_twin_is_listed_and_not_dropped() -> None:
    records = [*PAIR, *stream([solved(1)], strategy="fbrs", name="wounds")]
    (row,) = sheet(records, "Without a twin to compare with")
    assert (row["set"], row["strategy"]) == ("wounds", "fbrs")
    assert "fbrs" in shown(records)


def test_goals_are_shown_only_where_one_was_measured() -> None:
    assert "Goals" not in [each.title for each in build_report(PAIR).sheets]
    records = [*stream([solved(2)], goal="20@85", strategy="frozen"), *stream([solved(1)], goal="20@85")]
    rows = sheet(records, "Goals")
    assert {row["met"] for row in rows} == {"yes", "not measured"}
    assert "+50.0 [+50.0, +50.0] %" in [row["reached"] for row in rows]


def test_the_terminal_shows_the_brief_tables_and_how_failures_count() -> None:
    text = shown([*PAIR, *WOUNDS])
    for expected in ("Clicks and failures", "Adapted against frozen", "4.50 [4.00, 5.00]", "strict", "mean of sets"):
        assert expected in text
    assert "Boundary IoU" not in text


def test_the_report_writes_its_four_files_from_a_file_of_records(tmp_path: Path) -> None:
    written = write_report(read_click_rows([write_records(PAIR, tmp_path / "r" / "a.jsonl")]), tmp_path / "new" / "out")
    assert [path.name for path in written] == ["report.md", "figures.csv", "summary.json", "report.html"]
    assert all(path.parent == tmp_path / "new" / "out" and path.stat().st_size > 500 for path in written)
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(p.name for p in written)


def test_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_report(PAIR, tmp_path)]
    assert [path.read_bytes() for path in write_report(PAIR, tmp_path)] == first


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_report(PAIR, tmp_path / "file" / "out")


def test_no_records_are_an_error() -> None:
    with pytest.raises(DatasetError, match="no clicks"):
        build_report([])


def test_the_csv_has_a_row_per_run_and_mean_and_leaves_out_what_is_not_defined() -> None:
    rows = list(csv.DictReader(io.StringIO(figures_csv(build_report([*PAIR, *WOUNDS])))))
    assert [(row["set"], row["strategy"]) for row in rows][::5] == [("cells", "frozen"), ("mean of sets", "samtta")]
    adapted = rows[1]
    assert (float(adapted["noc"]), float(adapted["noc_low"]), float(adapted["noc_high"])) == (3, 2, 4)
    assert float(adapted["fr_reduction"]) == 1
    assert float(adapted["fr_change_low"]) == -1
    assert float(adapted["noc_frozen_first_third"]) == 5
    assert float(adapted["fewer_clicks"]) == 0.5
    assert rows[0]["learning_seconds_p50"] == rows[0]["fr_reduction"] == ""
    assert "nan" not in figures_csv(build_report(PAIR))


def test_the_summary_is_strict_json_with_null_for_what_is_not_defined(tmp_path: Path) -> None:
    text = write_report(PAIR, tmp_path)[2].read_text()
    found = json.loads(text, parse_constant=lambda _: pytest.fail("not strict JSON"))
    assert found == summary(build_report(PAIR))
    assert (found["resamples"], found["level"]) == (2000, 0.95)
    frozen, adapted = found["figures"]
    assert frozen["key"]["strategy"] == "frozen"
    assert frozen["named"]["learning_seconds_p50"]["value"] is None
    assert adapted["named"]["noc"] == {"value": 3.0, "low": 2.0, "high": 4.0}
    assert found["comparisons"][0]["parts"]["all"]["fr"]["difference"]["value"] == -0.5
    assert {goal["met"] for goal in found["goals"]} == {None}


def test_markdown_tables_have_cells_for_every_head_and_end_with_the_definitions() -> None:
    text = report_markdown(build_report([*PAIR, *WOUNDS]))
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) >= 6
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert all(f"**{term}**" in text for term, _ in LEGEND)


def test_the_page_is_whole_stands_alone_and_carries_every_table_and_plot() -> None:
    text = page(build_report([*PAIR, *WOUNDS]))
    found = Page(text)
    assert found.open == []
    assert "33.3 [" in " ".join(found.cells)
    assert text.count("<svg") == 4
    for outside in ("http", "src=", "@import", "<link", "<script"):
        assert outside not in text
    assert "prefers-color-scheme: dark" in text
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))


def test_names_are_escaped_in_the_page() -> None:
    text = page(build_report(stream([solved(1)], name="<b>&cells")))
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;cells" in text


def test_a_bar_in_a_name_does_not_break_a_markdown_table() -> None:
    assert "a\\|b" in report_markdown(build_report(stream([solved(1)], name="a|b")))


@pytest.mark.parametrize("module", ["jinja2", "matplotlib"])
def test_without_an_optional_library_only_the_page_is_left_out_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, module: str
) -> None:
    records = stream([solved(2), FAILED])
    write_report(records, tmp_path / "report")
    monkeypatch.setitem(sys.modules, module, None)
    for name in [name for name in sys.modules if name.startswith("samtta_app.bench.report.plots")]:
        monkeypatch.delitem(sys.modules, name)
    written = write_report(records, tmp_path / "report")
    assert [path.name for path in written] == ["report.md", "figures.csv", "summary.json"]
    assert not (tmp_path / "report" / "report.html").exists(), "an old page does not stay beside new tables"
    assert 'pip install "samtta[bench]"' in caplog.text


def test_neither_the_app_nor_the_simulated_demo_nor_statistics_need_the_optional_libraries() -> None:
    code = (
        "import sys\n"
        "for name in ('matplotlib', 'jinja2'): sys.modules[name] = None\n"
        "import samtta_app.gui.app, samtta_app.simulation.simulated_session\n"
        "import samtta_app.session.statistics.statistics_export, samtta_app.bench.jobs, samtta_app.bench.report.report\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
