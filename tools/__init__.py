"""Programs for developers of the kit; run them from the project's root, as in `python -m tools.families`.

- benchmarks: `make bench`, timings beside the usual way, with budgets that must hold
- chaos: `make chaos`, commands that are killed or meet a full disk
- docs_links: what `make docs` does with links out of docs/
- experiments: questions that were answered once, with their results
- families: every family of encoders tried with a tiny model; writes docs/families.md
- fuzzing: `make fuzz`, random bytes for every reader
- mutation: `make mutants`, whether the tests notice a changed line
- pictures: `make pictures`, two of the documents' pictures
- settings_page: the tables of docs/settings.md, made from the declared options

Some take test data from tests/ (the loopback Kaggle server, awkward texts); kit/ imports neither.
"""
