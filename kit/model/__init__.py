"""Models: exchange format (.tflite), quantiser, and the float and integer references."""
