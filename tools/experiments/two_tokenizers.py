"""What a member with another tokenizer adds to a blend, beside another seed of the first one's tokenizer.

``python -m tools.experiments.two_tokenizers DATA RUN SEED OTHER`` prints a table in Markdown of the three
runs alone, in pairs (mean, product, a vote on texts) and together, on the questions that all three scored
out of fold, then comparisons, paired and grouped by article; below zero the first is better.  Nothing is
fitted: `edit`, length prior 0.5 from the answers of the other questions, cap 30.  The runs share their
folds; OTHER may have only some of them.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import numpy as np

import kit
from kit.data.folds import groups
from kit.decoding.decoders import decoder_of
from kit.decoding.voting import Ballot, elected
from kit.metrics.bootstrap import bootstrap, paired
from kit.metrics.edit_distance import edit_distances
from kit.spans.blending import KEPT, REACH, blended, likeliest_together
from kit.spans.lengths import answer_lengths, log_length_prior
from kit.spans.posteriors import span_posterior
from kit.spans.store import read_spans
from tools.benchmarks.results import table

CAP, PRIOR, CANDIDATES = 30, 0.5, 50


def main(data: str, *folders: str) -> None:
    runs = [Path(folder) for folder in folders]
    dataset = kit.load(data)
    files = [read_spans(run / "spans" / f"oof-{dataset.sha256[:8]}.safetensors") for run in runs]
    places = [{guid: index for index, guid in enumerate(file.guids)} for file in files]
    questions = [question for question in dataset if all(question.guid in place for place in places)]
    judged = {question.guid for question in questions}
    prior = log_length_prior(answer_lengths(q for q in dataset if q.guid not in judged), CAP)
    parts = {}
    for run, file, place in zip(runs, files, places, strict=True):
        own = file.select(np.array([place[question.guid] for question in questions]))
        parts[run.name] = span_posterior(own, CAP, temperature=1.0, bonus=PRIOR * prior, count=REACH * KEPT)
    decoder = decoder_of("edit")
    found = {name: decoder.texts(part.likeliest(CANDIDATES), questions) for name, part in parts.items()}
    for names in (*combinations(parts, 2), tuple(parts)):
        kept = likeliest_together([parts[name] for name in names], KEPT)
        ballots = [Ballot(found[name], 1.0, parts[name].likeliest(CANDIDATES)) for name in names]
        for blend in ("mean", "product"):
            together = blended(kept, [1] * len(names), blend).likeliest(CANDIDATES)
            found[f"{' + '.join(names)}: {blend}"] = decoder.texts(together, questions)
        found[f"{' + '.join(names)}: vote"] = elected(ballots, questions)
    golds, labels = [question.golds for question in questions], groups(questions)
    distances = {name: edit_distances(list(texts), golds) for name, texts in found.items()}
    rows = [
        (name, f"{one.mean():.3f}", str(bootstrap(one, labels)), f"{np.mean(one == 0):.1%}")
        for name, one in distances.items()
    ]
    print(f"{len(questions):,} questions\n")
    print(table(("answers", "Edit Score", "95 % interval", "equal to the gold"), rows))
    first, seed, other = parts
    for new, old in [
        (other, first),
        *(
            (f"{first} + {other}: {blend}", f"{first} + {seed}: {blend}")
            for blend in ("mean", "product", "vote")
        ),
        *((f"{first} + {one}: mean", f"{first} + {one}: vote") for one in (seed, other)),
        (f"{first} + {seed} + {other}: mean", f"{first} + {seed}: mean"),
    ]:
        gain = paired(distances[old], distances[new], labels)
        print(f"{new} against {old}: {gain.mean:+.3f} ({gain.interval}), p = {gain.p_value:.3f}")
    for one in (seed, other):
        nearest = np.minimum(distances[first], distances[one]).mean()
        same = np.mean([a == b for a, b in zip(found[first], found[one], strict=True)])
        print(f"{first} and {one}: {same:.1%} the same text; the nearer of the two: {nearest:.3f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
