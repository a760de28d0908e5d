{chain_metadata: {is_chainable_stage: false, prior_stages: []}} + .
