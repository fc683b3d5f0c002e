"""The commands that run a pass, cut, export and verify."""

import pytest
from django.core.management import CommandError, call_command

from annotation.models import (
    LabelClass,
    Release,
)
from annotation.services import ledger
from tests.annotation.consistency_studies import answered
from workers import progress

pytestmark = pytest.mark.django_db


def test_commands_cut_export_and_verify(clean, tmp_path, capsys):
    study, _, _ = clean
    call_command("release", study.slug, "--pass", "1", "--as", "A1")
    release = Release.objects.get()
    assert release.manifest_digest in capsys.readouterr().out
    for name in (f"{study.slug}:1", release.manifest_digest[:12]):
        call_command("export", name, str(tmp_path / name.replace(":", "-")))
    out = tmp_path / release.manifest_digest[:12]
    assert "Wrote 6 regions" in capsys.readouterr().out
    call_command("verify_release", str(out), "--digest", release.manifest_digest)
    assert "The release holds: 6 regions" in capsys.readouterr().out
    with pytest.raises(CommandError, match="exists already: name a new folder"):
        call_command("export", f"{study.slug}:1", str(out))
    (out / "labels.csv").unlink()
    with pytest.raises(CommandError, match="the release does not hold"):
        call_command("verify_release", str(out))
    assert "labels.csv is missing." in capsys.readouterr().err


def test_commands_name_what_they_cannot_find(clean):
    study, _, _ = clean
    for words, said in (
        (("release", "nowhere"), f"no study 'nowhere'. Known studies: {study.slug}"),
        (("release", study.slug, "--pass", "9"), "no such consistency pass"),
        (("release", study.slug, "--as", "A2"), "'A2' is no manager of .* Managers: A1"),
        (("export", "abc", "x"), "names no release"),
        (("export", "0123456789", "x"), "no release '0123456789'"),
        (("verify_release", "/nowhere/at/all"), "1 problems"),
        (("verify_ledger", study.slug, "--anchor", "7"), "holds no anchor"),
        (("verify_ledger", study.slug, "--anchor-file", "/nowhere"), "cannot be read"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command(*words)


def test_the_release_command_lists_what_is_open(blocked, capsys):
    study, _, _, finding = blocked
    with pytest.raises(CommandError, match="not clean"):
        call_command("release", study.slug)
    assert f"class-quota (finding {finding.pk}): Class monocyte has 2 of the 3" in capsys.readouterr().err


def test_the_pass_command_runs_shows_and_fails_while_blockers_are_open(store, capsys, monkeypatch):
    # A beat comes over another connection, which sees no row of this test: a slow job would be taken for lost.
    monkeypatch.setattr(progress, "BEAT_SECONDS", 3600.0)
    study, manager = answered()
    call_command("consistency_pass", study.slug, "--as", "A1")
    assert "6 regions, 0 findings, 0 open blockers" in capsys.readouterr().out
    LabelClass.objects.filter(protocol=study.protocol, code="monocyte").update(quota=3)
    with pytest.raises(CommandError, match="not clean"):
        call_command("consistency_pass", study.slug)
    assert "blocker class-quota [open] Class monocyte has 2 of the 3" in capsys.readouterr().out


def test_the_ledger_command_carries_its_head_outside(clean, tmp_path, capsys):
    study, _, _ = clean
    note = tmp_path / "anchor.json"
    call_command("verify_ledger", study.slug, "--write-anchor", str(note))
    head = ledger.head(study)
    assert f"Anchor {head.position}:{head.digest}" in capsys.readouterr().out
    call_command("verify_ledger", study.slug, "--anchor-file", str(note))
    with pytest.raises(CommandError, match="1 problems"):
        call_command("verify_ledger", study.slug, "--anchor", f"{head.position}:{'0' * 64}")
    assert "is not the entry that was anchored" in capsys.readouterr().err
