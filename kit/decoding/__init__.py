"""From posteriors to answers: decoders, the vote, a recipe carried out, and how one answer came about."""
