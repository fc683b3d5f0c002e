"""What a release may be used for, how it is distributed, who looks after it, and what its files are.

Decides the words; refuses to recommend anything: what managers did not say is told as not said.
"""

from collections.abc import Mapping

from annotation import publication
from annotation.releasing import files
from annotation.releasing.content import Content
from annotation.releasing.datasheet import markdown

NOT_SAID = "The study does not say."


def uses(answers: Mapping[str, str]) -> str:
    """What the data set is for, and what these labels can't show."""
    said = markdown.quoted(answers["purpose"]) if answers.get("purpose") else NOT_SAID
    return (
        f"Intended use:\n\n{said}\n\n"
        "Regions were chosen for what a model could learn from them, so class shares are not prevalences. Keep to the "
        "splits: they go by case, and cases of the audit sample, which no model of this study was trained on, are test."
    )


def distribution(content: Content) -> str:
    """Licence, citation and where it is found, as the study said at the pass."""
    said = content.facts.get("publication", {})
    rows = [(field.label, said.get(field.key) or NOT_SAID) for field in publication.FIELDS]
    return "\n\n".join(
        [
            markdown.table(["", "what the study says"], rows),
            f"The slides are not part of the release: they are known by their SHA-256 in `{files.MANIFEST}`.",
            _files(),
        ]
    )


def maintenance(content: Content) -> str:
    """Who answers for the data set, and what this release changed."""
    upkeep = content.facts.get("checklist", {}).get("upkeep")
    earlier = content.earlier
    changed = (
        f"It follows release {earlier.number} (`{earlier.digest}`); `changelog.md` tells what changed."
        if earlier
        else "It is the first release of the study."
    )
    return (
        f"Who answers for the data set, and how errors are reported:\n\n"
        f"{markdown.quoted(upkeep) if upkeep else NOT_SAID}\n\n{changed} A release is never changed: corrections are "
        "revisions in the study's ledger and come with a new release."
    )


def _files() -> str:
    return (
        "### Files\n\n"
        "- `labels.csv`: a region a line; `x y width height` in level-0 pixels; `confidence` and `p_<class>` are the "
        "canonical consensus of all independent opinions (Dawid-Skene from a cold start, or vote shares), also where "
        "a person decided otherwise; empty where there was no opinion. Text cells that a spreadsheet would take for "
        "a formula start with an apostrophe.\n"
        "- `answers.csv`: the answers that count, by pseudonym. `classes.csv`: the protocol.\n"
        "- `ledger.jsonl`: the hash chain up to the pass. `manifest.json`, `CHECKSUMS`: digests of everything.\n"
        "- The same labels for other programs, and how each file is opened: `README.md`.\n"
        "- Check the folder with `verify_release`; its name is the SHA-256 of `manifest.json`."
    )
