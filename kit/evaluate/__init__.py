"""Scoring a model: PESQ, STOI and SI-SDR over mixtures that it was not trained on."""
