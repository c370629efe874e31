"""How often Rapport is right: answers, intents, feelings. Run with ``make quality``.

The questions in ``tests/data/questions.jsonl`` and the messages in ``tests/engine/nlu_test.yml`` were
written by somebody who had not seen the training and dev data, and nothing is tuned on them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
import yaml
from sklearn.model_selection import StratifiedKFold

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from actions.answer import suggestions  # noqa: E402
from bot.encoder import Encoder  # noqa: E402
from bot.engine import kernel  # noqa: E402
from bot.evaluate.figures import calibration_error  # noqa: E402
from knowledge_base.search import PLAUSIBLE, KnowledgeBase  # noqa: E402
from scripts import quality_feelings  # noqa: E402
from scripts.quality_dialogue import section as dialogue  # noqa: E402
from scripts.quality_knowledge import section as public_sets  # noqa: E402

QUESTIONS = ROOT / "tests" / "data" / "questions.jsonl"
DEV = ROOT / "knowledge_base" / "evaluation" / "dev.jsonl"
NLU_TEST = ROOT / "tests" / "engine" / "nlu_test.yml"
OUT = ROOT / "var" / "quality"
# Measured by hand, each with its command: the public data are not part of the project.
INTENTS_ON_PUBLIC_SETS = ROOT / "scripts" / "quality_intents.md"
BY_RULE = {"several_wishes"}  # no classifier learns these
# What an intent leads to is what counts: these all go to the knowledge base.
TO_ARTICLES = {"ask_question", "out_of_scope", "nlu_fallback", "none"}


def answers() -> dict[str, Any]:
    command = [sys.executable, "-m", "knowledge_base", "evaluate", str(QUESTIONS), "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def near_misses(threshold: float) -> tuple[int, int]:
    """Of the answerable dev questions between `PLAUSIBLE` and the threshold: how many have a
    right article among the passages that are then shown by name, and how many there are."""
    knowledge_base = KnowledgeBase(
        ROOT / "knowledge_base" / "articles",
        Encoder(ROOT / "models" / "encoder"),
        ROOT / "models" / "index",
    )
    knowledge_base.load()
    right = total = 0
    for line in DEV.read_text("utf-8").splitlines():
        question = json.loads(line)
        result = knowledge_base.ask(question["question"])
        if question["gold"] and PLAUSIBLE <= result.confidence < threshold:
            total += 1
            shown = {
                url.removeprefix("/help/").split("#")[0] for url in suggestions(result).values()
            }
            right += bool(shown & set(question["gold"]))
    return right, total


def examples(paths: Sequence[Path]) -> tuple[list[str], np.ndarray]:
    texts, labels = [], []
    for path in paths:
        for item in yaml.safe_load(path.read_text("utf-8"))["nlu"]:
            if item["intent"] in BY_RULE:
                continue
            lines = [line[2:] for line in item["examples"].splitlines() if line.startswith("- ")]
            texts += lines
            labels += [item["intent"]] * len(lines)
    return texts, np.array(labels)


def cross_validation() -> dict[str, Any]:
    """IntentClassifier on the training messages, 5-fold: accuracy, calibration, and what each
    threshold of the fallback would mean."""
    texts, labels = examples(sorted((ROOT / "data" / "nlu").glob("*.yml")))
    encoder = Encoder(ROOT / "models" / "encoder")
    vectors, sentences = encoder.encode(texts), kernel.background()
    others = encoder.encode(sentences)
    names, numbers = np.unique(labels, return_inverse=True)
    said, sure = np.empty_like(labels), np.empty(len(labels))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(vectors, labels):
        far = kernel.strangers(others, vectors[train])
        model = kernel.fit(
            vectors[train],
            [texts[at] for at in train],
            numbers[train],
            background=(others[far], [sentences[at] for at in far]),
            **kernel.DEFAULTS,
        )
        likely, inside = model.judge(vectors[test], [texts[at] for at in test])
        said[test] = names[likely.argmax(axis=1)]
        sure[test] = likely.max(axis=1) * inside
    gold, merged = ([_merge(intent) for intent in these] for these in (labels, said))
    rows = []
    for threshold in (0.1, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        does = np.where(sure >= threshold, merged, "articles")
        acted = does != "articles"
        wrong = acted & (does != gold)
        missed = ~acted & (np.array(gold) != "articles")
        rows.append((threshold, (does == gold).mean(), wrong.sum(), missed.sum()))
    return {
        "accuracy": (said == labels).mean(),
        "ece": calibration_error(sure, said == labels),
        "thresholds": rows,
    }


def intents() -> dict[str, Any]:
    """What the trained engine makes of the test messages, by Rasa's own `rasa test nlu`."""
    environment = {**os.environ, "RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3",
                   "PYTHONPATH": str(ROOT)}  # fmt: skip
    done = subprocess.run(
        [ROOT / ".venv-engine" / "bin" / "rasa", "test", "nlu", "--nlu", NLU_TEST,
         "--model", ROOT / "models" / "engine" / "rapport.tar.gz", "--out", OUT, "--no-plot",
         "--successes"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"rasa test nlu failed:\n{done.stderr[-3000:]}")
    rows = [
        (row["intent"], row["intent_prediction"]["name"], row["intent_prediction"]["confidence"])
        for name in ("intent_errors.json", "intent_successes.json")
        for row in json.loads((OUT / name).read_text())
    ]
    merged = [(_merge(gold), _merge(said)) for gold, said, _ in rows]
    acted = [(gold, said) for gold, said in merged if said != "articles"]
    person = [said for gold, said, _ in rows if gold == "request_person"]
    return {
        "count": len(rows),
        "accuracy": np.mean([gold == said for gold, said, _ in rows]),
        "by_effect": np.mean([gold == said for gold, said in merged]),
        "acted_precision": np.mean([gold == said for gold, said in acted]),
        "person_recall": np.mean([said == "request_person" for said in person]),
        "errors": [row for row in rows if row[0] != row[1]],
    }


def _merge(intent: str) -> str:
    return "articles" if intent in TO_ARTICLES else intent


def report(
    found: dict[str, Any],
    heard: dict[str, Any],
    folds: dict[str, Any],
    *,
    felt: list[str],
    public: list[str],
) -> str:
    fit = json.loads((ROOT / "knowledge_base" / "confidence.json").read_text())
    account = json.loads((ROOT / "knowledge_base" / "account.json").read_text())
    right, total = near_misses(fit["threshold"])
    counts = found["questions"]
    measured = {
        f"right article first (R@1), {counts['answerable']} answerable": "recall_at_1",
        "right article among five (R@5)": "recall_at_5",
        "mean reciprocal rank": "mrr",
        "nDCG@10": "ndcg_at_10",
        f"precision of the {found['answers']} answers given": "precision",
        "answerable questions that got an answer": "coverage",
        f"the {counts['others']} unanswerable ones that got none": "declined",
        "AUROC, answerable or not": "auroc",
    }
    lines = [
        "# Quality", "",
        f"Made by `make quality` on {time.strftime('%Y-%m-%d')}. The test questions and messages "
        "were written by somebody who had not seen the training and dev data; nothing is tuned on "
        "them. Their labels had one reader.", "",
        "## Answers", "",
        "240 questions on Northpeak's 62 articles (`tests/data/questions.jsonl`): 160 that an "
        "article answers, 40 plausible ones that none does, 15 that only staff articles answer, 25 "
        "off-topic.", "",
        "| what | measured | 95 % interval |", "|---|---|---|",
        *[
            "| {} | {value:.3f} | {low:.3f} – {high:.3f} |".format(words, **found[name])
            for words, name in measured.items()
        ],
        "",
        f"The threshold ({fit['threshold']:.3f}) was chosen on the editors' questions: {fit['how']}. "
        f"There: precision {fit['measured']['precision']:.3f}, answered rightly "
        f"{fit['measured']['answered_rightly']:.3f} of the answerable ones. Below it, from a "
        f"confidence of {PLAUSIBLE}, the bot says that it is not sure and names the closest; of the "
        f"answerable dev questions in that band, {right} of {total} have a right article among "
        "them.", "",
        "Precision against coverage on the editors' questions, in cross-validation:", "",
        "| threshold | answers | precision | answered rightly |", "|---|---|---|---|",
        *[
            f"| {point['threshold']:.3f} | {point['answers']} | {point['precision']:.3f} "
            f"| {point['answered_rightly']:.3f} |"
            for point in fit["curve"]
        ],
        "",
        "Questions that only the customer's own record could answer are told by how they sound: "
        f"precision {account['measured']['precision']:.3f}, recall "
        f"{account['measured']['recall']:.3f} in cross-validation.", "",
        *public,
        "## Intents", "",
        f"{heard['count']} messages (`tests/engine/nlu_test.yml`), 29 intents, through the trained "
        "engine (`rasa test nlu`). None of them is, but for case and punctuation, a training "
        "message.", "",
        "| what | measured |", "|---|---|",
        f"| accuracy (Rasa's test looks beneath the fallback) | {heard['accuracy']:.3f} |",
        "| the same with questions and out-of-scope as one, since both search the articles "
        f"| {heard['by_effect']:.3f} |",
        f"| precision where something else than a search happens | {heard['acted_precision']:.3f} |",
        f"| wishes for a person recognised | {heard['person_recall']:.3f} |", "",
        "5-fold cross-validation on the training messages: accuracy "
        f"{folds['accuracy']:.3f}, expected calibration error {folds['ece']:.3f}. What the "
        "fallback's threshold means there (a search instead of a job that was wanted does less harm "
        "than a wrong job):", "",
        "| threshold | right thing done | wrong jobs | jobs missed |", "|---|---|---|---|",
        *[
            f"| {threshold:g} | {right:.3f} | {wrong} | {missed} |"
            for threshold, right, wrong, missed in folds["thresholds"]
        ], "",
        INTENTS_ON_PUBLIC_SETS.read_text("utf-8"),
        *dialogue(),
        "## Feelings", "",
        *felt,
    ]  # fmt: skip
    return "\n".join(lines)


def texting(place: Path) -> str:
    """The section that scripts/twilio_contract.py has written into the document."""
    former = place.read_text(encoding="utf-8") if place.exists() else ""
    begins = former.find("\n## Text messages\n")
    return "" if begins < 0 else former[begins:].rstrip("\n") + "\n"


def main(
    data: Annotated[
        Path | None, typer.Option(help="Public data sets; see scripts/quality_knowledge.py.")
    ] = None,
) -> None:
    """Measure, and write docs/quality.md."""
    public: list[str] = []
    if data:
        public = public_sets(data, Encoder(ROOT / "models" / "encoder"))
    else:
        print("without --data the public sets are left out", file=sys.stderr)
    print("cross-validation of the intents ...", flush=True)
    folds = cross_validation()
    print("intents, through the engine ...", flush=True)
    heard = intents()
    print("feelings ...", flush=True)
    felt = quality_feelings.report(quality_feelings.feelings())
    print("answers ...", flush=True)
    found = answers()
    place = ROOT / "docs" / "quality.md"
    text = report(found, heard, folds, felt=felt, public=public) + texting(place)
    place.write_text(text, encoding="utf-8")
    print(text)
    for gold, said, confidence in heard["errors"]:
        print(f"  {gold} taken for {said} ({confidence:.2f})")


if __name__ == "__main__":
    typer.run(main)
