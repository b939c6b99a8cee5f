"""What a frame costs: measured here beside the machine's limit and other runtimes, counted under
emulation, estimated for what is not here."""
