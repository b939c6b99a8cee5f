"""Making a model: corpus, mixtures, shards of features and targets, network, training, export."""
