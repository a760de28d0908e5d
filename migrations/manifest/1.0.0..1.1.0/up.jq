# Left of the plus, so that what a manifest already says wins.
{input_snapshots: {}, inputs_hash: null} + .
