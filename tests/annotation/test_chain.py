"""The chain as plain values: whatever is tampered with, the first row that does not fit is the one that is named."""

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import chain
from tests.conftest import REPOSITORY

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
PAYLOADS = st.lists(WORDS, min_size=1, max_size=14)


def build(payloads, *, start=0, previous=chain.GENESIS):
    """A chain that holds, going on after entry `start`."""
    links = []
    for position, payload in enumerate(payloads, start=start + 1):
        digest = chain.hash_link(position=position, kind="k", payload=payload, previous_digest=previous)
        links.append(chain.Link(position, "k", payload, previous, digest))
        previous = digest
    return links


def anchor(link):
    return chain.Anchor(link.position, link.digest)


def first_named(problems):
    found = re.search(r"Entry (\d+)", problems[0]) if problems else None
    return int(found[1]) if found else None


@st.composite
def tampered(draw):
    """A chain, what somebody made of it without touching a digest, and the first position that differs."""
    links = build(draw(PAYLOADS))
    place = draw(st.integers(0, len(links) - 1))
    how = draw(st.sampled_from(["edit", "delete", "insert", "swap", "kind", "digest"]))
    one = links[place]
    if how == "edit":
        forged = [
            *links[:place],
            chain.Link(one.position, one.kind, one.payload + "x", *_ends(one)),
            *links[place + 1 :],
        ]
    elif how == "kind":
        forged = [*links[:place], chain.Link(one.position, "j", one.payload, *_ends(one)), *links[place + 1 :]]
    elif how == "digest":
        forged = [*links[:place], chain.Link(one.position, one.kind, one.payload, one.previous_digest, "0" * 64)]
        forged += links[place + 1 :]
    elif how == "insert":
        forged = [*links[: place + 1], one, *links[place + 1 :]]
        return links, forged, place + 2
    elif how == "swap" and place:
        forged = [*links[: place - 1], one, links[place - 1], *links[place + 1 :]]
        return links, forged, place
    else:
        forged = [*links[:place], *links[place + 1 :]]
    return links, forged, place + 1


def _ends(link):
    return link.previous_digest, link.digest


@settings(max_examples=400, deadline=None)
@given(tampered())
def test_whatever_is_changed_the_first_place_that_does_not_fit_is_named_first(case):
    links, forged, place = case
    problems = list(chain.find_breaks(forged, anchors=[anchor(links[-1])]))
    named = first_named(problems)
    if named is None:
        assert len(forged) == place - 1 and "its end was cut off" in problems[0]
    else:
        # An entry put in twice is told by the number that comes next; every other change by its own.
        assert named == place


@settings(max_examples=400, deadline=None)
@given(PAYLOADS, st.data())
def test_a_chain_made_anew_from_any_entry_on_is_bounded_by_the_anchors_around_it(payloads, data):
    links = build(payloads)
    place = data.draw(st.integers(1, len(links)))
    kept = links[: place - 1]
    previous = kept[-1].digest if kept else chain.GENESIS
    rest = [one.payload for one in links[place - 1 :]]
    forged = kept + build([rest[0] + "x", *rest[1:]], start=place - 1, previous=previous)
    assert not list(chain.find_breaks(forged)), "by itself it holds"
    anchored = sorted(data.draw(st.sets(st.integers(1, len(links)), min_size=1)))
    problems = list(chain.find_breaks(forged, anchors=[anchor(links[number - 1]) for number in anchored]))
    after = [number for number in anchored if number >= place]
    before = max((number for number in anchored if number < place), default=0)
    assert len(problems) == len(after)
    if after:
        assert first_named(problems) == after[0]
        if before == after[0] - 1:
            assert "it was rewritten" in problems[0]
        elif before:
            assert f"after entry {before} (anchored, and good) and up to entry {after[0]} " in problems[0]


@settings(max_examples=500, deadline=None)
@given(PAYLOADS, st.data())
def test_an_earlier_export_names_the_very_entry_that_was_made_anew(payloads, data):
    links = build(payloads)
    place = data.draw(st.integers(1, len(links)))
    kept = links[: place - 1]
    previous = kept[-1].digest if kept else chain.GENESIS
    forged = kept + build([one.payload + "x" for one in links[place - 1 :]], start=place - 1, previous=previous)
    earlier = list(chain.read_anchors(map(chain.to_line, links)))
    problems = list(chain.find_breaks(forged, anchors=earlier))
    assert problems[0] == f"Entry {place} is not the entry that was anchored: it was rewritten."
    cut = list(chain.find_breaks(links[: place - 1], anchors=earlier))
    assert cut[0] == f"The ledger ends at entry {place - 1}, but entry {place} was anchored: its end was cut off."


@settings(max_examples=300, deadline=None)
@given(PAYLOADS)
def test_a_line_of_an_export_reads_back(payloads):
    links = build(payloads)
    lines = [chain.to_header(study="s", entries=len(links), head=links[-1].digest), *map(chain.to_line, links)]
    export, problems = chain.check_export(f"{line}\n" for line in lines)
    assert (problems, export.damage, export.position, export.digest) == ([], "", len(links), links[-1].digest)
    assert list(chain.Export(lines)) == links


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(WORDS, st.just("{"), st.just("[1]"), st.just('["a",1,2,3,4]')), max_size=4))
def test_nonsense_is_a_sentence_and_no_crash(lines):
    chain.check_export(lines)
    try:
        list(chain.read_anchors(lines))
    except ValueError as error:
        assert str(error)


def test_two_anchors_of_one_entry_that_differ_cannot_both_hold():
    links = build(["a", "b"])
    problems = list(chain.find_breaks(links, anchors=[anchor(links[0]), chain.Anchor(1, "0" * 64)]))
    assert len(problems) == 1 and "Entry 1 is not the entry that was anchored" in problems[0]


def test_anchors_are_read_from_what_they_are_kept_in():
    line = chain.to_anchor_line(chain.Anchor(7, "a" * 64, "blood", "2026-11-21T05:00:00+00:00"))
    wanted = chain.Anchor(7, "a" * 64, "blood", "2026-11-21T05:00:00+00:00")
    assert list(chain.read_anchors(["Dear all,", "", f"> {line}", "Regards"])) == [wanted]
    assert (
        list(chain.read_anchors([f"7:{'a' * 64}", '{"position": 7, "digest": "' + "a" * 64 + '"}']))
        == [chain.Anchor(7, "a" * 64)] * 2
    )
    for damaged in (line[:-60], line.replace("a" * 64, "a" * 63), '{"position": 7}'):
        with pytest.raises(ValueError, match="anchor"):
            list(chain.read_anchors([damaged]))


def run_alone(tmp_path, *arguments):
    """The one file by itself: no packages, no environment, another folder."""
    tool = tmp_path / "chain.py"
    tool.write_bytes((REPOSITORY / "annotation" / "chain.py").read_bytes())
    command = [sys.executable, "-I", "-S", str(tool), *map(str, arguments)]
    return subprocess.run(command, cwd=tmp_path, env={}, check=False, capture_output=True, text=True)


@pytest.fixture
def exported(tmp_path):
    links = build([f"entry {number}" for number in range(1, 9)])
    path = tmp_path / "blood.jsonl"
    header = chain.to_header(study="blood", entries=8, head=links[-1].digest)
    path.write_text("\n".join([header, *map(chain.to_line, links)]) + "\n")
    lines = [chain.to_anchor_line(chain.Anchor(one.position, one.digest, "blood")) for one in (links[2], links[5])]
    (tmp_path / "anchors.txt").write_text("\n".join(lines) + "\n")
    return tmp_path, links


def test_the_file_alone_checks_an_export(exported):
    folder, links = exported
    done = run_alone(folder, "blood.jsonl", "anchors.txt")
    assert done.returncode == 0, done.stderr
    assert "8 entries" in done.stdout and "It holds up to entry 6, the last that was anchored." in done.stdout
    assert "Without an anchor" in run_alone(folder, "blood.jsonl").stdout
    last = chain.to_anchor_line(anchor(links[-1]))
    assert "everything up to entry 8" in run_alone(folder, "blood.jsonl", "--anchor", last).stdout


def test_the_file_alone_names_the_place_and_says_so_by_its_exit_code(exported):
    folder, links = exported
    path = folder / "blood.jsonl"
    whole = path.read_text()
    forged = links[:4] + build(["forged", *(one.payload for one in links[5:])], start=4, previous=links[3].digest)
    cases = {
        whole.replace("entry 5", "entry x"): "Entry 5 (k) was altered",
        "\n".join(whole.splitlines()[:6]) + "\n": "The file announces 8 entries, but ends at entry 5",
        whole[:-40]: "Line 9 is no entry: after entry 7",
        "\n".join([whole.splitlines()[0], *map(chain.to_line, forged)]): (
            "something after entry 3 (anchored, and good) and up to entry 6 was rewritten"
        ),
        "\n".join(whole.splitlines()[1:4]): "The ledger ends at entry 3, but entry 6 was anchored",
        whole.replace('"study": "blood"', '"study": "other"'): "None of the 2 anchors is of study 'other'",
    }
    for text, said in cases.items():
        path.write_text(text)
        done = run_alone(folder, "blood.jsonl", "anchors.txt")
        assert done.returncode == 1 and said in done.stdout.splitlines()[1], (said, done.stdout, done.stderr)
    path.write_text(whole)
    assert run_alone(folder, "missing.jsonl").returncode == 2
    assert run_alone(folder, "blood.jsonl", "blood.jsonl").returncode == 0
    (folder / "empty.txt").write_text("nothing\n")
    done = run_alone(folder, "blood.jsonl", "empty.txt")
    assert done.returncode == 2 and "holds no anchor" in done.stderr
