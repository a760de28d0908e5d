{
  input_snapshots: {},
  inputs_hash: null,
  chain_metadata: {is_chainable_stage: false, prior_stages: []}
} + .
